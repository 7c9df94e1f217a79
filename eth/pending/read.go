// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// readable are the methods that flashblocks_read can make: those whose answer follows from the pending
// state alone. They are of the eth namespace only: what a node serves of others is for each transport to say,
// which a call in this process does not come through.
var readable = map[string]struct{}{
	"eth_call": {}, "eth_createAccessList": {}, "eth_estimateGas": {}, "eth_feeHistory": {}, "eth_getBalance": {},
	"eth_getBlockByNumber": {}, "eth_getBlockReceipts": {}, "eth_getBlockTransactionCountByNumber": {},
	"eth_getCode": {}, "eth_getHeaderByNumber": {}, "eth_getRawTransactionByBlockNumberAndIndex": {},
	"eth_getRawTransactionByHash": {}, "eth_getStorageAt": {}, "eth_getStorageValues": {},
	"eth_getTransactionByBlockNumberAndIndex": {}, "eth_getTransactionByHash": {}, "eth_getTransactionCount": {},
	"eth_getTransactionReceipt": {}, "eth_getLogs": {}, "eth_simulateV1": {},
}

// ReadRequest is a call of another method whose answer shall carry its position.
type ReadRequest struct {
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Minimum *struct {
		BlockNumber hexutil.Uint64 `json:"blockNumber"`
		Index       hexutil.Uint64 `json:"index"`
	} `json:"minimum"` // position to wait for first
	Timeout *milliseconds `json:"timeout"` // of the wait
}

// ReadResult is the answer of the other method with the flashblock it was given at, null if pending was
// latest.
type ReadResult struct {
	Position *Position       `json:"position"`
	Result   json.RawMessage `json:"result"`
}

// Read serves flashblocks_read: it waits for a position if the request names one, and makes the call that
// the request names at exactly the position that it returns, or fails if the chain has left that position
// meanwhile.
func (api *PositionAPI) Read(ctx context.Context, request ReadRequest) (*ReadResult, error) {
	if _, ok := readable[request.Method]; !ok {
		return nil, &invalidParams{fmt.Sprintf("%.64q is not a method that flashblocks_read serves", request.Method)}
	}
	if least := request.Minimum; least != nil {
		v, err := api.b.await(ctx, uint64(least.BlockNumber), uint64(least.Index), request.Timeout)
		if err != nil {
			return nil, err
		}
		ctx = context.WithValue(ctx, viewKey{}, v)
	}
	ctx, v := api.b.pin(ctx)
	result, err := api.call(ctx, request.Method, request.Params)
	if !api.b.stands(v) {
		return nil, errMoving // what the method has found of the chain may be another branch's
	}
	if err != nil {
		return nil, err
	}
	return &ReadResult{Position: v.position(), Result: result}, nil
}

// call makes a call in this process with the values of the context, which the server's HTTP handler hands
// on to the method.
func (api *PositionAPI) call(ctx context.Context, method string, params json.RawMessage) (json.RawMessage, error) {
	body, err := json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      int             `json:"id"`
		Method  string          `json:"method"`
		Params  json.RawMessage `json:"params,omitempty"`
	}{"2.0", 1, method, params})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	out := &responseBuffer{header: make(http.Header)}
	api.reads.ServeHTTP(out, req)

	var answer struct {
		Result json.RawMessage
		Error  *readError
	}
	if err := json.Unmarshal(out.body.Bytes(), &answer); err != nil {
		return nil, errors.Join(errors.New("call was not answered"), err)
	}
	if answer.Error != nil {
		return nil, answer.Error
	}
	return answer.Result, nil
}

// readError is the error of the other method, passed on as it is.
type readError struct {
	Code    int
	Message string
	Data    json.RawMessage
}

var _ rpc.DataError = (*readError)(nil)

// Error implements error.
func (e *readError) Error() string { return e.Message }

// ErrorCode implements rpc.Error.
func (e *readError) ErrorCode() int { return e.Code }

// ErrorData implements rpc.DataError.
func (e *readError) ErrorData() any {
	if e.Data == nil {
		return nil
	}
	return e.Data
}

// responseBuffer keeps the body of an HTTP response.
type responseBuffer struct {
	header http.Header
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (b *responseBuffer) Header() http.Header { return b.header }

// Write implements http.ResponseWriter.
func (b *responseBuffer) Write(p []byte) (int, error) { return b.body.Write(p) }

// WriteHeader implements http.ResponseWriter.
func (*responseBuffer) WriteHeader(int) {}

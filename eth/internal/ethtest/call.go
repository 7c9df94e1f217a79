// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package ethtest

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// CodeNotFound is the JSON-RPC error code of a method that is not served.
const CodeNotFound = -32601

// Answer is what a JSON-RPC call came to, comparable between nodes.
type Answer struct {
	Result string
	Code   int
	Error  string
	Data   string
}

// Call makes an RPC call with raw parameters.
func (n *Node) Call(method string, params ...any) Answer {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	var raw json.RawMessage
	err := n.Client.CallContext(ctx, &raw, method, params...)
	if err == nil {
		return Answer{Result: string(raw)}
	}
	out := Answer{Error: err.Error()}
	var coded rpc.Error
	require.ErrorAs(n.t, err, &coded, "%s gave no RPC error", method)
	out.Code = coded.ErrorCode()
	var detailed rpc.DataError
	if errors.As(err, &detailed) && detailed.ErrorData() != nil {
		data, err := json.Marshal(detailed.ErrorData())
		require.NoError(n.t, err)
		out.Data = string(data)
	}
	return out
}

// Into decodes a successful answer.
func (a Answer) Into(t testing.TB, out any) {
	t.Helper()
	require.Empty(t, a.Error, "unexpected error, data %s", a.Data)
	require.NoError(t, json.Unmarshal([]byte(a.Result), out))
}

// Object is a JSON object under construction, so that members can be left out or be nonsense.
type Object map[string]any

// With returns a copy with members set; a nil value removes the member.
func (o Object) With(members Object) Object {
	out := make(Object, len(o)+len(members))
	for k, v := range o {
		out[k] = v
	}
	for k, v := range members {
		if v == nil {
			delete(out, k)
			continue
		}
		out[k] = v
	}
	return out
}

// HexUint encodes a quantity.
func HexUint(v uint64) string { return "0x" + new(big.Int).SetUint64(v).Text(16) }

// HexBytes encodes data.
func HexBytes(b []byte) string { return "0x" + common.Bytes2Hex(b) }

// Head is a forkchoice state with the given head.
func Head(h common.Hash) Object {
	return Object{"headBlockHash": h, "safeBlockHash": common.Hash{}, "finalizedBlockHash": common.Hash{}}
}

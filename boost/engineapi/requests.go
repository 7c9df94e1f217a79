// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engineapi

import (
	"encoding/json"
	"strconv"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// ownID is the id of the sidecar's own calls.
var ownID = json.RawMessage("1")

// OwnRequest is a call that the sidecar makes of itself.
func OwnRequest(method string, params ...json.RawMessage) *jsonrpc.Request {
	req := jsonrpc.NewRequest(ownID, method, params...)
	return &req
}

// PayloadRequest is the sidecar's own call of a version of engine_getPayload.
func PayloadRequest(version int, id engine.PayloadID) *jsonrpc.Request {
	return OwnRequest(GetPayload+strconv.Itoa(version), json.RawMessage(strconv.Quote(id.String())))
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package jsonrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
)

// Error codes of JSON-RPC 2.0, section 5.1.
const (
	CodeParse          = -32700 // The body is not JSON
	CodeInvalidRequest = -32600 // The JSON is not a request
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternal       = -32603
)

// ErrResponse is what ParseResponse's errors wrap.
var ErrResponse = errors.New("not a JSON-RPC response")

// Error is a JSON-RPC error object.
type Error struct {
	Code    int
	Message string
	Data    json.RawMessage // As the peer wrote it, nil if it gave none
}

// briefMessage is as much of a peer's message as is repeated in an error of ours, and so in logs.
const briefMessage = 256

// Error implements error. A long message is cut: it is the peer's, who may write what it likes.
func (e *Error) Error() string {
	if len(e.Message) > briefMessage {
		return fmt.Sprintf("%s (shortened) (JSON-RPC error %d)", strings.ToValidUTF8(e.Message[:briefMessage], ""), e.Code)
	}
	return fmt.Sprintf("%s (JSON-RPC error %d)", e.Message, e.Code)
}

// Brief returns the error without data and with at most the beginning of its message, for who keeps it: the
// original may hold on to all of an answer.
func (e *Error) Brief() *Error {
	return &Error{Code: e.Code, Message: strings.Clone(strings.ToValidUTF8(e.Message[:min(len(e.Message), briefMessage)], ""))}
}

// errSyntax is what a breach of JSON's grammar is.
var errSyntax = errors.New("invalid JSON")

// syntax puts the walker's errors into the words of an answer. Others stay.
func syntax(err error) error {
	var breach *jsonwalk.SyntaxError
	if errors.As(err, &breach) {
		return fmt.Errorf("%w at byte %d: %s", errSyntax, breach.At, breach.What)
	}
	return err
}

func invalidRequest(what string) *Error {
	return &Error{Code: CodeInvalidRequest, Message: "invalid request: " + what}
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package engineapi is what the sidecar knows of the Engine API: the three methods that it has a part in, what it
// reads of their answers, its own calls of them, and the figures of both.
package engineapi

import "strings"

// The names of the methods that the sidecar has a part in, without their versions.
const (
	ForkchoiceUpdated = "engine_forkchoiceUpdatedV"
	NewPayload        = "engine_newPayloadV"
	GetPayload        = "engine_getPayloadV"
)

// Kind is what a method does.
type Kind uint8

// The kinds of methods.
const (
	KindOther Kind = iota // none of the sidecar's business
	KindForkchoiceUpdated
	KindNewPayload
	KindGetPayload
)

// Method is what the sidecar knows of a method. The version of those of KindOther is zero.
type Method struct {
	Kind    Kind
	Version int
}

// ParseMethod knows every version of the three engine methods that the sidecar has a part in. All others, engine
// methods of future forks included, are of KindOther.
func ParseMethod(name string) Method {
	for _, known := range [...]struct {
		prefix string
		kind   Kind
	}{{ForkchoiceUpdated, KindForkchoiceUpdated}, {NewPayload, KindNewPayload}, {GetPayload, KindGetPayload}} {
		if rest, ok := strings.CutPrefix(name, known.prefix); ok && len(rest) == 1 && '1' <= rest[0] && rest[0] <= '9' {
			return Method{known.kind, int(rest[0] - '0')}
		}
	}
	return Method{}
}

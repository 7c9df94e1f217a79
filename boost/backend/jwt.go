// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// signer makes the bearer tokens of the Engine API: HS256 with the claim iat, no expiry. An EL admits
// an iat within 60 s of its own clock, and iat counts whole seconds, so one token serves a second.
type signer struct {
	secret []byte
	now    func() time.Time
	last   atomic.Pointer[token]
}

type token struct {
	iat    int64
	header string
}

// authorization returns the value of the Authorization header, empty without a secret.
func (s *signer) authorization() (string, error) {
	if len(s.secret) == 0 {
		return "", nil
	}
	now := s.now().Unix()
	if last := s.last.Load(); last != nil && last.iat == now {
		return last.header, nil
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iat": now}).SignedString(s.secret)
	if err != nil {
		return "", err
	}
	next := &token{now, "Bearer " + signed}
	s.last.Store(next)
	return next.header, nil
}

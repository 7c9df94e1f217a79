// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// jwtSkew is how far the issue time of a token may be off (Engine API, authentication).
const jwtSkew = 60 * time.Second

var (
	errNoToken    = errors.New("missing token")
	errStaleToken = errors.New("stale token: the clocks of both sides must agree to within a minute")
)

// authorize checks the caller's token, if callers need one.
func (s *Server) authorize(r *http.Request) error {
	if s.cfg.Secret == nil {
		return nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") { // RFC 9110 11.1: in any case, and any number of spaces follows
		return errNoToken
	}
	token = strings.TrimLeft(token, " ")
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return s.cfg.Secret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation())
	switch {
	case err != nil:
		return err
	case !claims.VerifyExpiresAt(s.cfg.Now(), false):
		return errors.New("token is expired")
	case claims.IssuedAt == nil:
		return errors.New("missing issued-at")
	case s.cfg.Now().Sub(claims.IssuedAt.Time).Abs() > jwtSkew:
		return errStaleToken
	}
	return nil
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

// secretLength is the size of an engine API secret in bytes.
const secretLength = 32

var (
	errNoL2Secret = errors.New("Missing Client JWT secret: give --l2-jwt-path the file that the execution layer has as --authrpc.jwtsecret, or --l2-jwt-token its content") //nolint:staticcheck // rollup-boost's own words, which operators search for

	errNoBuilderSecret = errors.New("the builder has a URL but no JWT secret: give --builder-jwt-path or --builder-jwt-token; the secret of the local execution layer is not used for it. To run without a builder leave out --builder-url (BUILDER_URL)")
)

// Secrets reads the secrets of both backends and of the callers; the last two are nil if there is no
// builder, or no check of callers. An error names the flag and never the secret.
func (c *Boost) Secrets() (l2, builder, rpc []byte, err error) {
	if l2, err = readSecret("l2", c.L2.JWTToken, c.L2.JWTPath); err != nil {
		return nil, nil, nil, err
	}
	if l2 == nil {
		return nil, nil, nil, errNoL2Secret
	}
	if c.HasBuilder() {
		if builder, err = readSecret("builder", c.Builder.JWTToken, c.Builder.JWTPath); err != nil {
			return nil, nil, nil, err
		}
		if builder == nil {
			return nil, nil, nil, errNoBuilderSecret
		}
	}
	rpc, err = readSecret("rpc", c.RPCJWTToken, c.RPCJWTPath)
	return l2, builder, rpc, err
}

// readSecret takes the token if there is one, else the content of the file, and nil without either.
func readSecret(prefix, token, path string) ([]byte, error) {
	source := "--" + prefix + "-jwt-token"
	if token == "" {
		if path == "" {
			return nil, nil
		}
		source = "--" + prefix + "-jwt-path"
		text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, fmt.Errorf("the JWT secret of %s cannot be read: %w", source, err)
		}
		token = string(text)
	}
	token = strings.TrimPrefix(strings.TrimSpace(token), "0x")
	secret, err := hex.DecodeString(token)
	if err != nil || len(secret) != secretLength {
		return nil, fmt.Errorf("the JWT secret of %s is not %d bytes in hex", source, secretLength)
	}
	return secret, nil
}

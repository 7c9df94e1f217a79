// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package cmdline

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/log"
)

func TestUsageErrorIsOneSentence(t *testing.T) {
	t.Parallel()
	err := errors.New("flag provided but not defined: -x")
	require.ErrorIs(t, UsageError(nil, err, true), err)
	require.EqualError(t, UsageError(nil, err, false), "flag provided but not defined: -x (see --help)")
}

func TestVersion(t *testing.T) {
	t.Parallel()
	require.Equal(t, "20261121-01234567", Version("0123456789abcdef", "20261121"))
	require.Equal(t, "unknown", Version("", "20261121"))
	require.Equal(t, "unknown", Version("0123456789abcdef", ""))
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]slog.Level{"trace": log.LevelTrace, "TRACE": log.LevelTrace, "debug": slog.LevelDebug, "Info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError} {
		level, err := LogLevel(name)
		require.NoError(t, err, name)
		require.Equal(t, want, level, name)
	}
	_, err := LogLevel("loud")
	require.EqualError(t, err, `log level "loud" is unknown: use trace, debug, info, warn or error`)
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/log"
)

// An outage is one warning and not one per attempt; the next outage is one again.
func TestOutageIsToldOnce(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	f := &follower{log: log.NewLogger(log.NewTerminalHandlerWithLevel(&text, log.LevelInfo, false))}
	for outage := range 2 {
		for range 20 {
			f.outage(errors.New("refused"), time.Millisecond)
		}
		require.Equal(t, outage+1, strings.Count(text.String(), "not connected"))
		f.warned = time.Time{} // as after a message
	}
}

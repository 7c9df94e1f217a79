// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// patience is how long a test waits for something that must happen. It decides nothing else.
const patience = 30 * time.Second

// harness is a gatekeeper with its metrics.
type harness struct {
	*Gatekeeper
	t   testing.TB
	set *metrics.Set
}

// newHarness makes a gatekeeper; keys is the list as on the command line.
func newHarness(t testing.TB, cfg Config, keys string) *harness {
	t.Helper()
	ring, err := ParseKeys(keys)
	require.NoError(t, err)
	cfg.Keys, cfg.Metrics = ring, metrics.NewSet()
	keeper, err := New(cfg)
	require.NoError(t, err)
	return &harness{Gatekeeper: keeper, t: t, set: cfg.Metrics}
}

// start runs the gatekeeper until the test ends.
func (h *harness) start() *harness {
	h.t.Helper()
	require.NoError(h.t, h.Start(h.t.Context()))
	h.t.Cleanup(h.stop)
	return h
}

func (h *harness) stop() {
	h.t.Helper()
	require.NoError(h.t, h.Stop(context.Background()))
}

// admit must succeed.
func (h *harness) admit(ip, key string) *Ticket {
	h.t.Helper()
	ticket, refusal := h.Admit(from(ip), key)
	require.Nil(h.t, refusal)
	require.NotNil(h.t, ticket)
	return ticket
}

// refuses must be refused for the reason.
func (h *harness) refuses(ip, key string, reason Reason) *Refusal {
	h.t.Helper()
	ticket, refusal := h.Admit(from(ip), key)
	require.Nil(h.t, ticket)
	require.NotNil(h.t, refusal)
	require.Equal(h.t, reason, refusal.Reason)
	return refusal
}

// figure reads a metric, given its name without the scope.
func (h *harness) figure(name string) string {
	h.t.Helper()
	var text strings.Builder
	h.set.WritePrometheus(&text)
	for line := range strings.Lines(text.String()) {
		if value, ok := strings.CutPrefix(line, scope+name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return "absent"
}

// from is a request whose peer is the address.
func from(ip string) *http.Request {
	if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	return &http.Request{RemoteAddr: ip + ":40000", Header: http.Header{}}
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package debugapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// holder holds the mode as the sidecar does.
type holder struct{ mode atomic.Uint32 }

func (h *holder) Mode() params.ExecutionMode        { return params.ExecutionMode(h.mode.Load()) }
func (h *holder) SetMode(mode params.ExecutionMode) { h.mode.Store(uint32(mode)) }

// harness is the API over HTTP.
type harness struct {
	*holder
	t   *testing.T
	url string
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{holder: new(holder), t: t}
	server := httptest.NewServer(NewHandler(h.holder))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// post sends a body and returns the answer.
func (h *harness) post(body string) (code int, answer string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url, strings.NewReader(body))
	require.NoError(h.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(h.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	return res.StatusCode, string(text)
}

// TestRoundTrip holds rollup-boost's own requests and answers, byte for byte.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, mode := range []string{"dry_run", "disabled", "enabled"} {
		_, answer := h.post(`{"jsonrpc":"2.0","id":7,"method":"debug_setExecutionMode","params":[{"execution_mode":"` + mode + `"}]}`)
		require.JSONEq(t, `{"jsonrpc":"2.0","id":7,"result":{"execution_mode":"`+mode+`"}}`, answer)
		require.Equal(t, mode, h.Mode().String())
		for _, param := range []string{`,"params":[]`, ``, `,"params":null`, `,"params":{}`} {
			_, answer = h.post(`{"jsonrpc":"2.0","id":"x","method":"debug_getExecutionMode"` + param + `}`)
			require.JSONEq(t, `{"jsonrpc":"2.0","id":"x","result":{"execution_mode":"`+mode+`"}}`, answer)
		}
	}
}

// TestFormsOfTheParameter: also those of rollup-boost's documentation and of its command line.
func TestFormsOfTheParameter(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, param := range []string{
		`["dry_run"]`, `["dry-run"]`, `{"execution_mode":"dry_run"}`, `[{"execution_mode":"dry-run","later":1}]`,
	} {
		h.SetMode(0)
		_, answer := h.post(`{"jsonrpc":"2.0","id":1,"method":"debug_setExecutionMode","params":` + param + `}`)
		require.Contains(t, answer, `"result":{"execution_mode":"dry_run"}`, param)
		require.Equal(t, params.ModeDryRun, h.Mode())
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.SetMode(params.ModeDisabled)
	for body, want := range map[string]string{
		`{"jsonrpc":"2.0","id":1,"method":"debug_setExecutionMode"}`:                                    `"code":-32602,"message":"the parameter is not an object like`,
		`{"jsonrpc":"2.0","id":1,"method":"debug_setExecutionMode","params":[]}`:                        `0 parameters are given`,
		`{"jsonrpc":"2.0","id":1,"method":"debug_setExecutionMode","params":["enabled","enabled"]}`:     `2 parameters are given`,
		`{"jsonrpc":"2.0","id":1,"method":"debug_setExecutionMode","params":[7]}`:                       `-32602`,
		`{"jsonrpc":"2.0","id":1,"method":"debug_setExecutionMode","params":[null]}`:                    `-32602`,
		`{"jsonrpc":"2.0","id":1,"method":"debug_setExecutionMode","params":[{}]}`:                      `-32602`,
		`{"jsonrpc":"2.0","id":1,"method":"debug_setExecutionMode","params":[{"execution_mode":"of"}]}`: `execution mode \"of\" is none of enabled, dry-run, disabled`,
		`{"jsonrpc":"2.0","id":1,"method":"engine_newPayloadV4","params":[]}`:                           `"code":-32601,"message":"the debug API has no such method`,
		`{"jsonrpc":"2.0","id":1}`: `"id":1,"error":{"code":-32600`,
		`{`:                        `"id":null,"error":{"code":-32700`,
		`[]`:                       `-32600`,
		`[1,{"jsonrpc":"2.0","id":2,"method":"debug_getExecutionMode"},{"jsonrpc":"2.0","method":"debug_getExecutionMode"}]`: `},{"jsonrpc":"2.0","id":2,"result":{"execution_mode":"disabled"}}]`,
	} {
		code, answer := h.post(body)
		require.Equal(t, http.StatusOK, code)
		require.Contains(t, answer, want, body)
		require.Equal(t, params.ModeDisabled, h.Mode(), body)
	}
	code, _ := h.post(strings.Repeat(" ", maxBody+1))
	require.Equal(t, http.StatusRequestEntityTooLarge, code)
	_, answer := h.post(`{"jsonrpc":"2.0","method":"debug_setExecutionMode","params":["enabled"]}`)
	require.Empty(t, answer, "a notification has no answer")
	require.Equal(t, params.ModeEnabled, h.Mode(), "but an effect")

	w := httptest.NewRecorder()
	NewHandler(h.holder).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

// A page of another site must not change the mode through the operator's browser.
func TestBrowsersAreRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	before := h.Mode()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url,
		strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"debug_setExecutionMode","params":["disabled"]}`))
	require.NoError(t, err)
	req.Header.Set("Origin", "http://elsewhere.example")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusForbidden, res.StatusCode)
	require.Equal(t, before, h.Mode())
}

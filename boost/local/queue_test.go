// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package local

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// script is a queue that answers nothing before it is told to.
type script struct{ jobs []backend.Job }

func (s *script) Submit(job backend.Job) { s.jobs = append(s.jobs, job) }

func update(t *testing.T, head common.Hash, safe string) (*jsonrpc.Request, []json.RawMessage) {
	t.Helper()
	req := eltest.Request("engine_forkchoiceUpdatedV3", map[string]any{"headBlockHash": head, "safeBlockHash": safe}, nil)
	return req, eltest.Args(req)
}

// A build of the sidecar's own is on op-node's head, with the state that came last, or is not made.
func TestBuildsFollowTheHead(t *testing.T) {
	t.Parallel()
	var (
		calls script
		heads []common.Hash
		q     = NewQueue(&calls, func(head common.Hash) { heads = append(heads, head) })
		one   = common.Hash{1}
		two   = common.Hash{2}
	)
	_, err := q.SubmitBuild(one, "engine_forkchoiceUpdatedV3", nil)
	require.ErrorIs(t, err, ErrMovedOn, "there is no head yet")
	for _, safe := range []string{"0xa", "0xb"} {
		req, args := update(t, one, safe)
		q.Submit(backend.KindForkchoice, req, args)
	}
	q.Submit(backend.KindNewPayload, eltest.Request("engine_newPayloadV4"), nil)
	args := []json.RawMessage{json.RawMessage(`"old"`), json.RawMessage(`"attributes"`)}
	_, err = q.SubmitBuild(one, "engine_forkchoiceUpdatedV3", args)
	require.NoError(t, err)
	built := calls.jobs[len(calls.jobs)-1]
	require.Equal(t, backend.KindBuild, built.Kind)
	require.Equal(t, "engine_forkchoiceUpdatedV3", built.Req.Method)
	require.Contains(t, string(built.Req.Params), `"0xb"`)
	require.Contains(t, string(built.Req.Params), `"attributes"`)

	req, moved := update(t, two, "0xc")
	q.Submit(backend.KindForkchoice, req, moved)
	_, err = q.SubmitBuild(one, "engine_forkchoiceUpdatedV3", args)
	require.ErrorIs(t, err, ErrMovedOn)
	req = eltest.Request("engine_forkchoiceUpdatedV3", "not a state")
	q.Submit(backend.KindForkchoice, req, eltest.Args(req))
	_, err = q.SubmitBuild(two, "engine_forkchoiceUpdatedV3", args)
	require.NoError(t, err, "what cannot be read changes nothing")
	require.Equal(t, []common.Hash{one, one, two}, heads)
}

// An outcome comes once, to whoever still waits.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	var calls script
	q := NewQueue(&calls, nil)
	req, args := update(t, common.Hash{1}, "0xa")
	first, second := q.Submit(backend.KindForkchoice, req, args), q.Submit(backend.KindForkchoice, req, args)
	left, leave := context.WithCancel(t.Context())
	leave()
	require.ErrorIs(t, Wait(left, first).Err, context.Canceled)
	resp := new(jsonrpc.Response)
	calls.jobs[0].Done(resp, nil)
	calls.jobs[1].Done(nil, eltest.ErrInjected)
	require.Same(t, resp, Wait(t.Context(), first).Resp)
	require.ErrorIs(t, Wait(t.Context(), second).Err, eltest.ErrInjected)
}

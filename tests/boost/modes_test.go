// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"encoding/json"
	"net/http"

	"github.com/stretchr/testify/require"
)

// The methods by which op-node drives a chain of Jovian.
const (
	forkchoiceUpdated = "engine_forkchoiceUpdatedV3"
	newPayload        = "engine_newPayloadV4"
	getPayload        = "engine_getPayloadV4"
)

// playModes switches the execution mode at run time, there and back.
func (n *network) playModes() {
	n.t.Helper()
	n.awaitKept(1)
	from := n.head() + 1
	s := &scene{network: n}

	// The builder is driven as ever, but nothing of it gets out. Only the block in progress keeps what was
	// published of it.
	number := s.middle()
	n.setMode("dry_run")
	s.requireKept(number)
	n.awaitBlocks(2)
	s.local = n.created("l2")
	first, asked := n.head()+1, n.builder.count(forkchoiceUpdated, newPayload, getPayload)
	s.fallsBack(3)
	require.Zero(n.t, n.recorder.published(first, n.head()), "rounds published in dry-run mode")
	require.Greater(n.t, n.builder.count(forkchoiceUpdated, newPayload, getPayload), asked, "calls to the builder in dry-run mode")

	n.setMode("enabled")
	n.awaitKept(1)

	// The builder hears nothing at all, and the block in progress is finished without it.
	number = s.middle()
	n.setMode("disabled")
	s.requireKept(number)
	n.awaitBlocks(2)
	first, asked = n.head()+1, n.builder.count(forkchoiceUpdated, newPayload, getPayload)
	s.local = n.created("l2")
	s.fallsBack(3)
	require.Equal(n.t, asked, n.builder.count(forkchoiceUpdated, newPayload, getPayload), "calls to the builder in disabled mode")
	require.Zero(n.t, n.recorder.published(first, n.head()), "rounds published in disabled mode")
	n.await("a builder that is not used is no reason for alarm", func() bool { return n.health() == http.StatusOK })

	n.setMode("enabled")
	n.awaitKept(1)
	require.Zero(n.t, n.judge(from, n.head()).discarded, "rounds taken back")
}

func (n *network) setMode(mode string) {
	n.t.Helper()
	require.NoError(n.t, n.SetExecutionMode(n.t.Context(), mode))
}

// playUnhealthy lets the builder look as if it lagged behind: with --ignore-unhealthy-builders it is asked for
// nothing then, only told of the chain so that it can recover, and used again when it has.
func (n *network) playUnhealthy() {
	n.t.Helper()
	n.restart(false, "--ignore-unhealthy-builders", "--health-check-interval", "1", "--max-unsafe-interval", "30")
	n.awaitKept(1)
	from := n.head() + 1

	n.builder.set(on(old, "eth_getBlockByNumber"))
	n.await("the builder is seen to lag", func() bool { return n.health() == http.StatusPartialContent })
	n.awaitBlocks(2)
	asked, told := n.builder.count(build, getPayload), n.builder.count(newPayload)
	s := &scene{network: n, local: n.created("l2")}
	s.fallsBack(3)
	require.Equal(n.t, asked, n.builder.count(build, getPayload), "blocks that an unhealthy builder was asked for")
	require.Greater(n.t, n.builder.count(newPayload), told, "blocks that an unhealthy builder was told of")

	n.lift()
	n.await("the builder is seen to have recovered", func() bool { return n.health() == http.StatusOK })
	n.awaitKept(1)
	n.judge(from, n.head())
}

// old answers with a block of long ago.
func old(c *call) reply {
	answer := c.pass()
	var response, block object
	if json.Unmarshal(answer.body, &response) == nil && json.Unmarshal(response["result"], &block) == nil && block != nil {
		block["timestamp"] = quantity(1)
		response["result"] = encode(block)
		answer.body = encode(response)
	}
	return answer
}

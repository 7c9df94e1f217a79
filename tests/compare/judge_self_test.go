// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The judge notices what is wrong: each of these answers is what a node would say that takes it from the
// wrong moment.
func TestJudgeNotices(t *testing.T) {
	n := newNetwork(t, 2, 0)
	n.deploy()
	args, fb := n.begin()
	n.record(fb)
	before := n.judge.recordings[1][0]
	n.send(6)
	fb = n.await()
	n.record(fb)
	require.Greater(t, len(n.txs), before.txs)

	var forged, moved int
	for _, r := range n.judge.recordings[1] {
		if r.txs == before.txs {
			continue
		}
		for i, q := range r.questions {
			for k, old := range before.questions {
				if old.key(t) == q.key(t) && before.answers[k] != r.answers[i] && r.node == "follower" {
					r.answers[i] = before.answers[k]
					forged++
				}
			}
		}
		if r.node == "builder" {
			r.txs, moved = before.txs, r.txs // a node that says more than its position
		}
	}
	require.Greater(t, forged, 10)
	require.NotZero(t, moved)
	n.seal(fb.PayloadID, args)

	byNode := make(map[string]int)
	for _, text := range n.judge.difference {
		name, _, _ := strings.Cut(text, ",")
		byNode[name]++
	}
	require.Equal(t, forged, byNode["follower"], "answers of an earlier flashblock that pass")
	require.Greater(t, byNode["builder"], 10)
	require.Zero(t, byNode["cut follower"])
}

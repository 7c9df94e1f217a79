// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"

	"github.com/stretchr/testify/assert"

	"github.com/ethereum/go-ethereum/common"
)

// moment is where in the life of a payload something happens.
type moment uint8

const (
	atDeposit moment = iota // before the deposits are executed
	atTx                    // before a pool transaction is executed
	atPublish               // a flashblock is assembled, not yet published
	atMessage               // inside Publish, while the gate is held
	atSeal                  // getPayload is about to hash
	atWait                  // the builder waits for a deadline
	moments
)

// action is what happens.
type action uint8

const (
	doGet     action = iota // getPayload of the latest payload
	doGets                  // several at once
	doGetOld                // getPayload of a superseded payload
	doRepeat                // the same attributes again
	doAgain                 // the payload is abandoned, then its attributes come again
	doReturn                // other attributes on the same parent, then the ones before again
	doReplace               // other attributes on the same parent
	doReorg                 // attributes on another parent
	doCancel                // a forkchoice update to another head, without attributes
	doHead                  // a forkchoice update to the parent that is built on
	doSlow                  // the clock advances, as if the work at hand took that long
	doPanic                 // the builder panics
	doStop                  // the node shuts down
)

// manner is how an action relates to the goroutine it interferes with.
type manner uint8

const (
	inline manner = iota // it is over before that goroutine goes on
	gated                // it has closed the gate, and goes on in parallel
	free                 // it runs in parallel
)

// scenario is one kind of interference. Not every combination can exist: what waits for the job cannot
// be done by the job.
type scenario struct {
	at  moment
	do  action
	how manner
}

func (s scenario) String() string {
	at := [...]string{"deposit", "tx", "publish", "message", "seal", "wait"}
	do := [...]string{"get", "gets", "get-old", "repeat", "again", "return", "replace", "reorg", "cancel", "head", "slow", "panic", "stop"}
	how := [...]string{"inline", "gated", "free"}
	return fmt.Sprintf("%s/%s/%s", at[s.at], do[s.do], how[s.how])
}

var scenarios = []scenario{
	{atDeposit, doGet, gated},
	{atDeposit, doGet, free},
	{atDeposit, doGets, gated},
	{atDeposit, doRepeat, inline},
	{atDeposit, doAgain, inline},
	{atDeposit, doReturn, inline},
	{atDeposit, doReplace, inline},
	{atDeposit, doReplace, free},
	{atDeposit, doReorg, inline},
	{atDeposit, doCancel, inline},
	{atDeposit, doHead, inline},
	{atDeposit, doPanic, inline},
	{atDeposit, doStop, gated},
	{atDeposit, doStop, free},
	{atTx, doGet, inline},
	{atTx, doGet, gated},
	{atTx, doGet, free},
	{atTx, doGets, gated},
	{atTx, doGets, free},
	{atTx, doGetOld, inline},
	{atTx, doRepeat, inline},
	{atTx, doAgain, inline},
	{atTx, doReturn, inline},
	{atTx, doReplace, inline},
	{atTx, doAgain, free},
	{atTx, doReturn, free},
	{atTx, doReplace, free},
	{atTx, doReorg, inline},
	{atTx, doReorg, gated},
	{atTx, doCancel, inline},
	{atTx, doHead, free},
	{atTx, doSlow, inline},
	{atTx, doPanic, inline},
	{atTx, doStop, gated},
	{atTx, doStop, free},
	{atPublish, doGet, inline},
	{atPublish, doGet, gated},
	{atPublish, doGet, free},
	{atPublish, doGets, gated},
	{atPublish, doAgain, inline},
	{atPublish, doReturn, inline},
	{atPublish, doReplace, inline},
	{atPublish, doReplace, free},
	{atPublish, doReorg, inline},
	{atPublish, doCancel, inline},
	{atPublish, doSlow, inline},
	{atPublish, doPanic, inline},
	{atPublish, doStop, gated},
	{atMessage, doGet, free},
	{atMessage, doGets, free},
	{atMessage, doGetOld, free},
	{atMessage, doRepeat, free},
	{atMessage, doAgain, free},
	{atMessage, doReturn, free},
	{atMessage, doReplace, free},
	{atMessage, doReorg, free},
	{atMessage, doCancel, free},
	{atMessage, doStop, free},
	{atSeal, doGets, free},
	{atSeal, doGetOld, free},
	{atSeal, doRepeat, inline},
	{atSeal, doAgain, inline},
	{atSeal, doReturn, inline},
	{atSeal, doReplace, inline},
	{atSeal, doReorg, inline},
	{atSeal, doCancel, inline},
	{atSeal, doHead, free},
	{atSeal, doPanic, inline},
	{atSeal, doStop, free},
	{atWait, doGet, inline},
	{atWait, doGet, free},
	{atWait, doGets, free},
	{atWait, doGetOld, inline},
	{atWait, doGetOld, free},
	{atWait, doRepeat, inline},
	{atWait, doRepeat, free},
	{atWait, doAgain, inline},
	{atWait, doAgain, free},
	{atWait, doReturn, inline},
	{atWait, doReturn, free},
	{atWait, doReplace, inline},
	{atWait, doReplace, free},
	{atWait, doReorg, inline},
	{atWait, doReorg, free},
	{atWait, doCancel, inline},
	{atWait, doCancel, free},
	{atWait, doHead, inline},
	{atWait, doStop, inline},
	{atWait, doStop, free},
}

// trigger is a scenario at the n-th occurrence of its moment in a round.
type trigger struct {
	scenario
	n     int
	fired bool
}

// draw plans the interferences of a round.
func (d *driver) draw() {
	last := [moments]int{atDeposit: 1, atTx: 10, atPublish: 6, atMessage: 6, atSeal: 1, atWait: 12}
	var plan []trigger
	for range []int{0, 1, 1, 1, 2, 2, 3}[d.rng.IntN(7)] {
		s := scenarios[d.rng.IntN(len(scenarios))]
		if s.do == doPanic && len(plan) > 0 {
			continue // who comes first, the panic or the other, decides what must be announced
		}
		plan = append(plan, trigger{scenario: s, n: d.rng.IntN(last[s.at])})
		if s.do == doPanic {
			break
		}
	}
	d.planMu.Lock()
	defer d.planMu.Unlock()
	d.plan = plan
	d.hits = [moments]int{}
}

// hit is called at every moment that something can be planned for.
func (d *driver) hit(at moment) {
	d.planMu.Lock()
	n := d.hits[at]
	d.hits[at]++
	var due []scenario
	for i := range d.plan {
		if tr := &d.plan[i]; !tr.fired && tr.at == at && tr.n == n {
			tr.fired = true
			d.cover[tr.scenario]++
			due = append(due, tr.scenario)
		}
	}
	d.planMu.Unlock()
	for _, s := range due {
		d.interfere(s)
	}
}

func (d *driver) interfere(s scenario) {
	switch s.how {
	case inline:
		d.act(s.do)
	case gated:
		target := d.latest()
		d.wg.Go(func() { d.act(s.do) })
		<-target.job.cancelCh
	case free:
		d.wg.Go(func() { d.act(s.do) })
	}
}

func (d *driver) act(do action) {
	d.mu.Lock()
	var (
		last   = d.round[len(d.round)-1]
		old    = d.round[0]
		parent = d.parent
		pause  = d.interval / 3
	)
	d.mu.Unlock()
	switch do {
	case doGet:
		d.get(last)
	case doGets:
		for range 3 {
			d.wg.Go(func() { d.get(last) })
		}
		d.get(last)
	case doGetOld:
		d.get(old)
	case doRepeat:
		d.build(last.args)
	case doAgain:
		d.builder.NewHead(common.Hash{0xff})
		d.build(last.args)
	case doReturn:
		d.build(d.attributesOn(parent))
		d.build(last.args)
	case doReplace:
		d.build(d.attributesOn(parent))
	case doReorg:
		if other := d.chain.GetHeaderByHash(parent.ParentHash); other != nil {
			parent = other // none beside the genesis
		}
		d.build(d.attributesOn(parent))
	case doCancel:
		d.builder.NewHead(common.Hash{0xff})
	case doHead:
		d.builder.NewHead(last.args.Parent)
	case doSlow:
		if d.virtual != nil {
			d.virtual.Run(pause)
		}
	case doPanic:
		panic("injected by the test")
	case doStop:
		d.mu.Lock()
		d.ended = true
		d.mu.Unlock()
		assert.NoError(d.t, d.builder.Stop())
	}
}

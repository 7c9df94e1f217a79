// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// content is one message, decoded when somebody needs more than its bytes. It is the Aux of every
// published message, so all filters share what is derived here.
type content struct {
	text    []byte
	lim     flashblocks.Limits
	decodes *metrics.Counter // nil for none

	once   sync.Once
	touchd *touched
}

func newContent(text []byte, lim flashblocks.Limits) *content {
	return &content{text: text, lim: lim}
}

// decode returns the message decoded, nil if that is not possible. The result is not kept.
func (c *content) decode() *flashblocks.Flashblock {
	if c.decodes != nil {
		c.decodes.Inc()
	}
	fb, _, err := flashblocks.Decode(c.text, c.lim)
	if err != nil {
		return nil
	}
	return fb
}

// base returns the base of the message, nil if it has none.
func (c *content) base() *flashblocks.Base {
	fb := c.decode()
	if fb == nil {
		return nil
	}
	return fb.Base
}

// touched returns what filters look at, derived once whatever the number of clients.
func (c *content) touched() *touched {
	c.once.Do(func() { c.touchd = newTouched(c.decode()) })
	return c.touchd
}

// traits are what is known about the stream as a whole: enough to refuse a filter before the upgrade.
type traits struct {
	latest atomic.Pointer[content] // the newest message with a base
}

// observe remembers a message to look at when somebody asks.
func (t *traits) observe(c *content) { t.latest.Store(c) }

// lacksReceipts reports that the stream is known to carry no receipts.
func (t *traits) lacksReceipts() bool {
	c := t.latest.Load()
	return c != nil && c.touched().blind
}

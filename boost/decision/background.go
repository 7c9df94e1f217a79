// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"sync"
)

// background is work that outlives the calls that start it.
type background struct {
	life context.Context //nolint:containedctx // ends the work
	end  context.CancelFunc
	wg   sync.WaitGroup
}

func newBackground() *background {
	b := new(background)
	b.life, b.end = context.WithCancel(context.Background())
	return b
}

func (b *background) run(work func()) { b.wg.Go(work) }

// outlive returns a context that ends with the background and not with a caller.
func (b *background) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(b.life, cancel)
	return ctx, func() {
		unhook()
		cancel()
	}
}

// stop ends the work and waits for it.
func (b *background) stop() {
	b.end()
	b.wg.Wait()
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// Random admissions, releases, failures, lost answers and lost data, in random order: when it is
// quiet again, the store has exactly the connections that are open.
func TestCountsSurviveAnything(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) { anything(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func anything(t *testing.T, random *rand.Rand) {
	t.Helper()
	cfg := Config{GlobalLimit: 12, PerIPLimit: 5, PublicAccess: true}
	c := newCluster(cfg)
	ids := []string{"a", "b"}
	var keepers []*harness
	var stores []*member
	for _, id := range ids {
		h, store := join(t, c, id, cfg, "app:k:7")
		keepers, stores = append(keepers, h.start()), append(stores, store)
	}
	open := [][]*Ticket{nil, nil}
	answers := make(chan func(), 4096)
	for range 300 {
		i := random.IntN(len(keepers))
		switch random.IntN(12) {
		case 0:
			c.fail(errDown)
		case 1, 2:
			c.fail(nil)
		case 3:
			c.forget()
		case 4:
			stores[i].setAfter(func() error { return errDown })
		case 5:
			delay := time.Duration(random.IntN(400)) * time.Millisecond
			stores[i].setBefore(func(context.Context) error { time.Sleep(delay); return nil }) //nolint:forbidigo // virtual time
		case 6:
			stores[i].setBefore(nil)
			stores[i].setAfter(nil)
		case 7, 8:
			if n := len(open[i]); n > 0 {
				open[i][n-1].Release()
				open[i] = open[i][:n-1]
			}
		default:
			ip, key := fmt.Sprintf("192.0.2.%d", random.IntN(4)), []string{"", "k"}[random.IntN(2)]
			go func() {
				ticket, _ := keepers[i].Admit(from(ip), key)
				answers <- func() {
					if ticket != nil {
						open[i] = append(open[i], ticket)
					}
				}
			}()
		}
		wait(time.Duration(random.IntN(300)) * time.Millisecond)
		for len(answers) > 0 {
			(<-answers)()
		}
	}
	c.fail(nil)
	for i := range stores {
		stores[i].setBefore(nil)
		stores[i].setAfter(nil)
	}
	wait(time.Minute)
	for len(answers) > 0 {
		(<-answers)()
	}
	for i, id := range ids {
		settled(t, c, keepers[i], id, len(open[i]))
		for _, ticket := range open[i] {
			ticket.Release()
		}
		settled(t, c, keepers[i], id, 0)
		requireEmpty(t, keepers[i])
	}
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import "sort"

// room is what the rest of a slot has to give while one of its deadlines is filled: the ceiling of every
// deadline from there on, less what is kept for those that wait for it. The candidates ask in the order of
// their fees, so what is kept is kept for someone better: whoever asks gets the earliest deadline at which
// it takes nothing away from any of them (docs/decisions/0009).
type room struct {
	first int      // the deadline that is filled
	own   []budget // by deadline: its ceiling less everything kept for it and for those before it
	least []budget // by deadline: the least of own from there on
	slack uint64   // gas that is kept for the last deadline only
}

// newRoom returns the room from the deadline first of n on, with nothing kept.
func newRoom(l *limits, first, n int) *room {
	r := &room{first: first, own: make([]budget, n)}
	for i := first; i < n; i++ {
		r.own[i] = l.ceiling(i+1, n)
	}
	r.least = append(r.least, r.own...) // ceilings never fall
	return r
}

// now is what may be used in total by the end of the deadline that is filled.
func (r *room) now() budget { return r.least[r.first] }

// find returns the earliest deadline, not before the given one, at which need can be added to what is used.
// It returns false if there is none.
func (r *room) find(used, need budget, from int) (deadline int, ok bool) {
	if r.least[from].fits(used, need) {
		return from, true // by far the most frequent
	}
	rest := r.least[from+1:]
	i := sort.Search(len(rest), func(i int) bool { return rest[i].fits(used, need) })
	return from + 1 + i, i < len(rest)
}

// keep takes away, from a deadline on, what someone that waits for it is expected to use. It may ask for more
// gas than that when its turn comes, by slack; the last deadline can hold whoever asks for the most.
func (r *room) keep(deadline int, expected budget, slack uint64) {
	last := len(r.own) - 1
	for i := deadline; i <= last; i++ {
		r.own[i] = r.own[i].less(expected)
	}
	if slack > r.slack {
		r.own[last] = r.own[last].less(budget{gas: slack - r.slack})
		r.slack = slack
	}
	r.least[last] = r.own[last]
	for i := last - 1; i >= r.first; i-- {
		r.least[i] = lesser(r.own[i], r.least[i+1])
	}
}

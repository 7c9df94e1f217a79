// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math"
	"math/bits"

	gethparams "github.com/ethereum/go-ethereum/params"
)

// budget is an amount of each resource that a block is limited in.
type budget struct {
	gas       uint64 // gas, deposits included
	da        uint64 // estimated compressed bytes of pool transactions (Fjord)
	footprint uint64 // DA footprint in gas units (Jovian)
	size      uint64 // uncompressed bytes, header included
}

// limits are the block-wide limits of one payload.
type limits struct{ budget }

// unlimited stands for a resource that the block is not limited in.
const unlimited = math.MaxUint64

// blockSizeReserve is kept free below the protocol's block size, as op-geth's miner does, for what is
// added around the transactions.
const blockSizeReserve = 1_000_000

// defaultBlockSize is op-geth's own bound on a block it builds.
const defaultBlockSize = gethparams.MaxBlockSize - blockSizeReserve

// ceiling returns what may be used in total by the end of index i of n (1-based). The last index gets
// exactly the total: nothing is lost to rounding. The uncompressed size is bounded for the whole block only.
func (l *limits) ceiling(i, n int) budget {
	return budget{
		gas:       share(l.gas, i, n),
		da:        share(l.da, i, n),
		footprint: share(l.footprint, i, n),
		size:      l.size,
	}
}

// share returns total·i/n without overflow.
func share(total uint64, i, n int) uint64 {
	if i >= n || total == unlimited {
		return total
	}
	hi, lo := bits.Mul64(total, uint64(i))
	quo, _ := bits.Div64(hi, lo, uint64(n))
	return quo
}

// fits reports whether need on top of used stays within b.
func (b *budget) fits(used, need budget) bool {
	return below(used.gas, need.gas, b.gas) && below(used.da, need.da, b.da) &&
		below(used.footprint, need.footprint, b.footprint) && below(used.size, need.size, b.size)
}

// less returns b without what is taken away, and nothing of a resource that more is taken of than there is.
func (b *budget) less(taken budget) budget {
	return budget{
		gas:       b.gas - min(b.gas, taken.gas),
		da:        b.da - min(b.da, taken.da),
		footprint: b.footprint - min(b.footprint, taken.footprint),
		size:      b.size - min(b.size, taken.size),
	}
}

// lesser returns the lesser of both for each resource.
func lesser(a, b budget) budget {
	return budget{
		gas:       min(a.gas, b.gas),
		da:        min(a.da, b.da),
		footprint: min(a.footprint, b.footprint),
		size:      min(a.size, b.size),
	}
}

// below reports whether used+need does not exceed limit.
func below(used, need, limit uint64) bool {
	sum, carry := bits.Add64(used, need, 0)
	return carry == 0 && sum <= limit
}

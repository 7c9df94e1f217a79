// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/superchain"
)

// headerList is a chain of headers, the newest last.
type headerList struct {
	config  gethparams.ChainConfig
	headers []*types.Header
	known   common.Hash // a header that it has besides
}

func (l *headerList) Config() *gethparams.ChainConfig           { return &l.config }
func (l *headerList) CurrentBlock() *types.Header               { return l.headers[len(l.headers)-1] }
func (l *headerList) HasHeader(hash common.Hash, _ uint64) bool { return hash == l.known }

func (l *headerList) GetHeaderByHash(hash common.Hash) *types.Header {
	for _, h := range l.headers {
		if h.Hash() == hash {
			return h
		}
	}
	return nil
}

// newHeaderList makes a chain with blocks at the given times, from the given number on.
func newHeaderList(first int64, times ...uint64) *headerList {
	l := &headerList{config: *gethparams.OptimismTestConfig}
	parent := common.Hash{}
	for i, at := range times {
		h := &types.Header{Number: big.NewInt(first + int64(i)), Time: at, ParentHash: parent, Difficulty: new(big.Int)}
		l.headers, parent = append(l.headers, h), h.Hash()
	}
	return l
}

func TestBlockTime(t *testing.T) {
	t.Parallel()
	unichain, err := superchain.GetChain(130)
	require.NoError(t, err)
	registered, err := unichain.Config()
	require.NoError(t, err)
	on := func(id uint64, l *headerList) *headerList {
		l.config.ChainID = new(big.Int).SetUint64(id)
		return l
	}
	genesisOfUnichain := on(130, newHeaderList(0, 1000))
	genesisOfUnichain.known = registered.Genesis.L2.Hash
	migrated := newHeaderList(98, 1000, 1001, 1003)
	migrated.config.BedrockBlock = big.NewInt(100)
	huge := newHeaderList(0, 1000)
	huge.config.ChainID = new(big.Int).Lsh(big.NewInt(1), 80)

	for name, tt := range map[string]struct {
		chain *headerList
		want  time.Duration
	}{
		"head and its parent":                {newHeaderList(0, 1000, 1002, 1003), time.Second},
		"first block":                        {newHeaderList(0, 1000, 1002), 2 * time.Second},
		"genesis of a chain of its own":      {on(424242, newHeaderList(0, 1000)), 0},
		"genesis of a known chain":           {genesisOfUnichain, time.Second},
		"genesis with the id of a known one": {on(130, newHeaderList(0, 1000)), 0},
		"parent that is not there":           {on(424242, &headerList{headers: newHeaderList(7, 1000, 1002).headers[1:]}), 0},
		"blocks before Bedrock":              {migrated, 0},
		"no common chain id":                 {huge, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, LearnBlockTime(tt.chain))
		})
	}
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package testchain

import gethparams "github.com/ethereum/go-ethereum/params"

// Fork names the newest fork that is active at genesis.
type Fork int

// The forks of the OP Stack from Bedrock on.
const (
	Bedrock Fork = iota
	Regolith
	Canyon
	Ecotone
	Fjord
	Granite
	Holocene
	Isthmus
	Jovian
)

// String is the fork's name in lower case.
func (f Fork) String() string {
	return [...]string{"bedrock", "regolith", "canyon", "ecotone", "fjord", "granite", "holocene", "isthmus", "jovian"}[f]
}

// ChainConfig is op-geth's OP Stack test configuration up to f.
func (f Fork) ChainConfig() *gethparams.ChainConfig {
	cfg := *gethparams.OptimismTestConfig
	for later := f + 1; later <= Jovian; later++ {
		later.SetTime(&cfg, nil)
	}
	return &cfg
}

// SetTime makes a fork after Bedrock active from a block time on, and the Ethereum fork that comes with it; nil
// for never.
func (f Fork) SetTime(cfg *gethparams.ChainConfig, at *uint64) {
	times := [...]**uint64{
		Regolith: &cfg.RegolithTime, Canyon: &cfg.CanyonTime, Ecotone: &cfg.EcotoneTime, Fjord: &cfg.FjordTime,
		Granite: &cfg.GraniteTime, Holocene: &cfg.HoloceneTime, Isthmus: &cfg.IsthmusTime, Jovian: &cfg.JovianTime,
	}
	*times[f] = at
	switch f {
	case Canyon:
		cfg.ShanghaiTime = at
	case Ecotone:
		cfg.CancunTime = at
	case Isthmus:
		cfg.PragueTime = at
	}
}

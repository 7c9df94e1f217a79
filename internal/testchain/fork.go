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
	times := []**uint64{&cfg.RegolithTime, &cfg.CanyonTime, &cfg.EcotoneTime, &cfg.FjordTime, &cfg.GraniteTime, &cfg.HoloceneTime, &cfg.IsthmusTime, &cfg.JovianTime}
	for i, t := range times {
		if int(f) < i+1 {
			*t = nil
		}
	}
	if f < Canyon {
		cfg.ShanghaiTime = nil
	}
	if f < Ecotone {
		cfg.CancunTime = nil
	}
	if f < Isthmus {
		cfg.PragueTime = nil
	}
	return &cfg
}

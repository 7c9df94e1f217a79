// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package fork holds what a fork asks of execution beyond op-geth's own rules, in one place for everything here
// that executes.
package fork

import (
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// VMConfig is the configuration of an EVM for the block that header begins, by the rules in force there. The
// builder, the overlay and the RPC methods that execute on pending state take theirs from here, so that what
// a fork asks of the EVM beyond op-geth's own rules holds for all of them. Callers add what is their own, as
// a tracer. No fork up to Jovian asks for anything: it is op-geth's configuration of an import.
func VMConfig(_ *gethparams.ChainConfig, _ *types.Header) vm.Config { return vm.Config{} }

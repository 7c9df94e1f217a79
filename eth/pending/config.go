// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"github.com/ethereum/go-ethereum/eth/ethconfig"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// Source is the pending state as somebody else keeps it, an overlay.Processor.
type Source interface {
	// Snapshot returns the newest snapshot, nil if pending is latest.
	Snapshot() *overlay.Snapshot

	// Subscribe delivers every change from now on.
	Subscribe() *overlay.Subscription
}

var _ Source = (*overlay.Processor)(nil)

// Config configures Register.
type Config struct {
	Source Source

	// Eth is the configuration the node's eth service was made with: log queries and fee estimates keep
	// the limits of its flags. Nil stands for op-geth's defaults.
	Eth *ethconfig.Config

	// GraphQL serves GraphQL over the pending state, with the CORS and virtual host settings of the
	// node's configuration. The node must not have a GraphQL service already.
	GraphQL bool
}

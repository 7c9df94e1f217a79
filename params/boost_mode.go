// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import "fmt"

// ExecutionMode says what the sidecar does with its builder. It can be changed while the sidecar runs.
type ExecutionMode uint8

const (
	// ModeEnabled lets the builder build, publishes its flashblocks and returns its blocks.
	ModeEnabled ExecutionMode = iota
	// ModeDryRun lets the builder build and has its blocks validated, but publishes nothing and returns
	// the block of the local execution client.
	ModeDryRun
	// ModeDisabled sends nothing at all to the builder.
	ModeDisabled
)

// String returns the name the debug API of rollup-boost uses: enabled, dry_run or disabled.
func (m ExecutionMode) String() string {
	switch m {
	case ModeEnabled:
		return "enabled"
	case ModeDryRun:
		return "dry_run"
	case ModeDisabled:
		return "disabled"
	default:
		return fmt.Sprintf("mode(%d)", uint8(m))
	}
}

// ParseExecutionMode reads the name of a mode, in the spelling of the command line (dry-run) or of the
// debug API (dry_run). The error is one sentence that names what is possible.
func ParseExecutionMode(name string) (ExecutionMode, error) {
	switch name {
	case "enabled":
		return ModeEnabled, nil
	case "dry-run", "dry_run":
		return ModeDryRun, nil
	case "disabled":
		return ModeDisabled, nil
	default:
		return ModeEnabled, fmt.Errorf("execution mode %q is none of enabled, dry-run, disabled", name)
	}
}

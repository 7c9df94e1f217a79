// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package harness

import (
	"os"
	"regexp"
	"strings"
)

const (
	// tailLines is how much of one log a failed test shows: CI keeps the end of the output only, and a devnet
	// has up to seven logs.
	tailLines = 20

	// tailWidth is how much of one line is shown, in bytes: op-node's lines can be a page long.
	tailWidth = 300
)

var (
	// severe matches the level of a warning or worse, as op-geth and the OP Stack's programs write it.
	severe = regexp.MustCompile(`^(WARN|ERROR|CRIT|Fatal|panic)|lvl=(warn|error|crit)|^goroutine \d+ \[`)

	// tedious matches what says nothing about a failure: lines about each transaction of the load, which reaches
	// a builder both from its peer and from the sidecar; and each block's goroutines of op-geth's miner that end.
	tedious = regexp.MustCompile(`Submitted transaction|err="already known"|Stopping work on payload|transaction indexing is in progress`)
)

// Tail returns the last lines of a log, at most count of them: up to half of them are the last warnings and
// errors, which come first, and the rest are the last lines whatever they are.
func Tail(path string, count int) string {
	data, err := os.ReadFile(path) //nolint:gosec // a test's own log
	if err != nil {
		return "  " + err.Error() + "\n"
	}
	var lines, warnings []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && !tedious.MatchString(line) {
			lines = append(lines, line[:min(len(line), tailWidth)])
		}
	}
	last := lines[max(0, len(lines)-count/2):]
	for _, line := range lines[:len(lines)-len(last)] {
		if severe.MatchString(line) {
			warnings = append(warnings, line)
		}
	}
	warnings = warnings[max(0, len(warnings)-(count-len(last))):]
	text := ""
	if len(warnings) > 0 {
		text = "  " + strings.Join(warnings, "\n  ") + "\n  […]\n"
	}
	return text + "  " + strings.Join(last, "\n  ") + "\n"
}

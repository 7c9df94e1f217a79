// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Bounds on what is printed.
const (
	maxOutput  = 400 // lines of one test: its first and its last ones
	maxReasons = 16  // lines of the summary per test
	maxTests   = 20  // tests of the summary with their reasons, the rest by name
	maxWidth   = 240 // bytes of a line of the summary
	slowTest   = 10  // seconds from which on a passed test is worth a line
)

// announcement begins a line that a test has for whoever runs it, also if it passes: how much it did, what it
// could not do.
const announcement = "==> "

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // instead of Package while building
	Test       string
	Elapsed    float64
	Output     string
}

// place is a test, or a package if it has no test.
type place struct {
	pkg, test string
}

// report reads the events of a run.
type report struct {
	out     io.Writer
	outputs map[place][]string // of tests and packages in progress, by lines
	builds  []string           // what the compiler said
	fails   []failure
}

// failure is a failed test, or a failed package.
type failure struct {
	place

	reasons []string
}

func newReport(out io.Writer) *report {
	return &report{out: out, outputs: make(map[place][]string)}
}

// read takes events until the end. What is no event is passed on.
func (r *report) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				fmt.Fprint(r.out, line)
			} else {
				r.take(e)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take handles one event.
func (r *report) take(e event) {
	at := place{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.outputs[at] = append(r.outputs[at], e.Output)
		if isResult(e) || strings.HasPrefix(e.Output, announcement) {
			fmt.Fprint(r.out, e.Output)
		}
	case "build-output":
		r.builds = append(r.builds, e.Output)
		fmt.Fprint(r.out, e.Output)
	case "build-fail":
		r.fails = append(r.fails, failure{place{pkg: e.ImportPath}, reasons(r.builds)})
		r.builds = nil
	case "pass", "skip":
		if e.Test != "" && e.Elapsed >= slowTest {
			fmt.Fprintf(r.out, "    %s: %s (%.0fs)\n", e.Action, e.Test, e.Elapsed)
		}
		delete(r.outputs, at)
	case "fail":
		r.fail(at)
	}
}

// fail notes a failure and prints what the test has said, as far as it was not printed.
func (r *report) fail(at place) {
	lines := joined(r.outputs[at])
	delete(r.outputs, at)
	if at.test == "" && r.hasFailed(at.pkg) {
		return // because of its tests, or of its build
	}
	if at.test == "" {
		// A package that ended without a failed test, by os.Exit or a crash, may have told why in the output
		// of a test that was still running.
		for running, output := range r.outputs {
			if running.pkg == at.pkg {
				lines = append(lines, joined(output)...)
				delete(r.outputs, running)
			}
		}
	}
	r.fails = append(r.fails, failure{at, reasons(lines)})
	fmt.Fprintf(r.out, "\n--- output of %s\n", at)
	for i, line := range lines {
		if i < maxOutput/2 || i >= len(lines)-maxOutput/2 {
			fmt.Fprint(r.out, line)
		} else if i == maxOutput/2 {
			fmt.Fprintf(r.out, "[… %d lines]\n", len(lines)-maxOutput)
		}
	}
}

// hasFailed tells whether a failure in the package is known.
func (r *report) hasFailed(pkg string) bool {
	for _, f := range r.fails {
		if f.pkg == pkg || strings.HasPrefix(f.pkg, pkg+" [") {
			return true
		}
	}
	return false
}

// failed tells whether anything failed.
func (r *report) failed() bool { return len(r.fails) > 0 }

// summary prints the failures in short. It is the last thing that is printed.
func (r *report) summary() {
	if !r.failed() {
		return
	}
	fmt.Fprintf(r.out, "\n==> FAILED: %d\n", len(r.fails))
	for i, f := range r.fails {
		fmt.Fprintf(r.out, "FAIL %s\n", f.place)
		for _, line := range f.reasons {
			if i < maxTests {
				fmt.Fprintf(r.out, "    %s\n", line)
			}
		}
	}
}

// String names a test as `go test -run` takes it.
func (p place) String() string {
	if p.test == "" {
		return p.pkg
	}
	return p.pkg + " " + p.test
}

// isResult tells whether an output is the line about a package that go test prints without -v.
func isResult(e event) bool {
	return e.Test == "" && (strings.HasPrefix(e.Output, "ok  \t") || strings.HasPrefix(e.Output, "FAIL\t") || strings.HasPrefix(e.Output, "?   \t"))
}

var (
	// verdict matches the beginning of what tells why: testify's reports, panics, races, t.Error's place.
	verdict = regexp.MustCompile(`Error Trace:|^panic:|^fatal error:|WARNING: DATA RACE|test timed out|found unexpected goroutines`)
	// framing matches what only says that a test runs or has failed.
	framing = regexp.MustCompile(`^\s*(=== (RUN|PAUSE|CONT|NAME)|--- (FAIL|PASS|SKIP)|FAIL\b|exit status)`)
)

// reasons picks the lines that tell why a test failed: what follows the first verdict, or else the end.
func reasons(lines []string) []string {
	var said []string
	first := -1
	for _, line := range lines {
		if framing.MatchString(line) || strings.TrimSpace(line) == "" {
			continue
		}
		if first < 0 && verdict.MatchString(line) {
			first = max(0, len(said)-1) // the line before has the place
		}
		line = strings.TrimRight(line, "\r\n")
		said = append(said, line[:min(len(line), maxWidth)])
	}
	if first < 0 {
		first = max(0, len(said)-maxReasons)
	}
	return said[first:min(len(said), first+maxReasons)]
}

// joined puts pieces of output together to lines: go test may cut a long line.
func joined(pieces []string) []string {
	var lines []string
	for line := range strings.Lines(strings.Join(pieces, "")) {
		lines = append(lines, line)
	}
	return lines
}

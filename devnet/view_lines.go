// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"encoding/json"
	"fmt"
	"io"
)

// View shows a running devnet. Its methods are called one at a time, except for Status and Close,
// which may come at any time.
type View interface {
	Sink
	// Status is called about once a second.
	Status(status Status)
	// Close ends the view before the summary is printed.
	Close()
}

// lineView prints a line per flashblock and per sealed block, for pipes and logs.
type lineView struct {
	out    io.Writer
	header bool
}

// NewLineView returns a view for an output that is no terminal.
func NewLineView(out io.Writer) View {
	return &lineView{out: out}
}

func (v *lineView) Flashblock(fb Flashblock) {
	if !v.header {
		v.header = true
		fmt.Fprintln(v.out, flashblockHeader())
	}
	fmt.Fprintln(v.out, flashblockRow(fb, "open"))
}

func (v *lineView) Settled(Flashblock) {}

func (v *lineView) Block(block Block) {
	fmt.Fprintln(v.out, blockRow(block))
	if block.Verdict == Differing {
		fmt.Fprintf(v.out, "!!! block %d is NOT what was published: %s\n", block.Number, block.Reason)
	}
}

func (v *lineView) Status(Status) {}
func (v *lineView) Close()        {}

// jsonView prints one JSON line per flashblock, once it is known whether it was sealed.
type jsonView struct {
	encoder *json.Encoder
	failed  func(error)
}

// NewJSONView returns a view for programs. failed is told when the output cannot be written.
func NewJSONView(out io.Writer, failed func(error)) View {
	return &jsonView{encoder: json.NewEncoder(out), failed: failed}
}

func (v *jsonView) Flashblock(Flashblock) {}

func (v *jsonView) Settled(fb Flashblock) {
	if err := v.encoder.Encode(fb); err != nil {
		v.failed(err)
	}
}

func (v *jsonView) Block(Block)   {}
func (v *jsonView) Status(Status) {}
func (v *jsonView) Close()        {}

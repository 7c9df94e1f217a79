// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Shape of the live view.
const (
	liveHistory = 6                      // sealed blocks shown
	liveFrame   = 100 * time.Millisecond // least time between two redraws
	liveChrome  = 8                      // most lines besides the blocks and the flashblocks, the cursor's included
)

// Control sequences of ANSI terminals.
const (
	ansiHideCursor = "\x1b[?25l"
	ansiShowCursor = "\x1b[?25h"
	ansiClearLine  = "\x1b[2K"
	ansiClearBelow = "\x1b[J"
	ansiBold       = "\x1b[1m"
	ansiGreen      = "\x1b[32m"
	ansiRed        = "\x1b[31m"
	ansiReset      = "\x1b[0m"
)

// liveView draws the slot in progress in place, under the blocks sealed last.
type liveView struct {
	out   io.Writer
	title string
	size  func() (width, height int)
	now   func() time.Time

	mu     sync.Mutex
	blocks []Block      // sealed last
	slot   []Flashblock // of the payload id seen last
	status Status
	drawn  int // lines on the screen
	last   time.Time
	closed bool
}

// NewLiveView returns a view for a terminal whose size may change.
func NewLiveView(out io.Writer, title string, size func() (width, height int)) View {
	fmt.Fprint(out, ansiHideCursor)
	return &liveView{out: out, title: title, size: size, now: time.Now}
}

func (v *liveView) Flashblock(fb Flashblock) {
	v.mu.Lock()
	defer v.mu.Unlock()

	if len(v.slot) > 0 && v.slot[0].PayloadID != fb.PayloadID {
		v.slot = v.slot[:0]
	}
	v.slot = append(v.slot, fb)
	v.draw(false)
}

func (v *liveView) Settled(Flashblock) {}

func (v *liveView) Block(block Block) {
	v.mu.Lock()
	defer v.mu.Unlock()

	v.blocks = append(v.blocks, block)
	v.blocks = v.blocks[max(0, len(v.blocks)-liveHistory):]
	v.draw(true)
}

func (v *liveView) Status(status Status) {
	v.mu.Lock()
	defer v.mu.Unlock()

	v.status = status
	v.draw(true)
}

// Note puts a line above the picture, where it stays.
func (v *liveView) Note(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()

	if v.drawn > 0 {
		fmt.Fprintf(v.out, "\x1b[%dA\r", v.drawn)
	}
	fmt.Fprint(v.out, ansiClearBelow, text, "\n")
	v.drawn = 0
	v.draw(true)
}

// Close leaves the last picture on the screen and gives the cursor back.
func (v *liveView) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()

	if v.closed {
		return
	}
	v.draw(true)
	v.closed = true
	fmt.Fprint(v.out, ansiShowCursor)
}

// draw replaces the picture, at most ten times a second unless forced. It assumes that mu is held.
func (v *liveView) draw(force bool) {
	now := v.now()
	if v.closed || (!force && now.Sub(v.last) < liveFrame) {
		return
	}
	v.last = now

	width, height := v.size()
	lines := v.lines(height)
	var frame strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&frame, "\x1b[%dA\r", v.drawn)
	}
	for _, line := range lines {
		frame.WriteString(ansiClearLine + line.render(width) + "\n")
	}
	frame.WriteString(ansiClearBelow)
	v.drawn = len(lines)
	_, _ = io.WriteString(v.out, frame.String()) // a terminal that is gone shows nothing
}

// styledLine is a line of the picture with the sequence that colours it.
type styledLine struct {
	text, style string
}

// render cuts the line to width: a line that wraps would break the redrawing.
func (l styledLine) render(width int) string {
	text := l.text
	if runes := []rune(text); width > 0 && len(runes) > width {
		text = string(runes[:width])
	}
	if l.style == "" {
		return text
	}
	return l.style + text + ansiReset
}

// lines composes the picture for a terminal of the given height.
func (v *liveView) lines(height int) []styledLine {
	s := v.status
	lines := []styledLine{
		{v.title, ansiBold},
		{fmt.Sprintf("%v  unsafe %d  safe %d  %s blocks  %s flashblocks  %s txs", s.Elapsed.Round(time.Second), s.Unsafe, s.Safe,
			thousands(uint64(s.Summary.Blocks)), thousands(uint64(s.Summary.Flashblocks)), thousands(uint64(s.Summary.Txs))), ""},
	}
	if follower := s.Follower.String(); follower != "" {
		lines = append(lines, styledLine{follower, ""})
	}
	if s.Summary.Differing > 0 {
		lines = append(lines, styledLine{fmt.Sprintf("!!! %d blocks are NOT what was published: %s", s.Summary.Differing, s.Summary.Difference), ansiRed})
	}
	lines = append(lines, styledLine{})
	for _, block := range v.blocks {
		style := ansiGreen
		if block.Verdict == Differing {
			style = ansiRed
		}
		lines = append(lines, styledLine{blockRow(block), style})
	}
	lines = append(lines, styledLine{}, styledLine{flashblockHeader(), ansiBold})

	// The picture must fit: the newest flashblocks are the ones to see.
	room := max(1, height-liveHistory-liveChrome)
	for _, fb := range v.slot[max(0, len(v.slot)-room):] {
		lines = append(lines, styledLine{flashblockRow(fb, v.fate(fb)), ""})
	}
	return lines
}

// fate tells what became of a flashblock of the slot shown.
func (v *liveView) fate(fb Flashblock) string {
	for _, block := range v.blocks {
		if block.Number == fb.Block {
			return block.Verdict.String()
		}
	}
	return "open"
}

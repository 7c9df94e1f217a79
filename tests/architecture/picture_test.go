// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package architecture

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// heading is the section of the document that the picture is in, as its first code block.
const heading = "## Rooms and arrows"

// everything stands, behind a name or on the right of an arrow, for all packages below or for all there are.
const everything = "..."

// arrows are packages, by their path below the module's, with those that each imports.
type arrows map[string][]string

// picture is what the document says.
type picture struct {
	drawn arrows
	free  []string // what is below these paths imports what it likes
}

var (
	errNoPicture = errors.New("the document has no code block under " + heading)
	errBadLine   = errors.New("no line of a picture")
	errTwice     = errors.New("drawn twice")
)

// parse reads the picture from the document. Every line is a package, alone or followed by an arrow and what it
// imports.
func parse(document string) (*picture, error) {
	_, section, found := strings.Cut(document, heading+"\n")
	if !found {
		return nil, errNoPicture
	}
	section, _, _ = strings.Cut(section, "\n## ")
	_, block, found := strings.Cut(section, "\n```\n")
	if !found {
		return nil, errNoPicture
	}
	block, _, found = strings.Cut(block, "\n```")
	if !found {
		return nil, errNoPicture
	}
	p := &picture{drawn: make(arrows)}
	for line := range strings.Lines(block) {
		if err := p.add(strings.Fields(line)); err != nil {
			return nil, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
		}
	}
	return p, nil
}

// add takes in the words of one line.
func (p *picture) add(words []string) error {
	if len(words) == 0 {
		return nil
	}
	name, imports := words[0], words[1:]
	if len(imports) > 0 {
		if imports[0] != "→" || len(imports) == 1 {
			return errBadLine
		}
		imports = imports[1:]
	}
	if below, ok := strings.CutSuffix(name, "/"+everything); ok {
		if !slices.Equal(imports, []string{everything}) {
			return errBadLine // a pattern has no arrows of its own
		}
		p.free = append(p.free, below+"/")
		return nil
	}
	if _, ok := p.drawn[name]; ok {
		return errTwice
	}
	p.drawn[name] = imports
	return nil
}

// isFree reports whether a package imports what it likes.
func (p *picture) isFree(name string) bool {
	return slices.ContainsFunc(p.free, func(below string) bool { return strings.HasPrefix(name, below) })
}

// compare returns in what the picture and the code differ, sorted.
func (p *picture) compare(code arrows) []string {
	var out []string
	for name, imports := range code {
		if p.isFree(name) {
			continue
		}
		drawn, ok := p.drawn[name]
		if !ok {
			out = append(out, name+" is not in the picture")
			continue
		}
		for _, to := range imports {
			if !slices.Contains(drawn, to) {
				out = append(out, fmt.Sprintf("%s → %s is not drawn", name, to))
			}
		}
	}
	for _, name := range slices.Collect(maps.Keys(p.drawn)) {
		imports, ok := code[name]
		if !ok {
			out = append(out, name+" is drawn and does not exist")
			continue
		}
		for _, to := range p.drawn[name] {
			if !slices.Contains(imports, to) {
				out = append(out, fmt.Sprintf("%s → %s is drawn and does not exist", name, to))
			}
		}
	}
	slices.Sort(out)
	return out
}

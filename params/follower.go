// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// minUpstreamTimeout leaves room for the pings that keep a quiet but living stream: three fall into it.
const minUpstreamTimeout = 300 * time.Millisecond

// errBoth: of two sources that disagree, pending could be taken from only one.
var errBoth = errors.New("flashblocks.url cannot be combined with flashblocks.enabled: a builder serves pending state from its own stream")

// SplitURLs reads a comma list of streams. Blanks around the members and empty members do not count.
func SplitURLs(list string) []string {
	var urls []string
	for _, member := range strings.Split(list, ",") {
		if member = strings.TrimSpace(member); member != "" {
			urls = append(urls, member)
		}
	}
	return urls
}

// checkFollower is Check for a node that follows streams.
func (c *Flashblocks) checkFollower() error {
	for i, raw := range c.URLs {
		if err := checkStreamURL(raw); err != nil {
			return fmt.Errorf("flashblocks.url, stream %d: %w", i+1, err)
		}
		if slices.Contains(c.URLs[:i], raw) {
			return fmt.Errorf("flashblocks.url, stream %d: it is given twice", i+1)
		}
	}
	switch {
	case c.UpstreamTimeout < minUpstreamTimeout:
		return fmt.Errorf("flashblocks upstream timeout %v is below the shortest supported, %v", c.UpstreamTimeout, minUpstreamTimeout)
	case c.ReadyMaxAge <= 0:
		return fmt.Errorf("flashblocks readiness age %v must be greater than zero", c.ReadyMaxAge)
	}
	return c.checkMetricsAddr()
}

// checkStreamURL reports a URL that can never be connected to. Errors leave out the URL, which may hold a
// key.
func checkStreamURL(raw string) error {
	target, err := url.Parse(raw)
	switch {
	case err != nil:
		if parse := new(url.Error); errors.As(err, &parse) {
			err = parse.Err
		}
		return fmt.Errorf("the URL is malformed: %w", err)
	case target.Scheme != "ws" && target.Scheme != "wss":
		return fmt.Errorf("the URL must begin with ws:// or wss://, not %q", target.Scheme)
	case target.Host == "":
		return errors.New("the URL has no host")
	case target.Fragment != "":
		return errors.New("the URL must have no fragment")
	}
	return nil
}

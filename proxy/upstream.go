// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

const (
	// noticesBackoffMin and noticesBackoffMax: notices are an extra that many upstreams do not serve,
	// so looking for them is rare.
	noticesBackoffMin = time.Second
	noticesBackoffMax = time.Minute
)

// upstreamName is the label of an upstream in metrics and logs: its host, numbered if another has the
// same. The path may hold a key.
func upstreamName(cfg *Config, i int) string {
	host := func(i int) string {
		u, err := url.Parse(cfg.Upstreams[i].URL)
		if err != nil {
			return ""
		}
		return u.Host
	}
	name := host(i)
	for j := range cfg.Upstreams {
		if j != i && host(j) == name {
			return name + "#" + strconv.Itoa(i)
		}
	}
	return name
}

// newSubscriber returns the subscriber of upstream i.
func (p *Proxy) newSubscriber(i int) *stream.Subscriber {
	return stream.NewSubscriber(stream.SubscriberConfig{
		URL:          p.cfg.Upstreams[i].URL,
		Name:         upstreamName(&p.cfg, i),
		Repeats:      true,
		Position:     p.position,
		Handler:      func(d stream.Delivery) { p.relay.deliver(i, d) },
		OnState:      func(s stream.State) { p.relay.state(i, s) },
		Limits:       p.cfg.Limits,
		PingInterval: p.cfg.UpstreamPing,
		ReadTimeout:  p.cfg.UpstreamPing + p.cfg.UpstreamPong,
		BackoffMax:   p.cfg.UpstreamBackoff,
		Metrics:      p.cfg.Metrics,
		Log:          p.cfg.Log,
	})
}

// position is where upstreams resume: before the block in progress, so that what they have of it can be
// compared with what is published. In its first block the proxy asks for all they have kept, so that clients
// can resume across its restart.
func (p *Proxy) position() (flashblocks.Header, bool) {
	before, last := p.relay.position()
	none := flashblocks.Header{}
	if before == none && p.cfg.NoBackfill {
		return last, last != none
	}
	return before, true
}

// newNotices returns the follower of the sealed and reorg notices of upstream i, nil if there is no
// path to look for them on.
func (p *Proxy) newNotices(i int) *stream.Subscriber {
	target, ok := noticesURL(p.cfg.Upstreams[i].URL)
	if !ok || p.cfg.NoNotices {
		return nil
	}
	return stream.NewSubscriber(stream.SubscriberConfig{
		URL:          target,
		Name:         upstreamName(&p.cfg, i) + "/v0",
		Decode:       decodeNotice,
		Handler:      func(d stream.Delivery) { p.relay.noticed(i, d.JSON) },
		Limits:       p.cfg.Limits,
		PingInterval: p.cfg.UpstreamPing,
		ReadTimeout:  p.cfg.UpstreamPing + p.cfg.UpstreamPong,
		BackoffMin:   noticesBackoffMin,
		BackoffMax:   noticesBackoffMax,
		Metrics:      p.cfg.Metrics,
		Log:          log.NewLogger(log.DiscardHandler()), // an upstream without notices is nothing to report
	})
}

// noticesURL derives the v0 URL of a v1 upstream: the root and /ws become /v0, /ws/{key} becomes
// /v0/{key}. Elsewhere nobody would serve it.
func noticesURL(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", false
	}
	path := u.EscapedPath()
	switch rest, ok := strings.CutPrefix(path, "/ws/"); {
	case path == "" || path == "/" || path == "/ws":
		u.Path, u.RawPath = "/v0", ""
	case ok && rest != "" && !strings.Contains(rest, "/"):
		u.RawPath = "/v0/" + rest
		if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
			return "", false
		}
	default:
		return "", false
	}
	query := u.Query()
	query.Set("notices", "only")
	u.RawQuery = query.Encode()
	return u.String(), true
}

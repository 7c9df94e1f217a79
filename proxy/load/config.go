// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package load

import (
	"errors"
	"net/http"
	"time"
)

const (
	// defaultDialers bounds the handshakes in progress, so that the load is the stream and not the
	// storm of its beginning.
	defaultDialers = 64

	// dialTimeout is for one handshake, which may wait in the queue of a busy server.
	dialTimeout = 30 * time.Second

	// readBuffer is per connection. Messages are read into a buffer per connection that grows to the
	// largest message.
	readBuffer = 4096

	// maxMessages bounds the messages of a run that are remembered: a day at 200 ms.
	maxMessages = 1 << 19
)

// Config configures a run.
type Config struct {
	URL         string        // ws:// or wss:// stream
	Header      http.Header   // Sent with every upgrade
	Connections int           // Subscribers
	Duration    time.Duration // How long messages are counted once everybody is connected
	Dialers     int           // Most handshakes at a time, default 64
	Deflate     bool          // Ask for permessage-deflate
	PID         int           // Process whose memory and CPU are watched, 0 for none
}

func (c Config) check() (Config, error) {
	switch {
	case c.URL == "":
		return c, errors.New("the load needs a URL")
	case c.Connections <= 0:
		return c, errors.New("the number of connections must be greater than zero")
	case c.Duration <= 0:
		return c, errors.New("the duration must be greater than zero")
	}
	if c.Dialers <= 0 {
		c.Dialers = defaultDialers
	}
	return c, nil
}

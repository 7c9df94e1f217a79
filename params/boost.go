// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package params

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// SelectGasUsed is the one block selection policy: the local block, when the builder's has less than a
// tenth of its gas.
const SelectGasUsed = "gas-used"

// Boost configures flashboost. Names, units and defaults are those of rollup-boost where it has the
// setting.
type Boost struct {
	L2      BoostBackend // Local execution layer
	Builder BoostBackend // External builder, if HasBuilder

	Mode                    ExecutionMode
	Selection               string // Empty, or SelectGasUsed
	ExternalStateRoot       bool   // The local execution layer computes the roots of builder blocks
	IgnoreUnhealthyBuilders bool   // Withhold builds, and nothing else, from a builder that is not healthy

	HealthInterval        time.Duration // Time between two polls of a healthy backend
	MaxUnsafeInterval     time.Duration // Greatest age of a backend's latest block
	HealthBuilderFailures int           // Builds in a row that fail before the health is 206
	HealthJSON            bool          // Answer /healthz with the JSON form

	RPCHost       string
	RPCPort       int
	RPCJWTToken   string // Secret that callers must know, empty for the path, or for no check
	RPCJWTPath    string
	MaxBodyBytes  int // Longest request body
	MaxReplyBytes int // Longest answer of a backend
	DrainTimeout  time.Duration

	DebugHost   string
	DebugPort   int
	Metrics     bool
	MetricsHost string
	MetricsPort int
	Pprof       bool
	PprofAddr   string

	Tracing      bool // Accepted for rollup-boost's sake; see docs/boost.md
	OTLPEndpoint string
	LogLevel     string
	LogFormat    string
	LogFile      string

	Flashblocks BoostStream
}

// BoostBackend is one of the two backends.
type BoostBackend struct {
	URL            string // Without a scheme, http:// is meant
	JWTToken       string // Secret in hex; wins over the path
	JWTPath        string // File with the secret in hex
	Timeout        time.Duration
	MethodTimeouts map[string]time.Duration // By method or beginning of a method, instead of Timeout
}

// BoostStream is the flashblocks stream, from the builder and to the subscribers.
type BoostStream struct {
	Enabled         bool
	BuilderURL      string
	Host            string
	Port            int
	SubscriberLimit int
	MaxMessageBytes int // Longest flashblock

	BackoffMin     time.Duration // First pause before the builder is dialled again
	BackoffMax     time.Duration
	ConnectTimeout time.Duration
	PingInterval   time.Duration
	PongTimeout    time.Duration
}

// DefaultBoost is what the flags default to.
var DefaultBoost = Boost{
	// op-node waits 5 s for forkchoiceUpdated and newPayload. A shorter limit here turns a heavy block into an
	// error that it retries, and the execution layer starts from the beginning.
	L2: BoostBackend{URL: defaultEngineURL, Timeout: time.Second, MethodTimeouts: map[string]time.Duration{
		"engine_newPayload":        5 * time.Second,
		"engine_forkchoiceUpdated": 5 * time.Second,

		// It waits until its transaction is in a block, 20 s by op-geth's default, and op-geth's server 30 s.
		"eth_sendRawTransactionSync": 30 * time.Second,
	}},
	Builder: BoostBackend{Timeout: time.Second},

	Mode:                  ModeEnabled,
	HealthInterval:        60 * time.Second,
	MaxUnsafeInterval:     10 * time.Second,
	HealthBuilderFailures: 2,

	RPCHost:       "127.0.0.1",
	RPCPort:       8081,
	MaxBodyBytes:  32 << 20,
	MaxReplyBytes: 128 << 20,
	DrainTimeout:  5 * time.Second,

	DebugHost:    "127.0.0.1",
	DebugPort:    5555,
	MetricsHost:  "127.0.0.1",
	MetricsPort:  9090,
	PprofAddr:    "127.0.0.1:6060",
	OTLPEndpoint: "http://localhost:4317",
	LogLevel:     "info",
	LogFormat:    "text",

	Flashblocks: BoostStream{
		BuilderURL:      "ws://127.0.0.1:1111",
		Host:            "127.0.0.1",
		Port:            1112,
		SubscriberLimit: 256,
		MaxMessageBytes: 64 << 20, // what rollup-boost's websocket library takes
		BackoffMin:      10 * time.Millisecond,
		BackoffMax:      5 * time.Second,
		ConnectTimeout:  5 * time.Second,
		PingInterval:    500 * time.Millisecond,
		PongTimeout:     1500 * time.Millisecond,
	},
}

// defaultEngineURL is where either backend is looked for.
const defaultEngineURL = "127.0.0.1:8551"

// HasBuilder reports whether there is a builder. Without one flashboost is a transparent proxy.
func (c *Boost) HasBuilder() bool { return c.Builder.URL != "" }

// RPCAddr is the address of the Engine API and of everything that is passed on.
func (c *Boost) RPCAddr() string { return joinHostPort(c.RPCHost, c.RPCPort) }

// DebugAddr is the address of the debug API.
func (c *Boost) DebugAddr() string { return joinHostPort(c.DebugHost, c.DebugPort) }

// MetricsAddr is the address of the Prometheus endpoint.
func (c *Boost) MetricsAddr() string { return joinHostPort(c.MetricsHost, c.MetricsPort) }

// Addr is the address that subscribers connect to.
func (c *BoostStream) Addr() string { return joinHostPort(c.Host, c.Port) }

// joinHostPort takes an IPv6 address with and without its brackets.
func joinHostPort(host string, port int) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// withScheme makes a URL of an address as rollup-boost's own default is one.
func withScheme(raw, scheme string) string {
	if raw == "" || strings.Contains(raw, "://") {
		return raw
	}
	return scheme + "://" + raw
}

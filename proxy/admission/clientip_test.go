// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// resolve finds the client of a request with the given peer and header lines.
func resolve(t testing.TB, cidrs, peer string, lines ...string) string {
	t.Helper()
	trusted, err := ParseTrustedProxies(cidrs)
	require.NoError(t, err)
	r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
	for _, line := range lines {
		r.Header.Add(DefaultIPHeader, line)
	}
	resolver := ipResolver{header: DefaultIPHeader, trusted: trusted}
	return resolver.client(r).String()
}

func TestClientIP(t *testing.T) {
	t.Parallel()
	const lan = "10.0.0.0/8, fd00::/8"
	tests := []struct {
		name  string
		cidrs string
		peer  string
		lines []string
		want  string
	}{
		// The rules of base/base #3962.
		{"no networks: header ignored", "", "10.0.0.1:1", []string{"203.0.113.7"}, "10.0.0.1"},
		{"untrusted peer: header ignored", lan, "192.0.2.9:1", []string{"203.0.113.7"}, "192.0.2.9"},
		{"trusted peer, one entry", lan, "10.0.0.1:1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"entries on the left are the client's own words", lan, "10.0.0.1:1", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		{"trusted hops are passed over", lan, "10.0.0.1:1", []string{"198.51.100.1, 203.0.113.7, 10.1.1.1, 10.2.2.2"}, "203.0.113.7"},
		{"all lines count, in their order", lan, "10.0.0.1:1", []string{"198.51.100.1", "203.0.113.7", "10.1.1.1"}, "203.0.113.7"},
		{"all trusted: the peer", lan, "10.0.0.1:1", []string{"10.3.3.3, 10.2.2.2"}, "10.0.0.1"},
		{"no header: the peer", lan, "10.0.0.1:1", nil, "10.0.0.1"},
		{"nonsense: the peer", lan, "10.0.0.1:1", []string{"nonsense"}, "10.0.0.1"},
		{"IPv4 in IPv6 is IPv4 everywhere", "::ffff:10.0.0.0/104", "[::ffff:10.0.0.1]:1", []string{"::ffff:203.0.113.7, ::ffff:10.9.9.9"}, "203.0.113.7"},

		{"nonsense behind a hop: that hop", lan, "10.0.0.1:1", []string{"203.0.113.7, unknown, 10.2.2.2"}, "10.2.2.2"},
		{"nonsense left of the client does not matter", lan, "10.0.0.1:1", []string{"<script>, 203.0.113.7"}, "203.0.113.7"},
		{"empty entries mean nothing", lan, "10.0.0.1:1", []string{", 203.0.113.7 ,, 10.2.2.2 ,", "", " "}, "203.0.113.7"},
		{"an obfuscated hop", lan, "10.0.0.1:1", []string{"203.0.113.7, _hidden"}, "10.0.0.1"},
		{"entries with ports", lan, "10.0.0.1:1", []string{"203.0.113.7:5678, [fd00::1]:99"}, "203.0.113.7"},
		{"brackets without a port", lan, "10.0.0.1:1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"brackets around nonsense", lan, "10.0.0.1:1", []string{"[203.0.113.7"}, "10.0.0.1"},
		{"IPv6 has one form", lan, "[fd00::2]:1", []string{"2001:DB8:0:0:0:0:0:7"}, "2001:db8::7"},
		{"a zone does not make another client", lan, "10.0.0.1:1", []string{"fe80::1%eth0"}, "fe80::1"},
		{"the peer's zone", "", "[fe80::1%eth0]:1", nil, "fe80::1"},
		{"a bare address as network", "10.0.0.1", "10.0.0.1:1", []string{"203.0.113.7, 10.0.0.2"}, "10.0.0.2"},
		{"host bits in a network", "10.1.2.3/8", "10.200.0.1:1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"::/0 does not cover IPv4", "::/0", "10.0.0.1:1", []string{"203.0.113.7"}, "10.0.0.1"},
		{"too long a chain ends", lan, "10.0.0.1:1", []string{"203.0.113.7," + strings.Repeat("10.0.0.3,", maxHops)}, "10.0.0.3"},
		{"the longest chain", lan, "10.0.0.1:1", []string{"203.0.113.7," + strings.Repeat("10.0.0.3,", maxHops-1)}, "203.0.113.7"},
		{"a peer without an address", lan, "@", []string{"203.0.113.7"}, "invalid IP"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, resolve(t, test.cidrs, test.peer, test.lines...))
		})
	}
}

func TestOtherHeaderName(t *testing.T) {
	t.Parallel()
	trusted, err := ParseTrustedProxies("10.0.0.0/8")
	require.NoError(t, err)
	h := newHarness(t, Config{IPHeader: "cf-connecting-ip", TrustedProxies: trusted}, "")
	r := from("10.0.0.1")
	r.Header.Set("CF-Connecting-IP", "203.0.113.7")
	r.Header.Set(DefaultIPHeader, "198.51.100.1")
	ticket, refusal := h.Admit(r, "")
	require.Nil(t, refusal)
	require.Equal(t, netip.MustParseAddr("203.0.113.7"), ticket.ClientIP())
}

func TestParseTrustedProxies(t *testing.T) {
	t.Parallel()
	networks, err := ParseTrustedProxies(" 10.1.2.3/8 ,::ffff:192.168.1.0/112,2001:db8::1, ::ffff:192.0.2.1,::ffff:0:0/95,, ")
	require.NoError(t, err)
	var got []string
	for _, network := range networks {
		got = append(got, network.String())
	}
	require.Equal(t, []string{"10.0.0.0/8", "192.168.0.0/16", "2001:db8::1/128", "192.0.2.1/32", "::fffe:0:0/95"}, got)

	for _, bad := range []string{"10.0.0.0/33", "10.0.0.0/-1", "localhost", "10.0.0/8", "10.0.0.0/8/8", "fe80::%eth0/10"} {
		_, err := ParseTrustedProxies("10.0.0.0/8," + bad)
		require.ErrorContains(t, err, `"`+bad+`" is neither a network`)
	}
}

func TestClientGroup(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"192.0.2.1":              "192.0.2.1",
		"2001:db8:1:2:3:4:5:6":   "2001:db8:1:2::",
		"2001:db8:1:2:ffff::":    "2001:db8:1:2::",
		"2001:db8:1:3::":         "2001:db8:1:3::",
		"::1":                    "::",
		"fe80::abcd:1:2:3":       "fe80::",
		"64:ff9b:0:1:c000:201::": "64:ff9b:0:1::",
	} {
		require.Equal(t, want, clientGroup(netip.MustParseAddr(ip)).String(), ip)
	}
	require.Equal(t, netip.Addr{}, clientGroup(netip.Addr{}))
}

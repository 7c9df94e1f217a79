// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the header says, the client is an address in canonical form, and the header of an untrusted
// peer changes nothing. What stands left of the address that a trusted proxy appended never matters.
func FuzzForwardedHeader(f *testing.F) {
	f.Add("10.0.0.1:1", "203.0.113.7, 10.2.2.2", "198.51.100.1")
	f.Add("[::ffff:10.0.0.1]:1", "::ffff:203.0.113.7", "[2001:db8::1]:80,,")
	f.Add("192.0.2.1:1", "nonsense", "fe80::1%eth0")
	f.Add("@", ",,,", "10.0.0.1")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	resolver := ipResolver{header: DefaultIPHeader, trusted: trusted}
	client := func(peer string, lines ...string) netip.Addr {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{DefaultIPHeader: lines}}
		return resolver.client(r)
	}

	f.Fuzz(func(t *testing.T, peer, line1, line2 string) {
		got := client(peer, line1, line2)
		if got.IsValid() {
			require.Equal(t, canonical(got), got)
			require.Equal(t, got, netip.MustParseAddr(got.String()))
		}
		direct := client(peer)
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(direct) }) {
			require.Equal(t, direct, got)
			return
		}
		require.Equal(t, got, client(peer, line1+","+line2), "lines are one list")

		const appended = "203.0.113.77"
		require.Equal(t, appended, client(peer, line1, line2, appended).String())
		require.Equal(t, appended, client(peer, line1, line2+","+appended+", 10.0.0.9").String())
	})
}

// A list that parses finds each of its own keys, and an error quotes nothing longer than a few letters.
func FuzzParseKeys(f *testing.F) {
	f.Add("app:key", "app")
	f.Add("a:b:3,c:d", "d")
	f.Add("a:b:c:d", "x")
	f.Add(",", "")
	f.Fuzz(func(t *testing.T, list, guess string) {
		ring, err := ParseKeys(list)
		if err != nil {
			require.Nil(t, ring)
			return
		}
		known := false
		for i, app := range ring.Apps() {
			parts := strings.Split(strings.TrimSpace(strings.Split(list, ",")[i]), ":")
			require.Equal(t, parts[0], app)
			name, limit, ok := ring.Lookup(parts[1])
			require.True(t, ok)
			require.Equal(t, app, name)
			require.GreaterOrEqual(t, limit, 0)
			known = known || parts[1] == guess
		}
		_, _, ok := ring.Lookup(guess)
		require.Equal(t, known, ok)
	})
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds how many trusted proxies are believed to stand in a row. Longer chains are loops or
// attacks; the scan then ends as at a malformed entry.
const maxHops = 64

// ParseTrustedProxies reads a comma-separated list of networks in CIDR notation; a bare address is a
// network of one. IPv4-mapped IPv6 networks become the IPv4 networks they mean. ::/0 covers IPv6 only;
// to trust everything, which is wise on closed networks only, add 0.0.0.0/0.
func ParseTrustedProxies(list string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		network, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("admission: trusted proxy %q is neither a network in CIDR notation, like 10.0.0.0/8, nor an IP address", text)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		addr = canonical(addr)
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	const mapped = 96 // bits of ::ffff:0:0/96, in which IPv4 addresses are mapped
	if network.Addr().Is4In6() && network.Bits() >= mapped {
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-mapped)
	}
	return network.Masked(), nil
}

// canonical gives each address one form: IPv4 out of its IPv6 mapping, and without a zone, which
// would let a client look like many.
func canonical(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// clientGroup is what the per-IP limit counts: an IPv4 address, or the /64 of an IPv6 address, which
// is the least that one subscriber is given.
func clientGroup(addr netip.Addr) netip.Addr {
	const subscriber = 64
	if !addr.Is6() {
		return addr
	}
	return netip.PrefixFrom(addr, subscriber).Masked().Addr()
}

// ipResolver finds the address of the client behind proxies.
type ipResolver struct {
	header  string
	trusted []netip.Prefix
}

// client returns the client's address: the peer, unless the peer is a trusted proxy. Then the header's
// lines, joined, are read from right to left, the order in which proxies appended; trusted hops are
// passed over, and the first other address is the client. Whatever stands left of it was written by
// the client itself and is not looked at. A malformed entry ends the scan at the hop that sent it. If
// every hop is trusted, the peer is the client.
//
// The result is the zero Addr if the peer has no IP address, as on a unix socket.
func (p *ipResolver) client(r *http.Request) netip.Addr {
	peer, err := parseHop(r.RemoteAddr)
	if err != nil || !p.trusts(peer) {
		return peer
	}
	hop, hops := peer, 0
	lines := r.Header.Values(p.header)
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			var entry string
			rest, entry, more = cutLast(rest)
			if entry = strings.TrimSpace(entry); entry == "" {
				continue // empty list elements mean nothing (RFC 9110, section 5.6.1)
			}
			addr, err := parseHop(entry)
			if hops++; err != nil || hops > maxHops {
				return hop
			}
			if !p.trusts(addr) {
				return addr
			}
			hop = addr
		}
	}
	return peer
}

func (p *ipResolver) trusts(addr netip.Addr) bool {
	for _, network := range p.trusted {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// cutLast splits the last element off a comma-separated list.
func cutLast(list string) (rest, last string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

// parseHop reads an address as peers and proxies write it: bare, in brackets, or with a port.
func parseHop(text string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return canonical(addr), nil
	}
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return canonical(addr), err
	}
	withPort, err := netip.ParseAddrPort(text)
	return canonical(withPort.Addr()), err
}

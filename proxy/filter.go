// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// Query parameters of the filter routes, as in Base's proxy.
const (
	paramAddresses = "addresses"
	paramTopics    = "topics"
	paramMatch     = "match"

	matchAny = "any"
	matchAll = "all"
)

// maxFilterTerms bounds the addresses, and the topics, of one filter.
const maxFilterTerms = 1000

var _ stream.Filter = (*filter)(nil)

// filter selects the flashblocks that touch one of the addresses or carry a log with one of the topics;
// with both given, either is enough (any) or both are needed (all).
type filter struct {
	addresses map[common.Address]struct{}
	topics    map[common.Hash]struct{}
	all       bool
}

// parseFilter reads the filter of a request. Nothing given is no filter, as in Base's proxy. The error
// is one sentence for the client.
func parseFilter(rawQuery string) (*filter, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, errors.New("the query of the URL is malformed")
	}
	f := &filter{addresses: make(map[common.Address]struct{}), topics: make(map[common.Hash]struct{})}
	for _, word := range terms(query[paramAddresses]) {
		var address common.Address
		if err := fixedHex(word, address[:]); err != nil {
			return nil, fmt.Errorf("%s must be 0x and 40 hex digits each, separated by commas", paramAddresses)
		}
		f.addresses[address] = struct{}{}
	}
	for _, word := range terms(query[paramTopics]) {
		var topic common.Hash
		if err := fixedHex(word, topic[:]); err != nil {
			return nil, fmt.Errorf("%s must be 0x and 64 hex digits each, separated by commas", paramTopics)
		}
		f.topics[topic] = struct{}{}
	}
	if len(f.addresses) > maxFilterTerms || len(f.topics) > maxFilterTerms {
		return nil, fmt.Errorf("a filter may have at most %d addresses and as many topics", maxFilterTerms)
	}
	switch modes := query[paramMatch]; {
	case len(modes) > 1:
		return nil, fmt.Errorf("%s is given %d times", paramMatch, len(modes))
	case len(modes) == 0 || modes[0] == matchAny:
	case modes[0] == matchAll:
		f.all = true
	default:
		return nil, fmt.Errorf("%s must be %q or %q", paramMatch, matchAny, matchAll)
	}
	if len(f.addresses) == 0 && len(f.topics) == 0 {
		return nil, nil //nolint:nilnil // no filter and no error is an answer of its own
	}
	return f, nil
}

// terms splits comma lists, leaving out blanks and empty terms.
func terms(lists []string) (out []string) {
	for _, list := range lists {
		for word := range strings.SplitSeq(list, ",") {
			if word = strings.TrimSpace(word); word != "" {
				out = append(out, word)
			}
		}
	}
	return out
}

// fixedHex decodes 0x and exactly len(dst) bytes of hex, in any case.
func fixedHex(word string, dst []byte) error {
	data, err := hexutil.Decode(strings.ToLower(word))
	if err != nil {
		return err
	}
	if len(data) != len(dst) {
		return errors.New("wrong length")
	}
	copy(dst, data)
	return nil
}

// needsReceipts reports whether the filter can only be satisfied by a stream with receipts.
func (f *filter) needsReceipts() bool { return len(f.topics) > 0 }

// Match implements stream.Filter.
func (f *filter) Match(m *stream.Message) (bool, error) {
	c, ok := m.Aux.(*content)
	if !ok {
		return true, nil
	}
	t := c.touched()
	switch {
	case t.blind && f.needsReceipts():
		return false, errNoReceipts
	case t.unsure:
		return true, nil
	}
	address := intersects(f.addresses, t.addresses)
	if f.all && len(f.addresses) > 0 && len(f.topics) > 0 {
		return address && intersects(f.topics, t.topics), nil
	}
	return address || intersects(f.topics, t.topics), nil
}

// intersects looks the smaller set up in the larger one.
func intersects[T comparable](a, b map[T]struct{}) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	for k := range a {
		if _, ok := b[k]; ok {
			return true
		}
	}
	return false
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/filters"
)

// Bounds on what one subscription may make the node compare every log with.
const (
	maxFilterAddresses = 1000
	maxFilterTopics    = 4    // a log has no more
	maxTopicChoices    = 1000 // per place
)

// logFilter is the filter object of a subscription: address and topics as in eth_getLogs. Block bounds
// mean nothing to what is pending, and a block hash cannot be asked for.
type logFilter struct {
	Addresses []common.Address
	Topics    [][]common.Hash
}

// UnmarshalJSON implements json.Unmarshaler with op-geth's reading of a filter.
func (f *logFilter) UnmarshalJSON(data []byte) error {
	var crit filters.FilterCriteria
	if err := json.Unmarshal(data, &crit); err != nil {
		return err
	}
	switch {
	case crit.BlockHash != nil:
		return errors.New("a subscription to pending logs takes no blockHash")
	case len(crit.Addresses) > maxFilterAddresses:
		return fmt.Errorf("a filter takes at most %d addresses", maxFilterAddresses)
	case len(crit.Topics) > maxFilterTopics:
		return fmt.Errorf("a filter takes at most %d topics", maxFilterTopics)
	}
	for _, choices := range crit.Topics {
		if len(choices) > maxTopicChoices {
			return fmt.Errorf("a filter takes at most %d choices per topic", maxTopicChoices)
		}
	}
	*f = logFilter{Addresses: crit.Addresses, Topics: crit.Topics}
	return nil
}

// matches reports whether a log passes. A nil filter passes everything.
func (f *logFilter) matches(l *types.Log) bool {
	if f == nil {
		return true
	}
	if len(f.Addresses) > 0 && !slices.Contains(f.Addresses, l.Address) {
		return false
	}
	if len(f.Topics) > len(l.Topics) {
		return false
	}
	for i, choices := range f.Topics {
		if len(choices) > 0 && !slices.Contains(choices, l.Topics[i]) {
			return false
		}
	}
	return true
}

// matchesAny reports whether any log passes.
func (f *logFilter) matchesAny(logs []*types.Log) bool {
	return slices.ContainsFunc(logs, f.matches)
}

// transactionChoice is the optional parameter of newFlashblockTransactions: false or nothing for hashes,
// true for whole transactions, a filter object for the whole transactions of which a log passes it.
type transactionChoice struct {
	full   bool
	filter *logFilter
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *transactionChoice) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	if len(data) > 0 && data[0] == '{' {
		c.full, c.filter = true, new(logFilter)
		return json.Unmarshal(data, c.filter)
	}
	if err := json.Unmarshal(data, &c.full); err != nil {
		return errors.New("the parameter of newFlashblockTransactions is a boolean or a filter object")
	}
	return nil
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
)

const (
	// Extra data of OP Stack headers: a version byte, denominator and elasticity, and with Jovian's version
	// the minimum base fee (OP Stack specifications, Holocene and Jovian, block header).
	holoceneVersion   = 0
	jovianVersion     = 1
	paramsLength      = 8
	holoceneExtraData = 1 + paramsLength
	jovianExtraData   = holoceneExtraData + 8
)

// claims are the fields of a block that the attributes decide.
type claims struct {
	parent, randao      common.Hash
	number, time, limit uint64
	recipient           common.Address
	beaconRoot          *common.Hash
	beaconRootTold      bool
	extra               []byte
	transactions        int
	transaction         func(i int) []byte // with quotes
}

// Conform checks that a builder's block is the one the attributes ask for: parent, number if known,
// timestamp, prevRandao, fee recipient, gas limit, beacon root, withdrawals, extra data, and the forced
// transactions first. That the local node finds a block valid says nothing of these. Error:
// ErrNonconforming, naming the field.
func Conform(req *Request, p *Payload) error {
	err := req.conforms(&claims{
		parent: p.ParentHash, randao: p.PrevRandao, number: p.Number, time: p.Timestamp, limit: p.GasLimit,
		recipient: p.FeeRecipient, beaconRoot: p.ParentBeaconBlockRoot, beaconRootTold: p.ParentBeaconBlockRoot != nil,
		extra: p.ExtraData, transactions: len(p.Transactions),
		transaction: func(i int) []byte { return p.Transactions[i] },
	})
	if err != nil {
		return err
	}
	if !sameWithdrawals(req.Withdrawals, p.Withdrawals) {
		return nonconforming("withdrawals", "%s instead of %s", brief(p.Withdrawals), brief(req.Withdrawals))
	}
	return nil
}

// conformsPiece is Conform for what the flashblock with the base claims.
func (r *Request) conformsPiece(p *piece) error {
	err := r.conforms(&claims{
		parent: p.base.ParentHash, randao: p.base.PrevRandao, number: p.base.BlockNumber, time: p.base.Timestamp,
		limit: p.base.GasLimit, recipient: p.base.FeeRecipient, beaconRoot: p.base.ParentBeaconBlockRoot,
		beaconRootTold: true, extra: p.base.ExtraData, transactions: len(p.diff.transactions),
		transaction: func(i int) []byte { return p.diff.transactions[i] },
	})
	if err != nil {
		return err
	}
	if p.diff.withdrawalCount > 0 && !sameWithdrawals(r.Withdrawals, append(append([]byte{'['}, p.diff.withdrawals...), ']')) {
		return nonconforming("withdrawals", "%d that were not asked for", p.diff.withdrawalCount)
	}
	return nil
}

func (r *Request) conforms(c *claims) error {
	switch {
	case c.parent != r.Head:
		return nonconforming("parent", "%s instead of %s", c.parent, r.Head)
	case r.Number != 0 && c.number != r.Number:
		return nonconforming("number", "%d instead of %d", c.number, r.Number)
	case c.time != r.Timestamp:
		return nonconforming("timestamp", "%d instead of %d", c.time, r.Timestamp)
	case c.randao != r.PrevRandao:
		return nonconforming("prevRandao", "%s instead of %s", c.randao, r.PrevRandao)
	case c.recipient != r.FeeRecipient:
		return nonconforming("fee recipient", "%s instead of %s", c.recipient, r.FeeRecipient)
	case r.GasLimit != nil && c.limit != *r.GasLimit:
		return nonconforming("gas limit", "%d instead of %d", c.limit, *r.GasLimit)
	case c.beaconRootTold && !sameHash(c.beaconRoot, r.BeaconRoot):
		return nonconforming("parent beacon root", "%v instead of %v", c.beaconRoot, r.BeaconRoot)
	case c.transactions < len(r.Transactions):
		return nonconforming("forced transactions", "%d instead of %d", c.transactions, len(r.Transactions))
	}
	for i, tx := range r.Transactions {
		if !bytes.EqualFold(tx, c.transaction(i)) {
			return nonconforming("forced transactions", "another one at place %d", i)
		}
	}
	return r.conformsExtra(c.extra)
}

// conformsExtra checks the extra data against the EIP-1559 parameters. All-zero parameters stand for the
// chain's own, which are not known here. Of a version that is not known either, only the parameters that
// every version has so far are compared.
func (r *Request) conformsExtra(extra []byte) error {
	if len(r.EIP1559Params) != paramsLength {
		return nil // before Holocene extra data is the node's own affair
	}
	want, version := holoceneExtraData, byte(holoceneVersion)
	if r.MinBaseFee != nil {
		want, version = jovianExtraData, jovianVersion
	}
	switch {
	case len(extra) < want, extra[0] < version, extra[0] <= jovianVersion && (extra[0] != version || len(extra) != want):
		return nonconforming("extra data", "%#x, which is not of version %d", brief(extra), version)
	case !bytes.Equal(r.EIP1559Params, make([]byte, paramsLength)) && !bytes.Equal(extra[1:holoceneExtraData], r.EIP1559Params):
		return nonconforming("EIP-1559 parameters", "%#x instead of %#x", extra[1:holoceneExtraData], r.EIP1559Params)
	case r.MinBaseFee != nil && binary.BigEndian.Uint64(extra[holoceneExtraData:]) != *r.MinBaseFee:
		return nonconforming("minimum base fee", "%d instead of %d", binary.BigEndian.Uint64(extra[holoceneExtraData:]), *r.MinBaseFee)
	}
	return nil
}

func nonconforming(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrNonconforming, field, fmt.Sprintf(format, args...))
}

func sameHash(a, b *common.Hash) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// sameWithdrawals compares two lists, either of which may be absent. Empty ones, which is what the OP Stack
// has, are compared without decoding.
func sameWithdrawals(a, b json.RawMessage) bool {
	var x, y diff
	if len(a) > 0 && x.cutWithdrawals(walk(a)) != nil || len(b) > 0 && y.cutWithdrawals(walk(b)) != nil {
		return false
	}
	return (a == nil) == (b == nil) && x.withdrawalCount == y.withdrawalCount && bytes.Equal(x.withdrawals, y.withdrawals)
}

// brief cuts a value down to what a log line can carry.
func brief(value []byte) []byte {
	return value[:min(len(value), briefValue)]
}

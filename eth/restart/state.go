// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"encoding/binary"
	"errors"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/trie/trienode"
	"github.com/ethereum/go-ethereum/triedb"
)

// The content of a state record is the parent's root and the new one, then four lists, each with its length in
// front. Lengths are unsigned varints, and byte strings have theirs in front.
//
//	accounts  address, value before and after in slim RLP, empty for none
//	storage   address, list of: key, value before and after without leading zeros, empty for none
//	codes     hash, code
//	trie      owner, list of: path, node, empty for a deleted one
//
// A key is the slot's own from Cancun on and its hash before, as op-geth commits them.

// stateRecord returns the record of what a block has changed.
func stateRecord(update *tracing.StateUpdate) []byte {
	e := encoder(make([]byte, recordHeader, 1<<20))
	e.raw(update.OriginRoot[:])
	e.raw(update.Root[:])
	e.size(len(update.AccountChanges))
	for address, change := range update.AccountChanges {
		e.raw(address[:])
		e.bytes(slim(change.Prev))
		e.bytes(slim(change.New))
	}
	e.size(len(update.StorageChanges))
	for address, slots := range update.StorageChanges {
		e.raw(address[:])
		e.size(len(slots))
		for key, change := range slots {
			e.raw(key[:])
			e.bytes(common.TrimLeftZeroes(change.Prev[:]))
			e.bytes(common.TrimLeftZeroes(change.New[:]))
		}
	}
	e.size(len(update.CodeChanges))
	for _, change := range update.CodeChanges {
		e.raw(change.New.Hash[:])
		e.bytes(change.New.Code)
	}
	e.size(len(update.TrieChanges))
	for owner, nodes := range update.TrieChanges {
		e.raw(owner[:])
		e.size(len(nodes))
		for path, change := range nodes {
			e.bytes([]byte(path))
			e.bytes(change.New.Blob)
		}
	}
	putHeader(e, kindState)
	return e
}

// slim encodes an account as the path database keeps it, nil for none.
func slim(account *types.StateAccount) []byte {
	if account == nil {
		return nil
	}
	return types.SlimAccountRLP(*account)
}

// stateChanges is what a state record says, in the form that the path database takes.
type stateChanges struct {
	nodes  *trienode.MergedNodeSet
	states *triedb.StateSet
	codes  map[common.Hash][]byte
}

var errDamagedState = errors.New("damaged record of a state")

// decodeState is the reverse of stateRecord. It keeps parts of the content.
func decodeState(content []byte, rawKeys bool) (*stateChanges, error) {
	var (
		t = transitionOf(content)
		d = &decoder{rest: content[2*common.HashLength:]}
		c = &stateChanges{nodes: trienode.NewMergedNodeSet(), states: triedb.NewStateSet(), codes: make(map[common.Hash][]byte)}
	)
	c.states.RawStorageKey = rawKeys
	for range d.count() {
		address := common.BytesToAddress(d.raw(common.AddressLength))
		c.states.AccountsOrigin[address] = d.bytes()
		c.states.Accounts[crypto.Keccak256Hash(address[:])] = d.bytes()
	}
	for range d.count() {
		c.readSlots(d)
	}
	for range d.count() {
		hash := common.BytesToHash(d.raw(common.HashLength))
		c.codes[hash] = d.bytes()
	}
	for range d.count() {
		set := trienode.NewNodeSet(common.BytesToHash(d.raw(common.HashLength)))
		for range d.count() {
			path, blob := d.bytes(), d.bytes()
			set.AddNode(path, trienode.NewNodeWithPrev(nodeHash(blob), blob, nil))
		}
		if err := c.nodes.Merge(set); err != nil {
			return nil, err
		}
	}
	// The root is hashed, so that a record that is whole but not what it says is found.
	accounts := c.nodes.Sets[common.Hash{}]
	if d.damaged || len(d.rest) > 0 || accounts == nil || accounts.Nodes[""] == nil || accounts.Nodes[""].Hash != t.root {
		return nil, errDamagedState
	}
	return c, nil
}

// nodeHash returns the hash of a trie node, zero for a deleted one.
func nodeHash(blob []byte) common.Hash {
	if len(blob) == 0 {
		return common.Hash{}
	}
	return crypto.Keccak256Hash(blob)
}

// readSlots reads the storage of one account.
func (c *stateChanges) readSlots(d *decoder) {
	var (
		address = common.BytesToAddress(d.raw(common.AddressLength))
		count   = d.count()
		before  = make(map[common.Hash][]byte, count)
		after   = make(map[common.Hash][]byte, count)
	)
	for range count {
		key := common.BytesToHash(d.raw(common.HashLength))
		hashed := key
		if c.states.RawStorageKey {
			hashed = crypto.Keccak256Hash(key[:])
		}
		before[key], after[hashed] = slotRLP(d.bytes()), slotRLP(d.bytes())
	}
	c.states.StoragesOrigin[address] = before
	c.states.Storages[crypto.Keccak256Hash(address[:])] = after
}

// slotRLP encodes a slot's value as the path database keeps it, nil for none.
func slotRLP(value []byte) []byte {
	if len(value) == 0 {
		return nil
	}
	encoded, err := rlp.EncodeToBytes(value)
	if err != nil {
		panic(err) // bytes can always be encoded
	}
	return encoded
}

// encoder appends the parts of a record.
type encoder []byte

func (e *encoder) raw(b []byte) { *e = append(*e, b...) }
func (e *encoder) size(n int)   { *e = binary.AppendUvarint(*e, uint64(n)) }
func (e *encoder) bytes(b []byte) {
	e.size(len(b))
	e.raw(b)
}

// decoder reads the parts of a record. Once it has found damage it returns nothing.
type decoder struct {
	rest    []byte
	damaged bool
}

// raw returns the next n bytes, zeros if there are fewer.
func (d *decoder) raw(n int) []byte {
	if n > len(d.rest) {
		d.damaged, d.rest = true, nil
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

// count returns a length, which cannot be more than there are bytes left.
func (d *decoder) count() int {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > uint64(len(d.rest)-n) {
		d.damaged, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return int(v)
}

// bytes returns a byte string, nil if it is empty.
func (d *decoder) bytes() []byte {
	if n := d.count(); n > 0 {
		return d.raw(n)
	}
	return nil
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// The number of prefunded accounts per role.
const (
	userAccounts = 10 // handed to the caller, see Endpoints.Keys
	loadAccounts = 40 // used by the load generator only
)

// account is a funded key of the devnet. The keys are derived from public names: they protect nothing.
type account struct {
	key  *ecdsa.PrivateKey
	addr common.Address
}

// deriveAccount returns the account of a role, the same in every devnet.
func deriveAccount(role string, index int) account {
	seed := crypto.Keccak256(fmt.Appendf(nil, "flashgeth devnet %s %d", role, index))
	key, err := crypto.ToECDSA(seed)
	if err != nil {
		// Only for a digest outside the curve order: impossible for the fixed roles, and the tests derive them all.
		panic(fmt.Sprintf("no key for %s %d: %v", role, index, err))
	}
	return account{key: key, addr: crypto.PubkeyToAddress(key.PublicKey)}
}

// hexKey returns the private key as 64 hex digits with prefix.
func (a account) hexKey() string {
	return "0x" + hex.EncodeToString(crypto.FromECDSA(a.key))
}

// accounts are all keys of a devnet.
type accounts struct {
	batcher   account // sends batches on L1
	sequencer account // signs unsafe blocks on the p2p network
	node      account // is the sequencer's execution layer on the p2p network; it owns nothing
	builder   account // is the builder behind boost on the p2p network; it owns nothing
	users     []account
	load      []account
}

// deriveAccounts returns the keys of a devnet.
func deriveAccounts() accounts {
	keys := accounts{
		batcher:   deriveAccount("batcher", 0),
		sequencer: deriveAccount("sequencer", 0),
		node:      deriveAccount("node", 0),
		builder:   deriveAccount("builder", 0),
	}
	for i := range userAccounts {
		keys.users = append(keys.users, deriveAccount("user", i))
	}
	for i := range loadAccounts {
		keys.load = append(keys.load, deriveAccount("load", i))
	}
	return keys
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/program"
	"github.com/ethereum/go-ethereum/crypto"
)

// Addresses of what the devnet deploys itself. They lie outside the predeploy namespaces.
var (
	portalAddr       = common.HexToAddress("0xf1a5000000000000000000000000000000000001") // L1: emits deposits
	systemConfigAddr = common.HexToAddress("0xf1a5000000000000000000000000000000000002") // L1: emits configuration updates
	batchInboxAddr   = common.HexToAddress("0xf1a5000000000000000000000000000000000003") // L1: receives batches
	tokenAddr        = common.HexToAddress("0xf1a5000000000000000000000000000000000004") // L2: the load generator's token
)

// Topics of the events that op-node reads from L1 and that the token emits.
var (
	depositTopic      = crypto.Keccak256Hash([]byte("TransactionDeposited(address,address,uint256,bytes)"))
	configUpdateTopic = crypto.Keccak256Hash([]byte("ConfigUpdate(uint256,uint8,bytes)"))
	transferTopic     = crypto.Keccak256Hash([]byte("Transfer(address,address,uint256)"))
)

// Function selectors of the token.
var (
	balanceOfSelector = crypto.Keccak256([]byte("balanceOf(address)"))[:4]
	transferSelector  = crypto.Keccak256([]byte("transfer(address,uint256)"))[:4]
)

// unsafeBlockSignerSlot is where op-node looks up the address whose signature it accepts on gossip.
// Without it a follower rejects every unsafe block.
var unsafeBlockSignerSlot = crypto.Keccak256Hash([]byte("systemconfig.unsafeblocksigner"))

// portalCode returns a contract that stands in for OptimismPortal: the calldata is topic 2 (to),
// topic 3 (version) and then the event's data; the sender becomes topic 1 (from).
func portalCode() []byte {
	topics := program.New().
		Push(32).Op(vm.CALLDATALOAD).
		Push(0).Op(vm.CALLDATALOAD).
		Op(vm.CALLER).
		Push(depositTopic)
	return emitterCode(topics, vm.LOG4)
}

// systemConfigCode returns a contract that stands in for SystemConfig: the calldata is topic 1
// (version), topic 2 (kind of update) and then the event's data.
func systemConfigCode() []byte {
	topics := program.New().
		Push(32).Op(vm.CALLDATALOAD).
		Push(0).Op(vm.CALLDATALOAD).
		Push(configUpdateTopic)
	return emitterCode(topics, vm.LOG3)
}

// emitterCode returns code that logs the calldata behind the first two words with the given topics.
func emitterCode(topics *program.Program, log vm.OpCode) []byte {
	const header = 64
	return program.New().
		Push(header).Op(vm.CALLDATASIZE, vm.SUB).
		Push(header).Push(0).Op(vm.CALLDATACOPY).
		Append(topics.Bytes()).
		Push(header).Op(vm.CALLDATASIZE, vm.SUB).Push(0).Op(log).
		Op(vm.STOP).
		Bytes()
}

// tokenCode returns a token with balanceOf and transfer, the balance of an account being the storage
// slot named by its address. It costs what an ERC-20 transfer costs: two slots and one event.
func tokenCode() []byte {
	code, main := assembleToken(0)
	if relocated, _ := assembleToken(main); len(relocated) == len(code) {
		code = relocated
	}
	return code
}

// assembleToken assembles the token for an entry point at main, and returns where that came to lie.
func assembleToken(main uint64) ([]byte, uint64) {
	p := program.New().Append([]byte{byte(vm.PUSH1), byte(main), byte(vm.JUMP)})

	_, fail := p.Jumpdest()
	p.Push(0).Push(0).Op(vm.REVERT)

	_, balanceOf := p.Jumpdest()
	p.Push(4).Op(vm.CALLDATALOAD, vm.SLOAD).Push(0).Op(vm.MSTORE).Return(0, 32)

	_, main = p.Jumpdest()
	p.Push(0).Op(vm.CALLDATALOAD).Push(224).Op(vm.SHR)
	p.Op(vm.DUP1).Push(balanceOfSelector).Op(vm.EQ).Push(balanceOf).Op(vm.JUMPI)
	p.Push(transferSelector).Op(vm.EQ, vm.ISZERO).Push(fail).Op(vm.JUMPI)

	p.Push(36).Op(vm.CALLDATALOAD)                                   // amount
	p.Op(vm.CALLER, vm.SLOAD)                                        // amount balance
	p.Op(vm.DUP2, vm.DUP2, vm.LT).Push(fail).Op(vm.JUMPI)            // reverts if balance < amount
	p.Op(vm.DUP2, vm.SWAP1, vm.SUB, vm.CALLER, vm.SSTORE)            // amount
	p.Push(4).Op(vm.CALLDATALOAD, vm.DUP1, vm.SLOAD)                 // amount to balance
	p.Op(vm.DUP3, vm.ADD, vm.DUP2, vm.SSTORE)                        // amount to
	p.Op(vm.SWAP1).Push(0).Op(vm.MSTORE)                             // to, amount in memory
	p.Op(vm.CALLER).Push(transferTopic).Push(32).Push(0).Op(vm.LOG3) // nothing left
	p.Push(1).Push(0).Op(vm.MSTORE).Return(0, 32)
	return p.Bytes(), main
}

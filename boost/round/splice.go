// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
)

const (
	// What an answer holds beside the strings of the wire, generously.
	fixedSize = 4 << 10

	// Neither the value nor blobs are known from flashblocks; the OP Stack uses neither.
	noValue = `,"blockValue":"0x0"`
	noBlobs = `,"blobsBundle":{"commitments":[],"proofs":[],"blobs":[]}`
)

// Envelope returns the result object of engine_getPayloadVx for versions 2 and up: the fields of the base, the
// cumulative fields of the last flashblock, and the transactions of all. The long strings are the wire's
// own text, never decoded. The hash is the claimed one. Errors: ErrEmptyPrefix, ErrVersion.
func (p *Prefix) Envelope(version int) (json.RawMessage, error) {
	buf, _, _, err := p.splice(version)
	return buf, err
}

// NewPayload returns the method and the parameters of the engine_newPayload call that validates the
// block. version is the one of engine_getPayload. Errors are those of Envelope.
func (p *Prefix) NewPayload(version int) (method string, params []json.RawMessage, err error) {
	buf, from, to, err := p.splice(version)
	if err != nil {
		return "", nil, err
	}
	method, params = newPayloadCall(version, buf[from:to:to], p.pieces[0].base.ParentBeaconBlockRoot, nil)
	return method, params, nil
}

// splice writes the envelope, and says where in it the execution payload is.
func (p *Prefix) splice(version int) (buf []byte, from, to int, err error) {
	switch {
	case len(p.pieces) == 0:
		return nil, 0, 0, ErrEmptyPrefix
	case version < versionCanyon:
		return nil, 0, 0, fmt.Errorf("%w: %d", ErrVersion, version)
	case version >= versionEcotone && p.pieces[0].base.ParentBeaconBlockRoot == nil:
		return nil, 0, 0, fmt.Errorf("%w: %d needs a parent beacon root", ErrVersion, version)
	}
	buf = append(make([]byte, 0, p.size()), `{"executionPayload":`...)
	from = len(buf)
	buf = p.appendPayload(buf, version)
	to = len(buf)
	buf = append(buf, noValue...)
	if version >= versionEcotone {
		buf = append(buf, noBlobs...)
	}
	if version >= versionIsthmus {
		buf = append(buf, `,"executionRequests":[]`...)
	}
	buf = append(buf, `,"shouldOverrideBuilder":false`...)
	if version >= versionEcotone {
		buf = appendHash(append(buf, `,"parentBeaconBlockRoot":`...), *p.pieces[0].base.ParentBeaconBlockRoot)
	}
	return append(buf, '}'), from, to, nil
}

// size is how many bytes an answer has at most.
func (p *Prefix) size() int {
	size := fixedSize + 2*len(p.pieces[0].base.ExtraData) + len(p.postExec())
	for _, piece := range p.pieces {
		size += len(piece.diff.withdrawals) + 1
	}
	p.eachTransaction(len(p.pieces), func(tx []byte) bool {
		size += len(tx) + 1
		return true
	})
	return size
}

func (p *Prefix) appendPayload(buf []byte, version int) []byte {
	base, last := p.pieces[0].base, p.last()
	buf = appendHash(append(buf, `{"parentHash":`...), base.ParentHash)
	buf = appendHex(append(buf, `,"feeRecipient":`...), base.FeeRecipient[:])
	buf = append(append(buf, `,"stateRoot":`...), last.stateRoot...)
	buf = append(append(buf, `,"receiptsRoot":`...), last.receiptsRoot...)
	buf = append(append(buf, `,"logsBloom":`...), last.logsBloom...)
	buf = appendHash(append(buf, `,"prevRandao":`...), base.PrevRandao)
	buf = appendQuantity(append(buf, `,"blockNumber":`...), base.BlockNumber)
	buf = appendQuantity(append(buf, `,"gasLimit":`...), base.GasLimit)
	buf = appendQuantity(append(buf, `,"gasUsed":`...), last.gasUsed)
	buf = appendQuantity(append(buf, `,"timestamp":`...), base.Timestamp)
	buf = appendHex(append(buf, `,"extraData":`...), base.ExtraData)
	buf = strconv.AppendQuote(append(buf, `,"baseFeePerGas":`...), base.BaseFeePerGas.Hex())
	buf = append(append(buf, `,"blockHash":`...), last.blockHash...)
	buf = p.appendTransactions(append(buf, `,"transactions":[`...))
	buf = p.appendWithdrawals(append(buf, `],"withdrawals":[`...))
	buf = append(buf, ']')
	if version >= versionEcotone {
		buf = appendQuantity(append(buf, `,"blobGasUsed":`...), last.blobGasUsed)
		buf = append(buf, `,"excessBlobGas":"0x0"`...)
	}
	if version >= versionIsthmus {
		buf = append(append(buf, `,"withdrawalsRoot":`...), last.withdrawalsRoot...)
	}
	return append(buf, '}')
}

func (p *Prefix) appendTransactions(buf []byte) []byte {
	start := len(buf)
	comma := func() {
		if len(buf) > start {
			buf = append(buf, ',')
		}
	}
	p.eachTransaction(len(p.pieces), func(tx []byte) bool {
		comma()
		buf = append(buf, tx...)
		return true
	})
	if tx := p.postExec(); tx != nil {
		comma()
		buf = append(buf, tx...)
	}
	return buf
}

func (p *Prefix) appendWithdrawals(buf []byte) []byte {
	start := len(buf)
	for _, piece := range p.pieces {
		if len(piece.diff.withdrawals) == 0 {
			continue
		}
		if len(buf) > start {
			buf = append(buf, ',')
		}
		buf = append(buf, piece.diff.withdrawals...)
	}
	return buf
}

func appendHash(buf []byte, hash common.Hash) []byte { return appendHex(buf, hash[:]) }

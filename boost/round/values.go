// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
)

// rules are those of what gets here. The subscriber has checked a flashblock, and the RPC server a request, before; the
// latter nests as deep as jsonrpc admits.
var rules = &jsonwalk.Rules{
	MaxDepth:  512,
	Malformed: ErrMalformed,
	Invalid:   ErrMalformed,
	Duplicate: errTwice,
	Missing:   errMissing,
	Walked:    true,
}

// walker cuts JSON into values.
type walker struct{ jsonwalk.Walker }

func walk(text []byte) *walker { return &walker{jsonwalk.New(text, rules)} }

// hexData reads a hex string of whole bytes, n of them unless n is negative, and returns it with quotes and without
// escapes.
func (w *walker) hexData(n int) ([]byte, error) {
	w.Peek()
	start := w.Pos()
	digits, err := w.Hex()
	if err != nil {
		return nil, err
	}
	if len(digits)%2 != 0 || n >= 0 && len(digits) != 2*n {
		return nil, fmt.Errorf("%w: %d hex digits", ErrMalformed, len(digits))
	}
	if !isHex(digits) {
		return nil, fmt.Errorf("%w: not hex", ErrMalformed)
	}
	if value := w.Since(start); len(digits)+4 == len(value) && value[2] == 'x' {
		return value, nil
	}
	plain := append(make([]byte, 0, len(digits)+4), `"0x`...)
	return append(append(plain, digits...), '"'), nil
}

// hexList reads an array of hex strings.
func (w *walker) hexList() (list [][]byte, err error) {
	err = w.Array(func() error {
		if len(list) == maxTransactions {
			return fmt.Errorf("%w: more than %d transactions", ErrMalformed, maxTransactions)
		}
		item, err := w.hexData(-1)
		list = append(list, item)
		return err
	})
	return list, err
}

// hash reads a hash that may be absent.
func (w *walker) hash() (*common.Hash, error) {
	if w.Null() {
		return nil, nil //nolint:nilnil // absent is no error
	}
	hash := new(common.Hash)
	return hash, w.Fixed(hash[:])
}

// quantity256 reads a number of 256 bits.
func (w *walker) quantity256() (*uint256.Int, error) {
	word, err := w.Quantity256()
	return new(uint256.Int).SetBytes32(word[:]), err
}

// isHex reports whether text consists of hex digits, eight at a time and without a branch: it runs over
// every transaction before its flashblock is published.
func isHex(text []byte) bool {
	const highs = 0x8080808080808080
	good, high := uint64(highs), uint64(0)
	for len(text) >= 32 {
		a, b := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:])
		c, d := binary.LittleEndian.Uint64(text[16:]), binary.LittleEndian.Uint64(text[24:])
		good &= hexBytes(a) & hexBytes(b) & hexBytes(c) & hexBytes(d)
		high |= a | b | c | d
		text = text[32:]
	}
	if good&highs != highs || high&highs != 0 {
		return false
	}
	for _, c := range text {
		lower := c | 0x20
		if (c < '0' || c > '9') && (lower < 'a' || lower > 'f') {
			return false
		}
	}
	return true
}

// hexBytes sets the high bit of every byte of word that is a hex digit, if none has its own high bit set.
func hexBytes(word uint64) uint64 {
	// Adding (0x80 - c) sets the high bit of a 7-bit byte that is at least c.
	const ones = 0x0101010101010101
	lower := word | 0x20*ones
	digit := (word + (0x80-'0')*ones) &^ (word + (0x7f-'9')*ones)
	letter := (lower + (0x80-'a')*ones) &^ (lower + (0x7f-'f')*ones)
	return digit | letter
}

func appendQuantity(buf []byte, n uint64) []byte {
	buf = append(buf, `"0x`...)
	buf = strconv.AppendUint(buf, n, 16)
	return append(buf, '"')
}

func appendHex(buf, data []byte) []byte {
	buf = append(buf, `"0x`...)
	buf = hex.AppendEncode(buf, data)
	return append(buf, '"')
}

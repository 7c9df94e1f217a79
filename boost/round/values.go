// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common"
)

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

// hexText returns the digits of a hex string.
func hexText(value []byte) ([]byte, error) {
	s, err := text(value)
	if err != nil {
		return nil, err
	}
	if len(s) < 2 || s[0] != '0' || s[1]|0x20 != 'x' {
		return nil, fmt.Errorf("%w: hex value without 0x prefix", ErrMalformed)
	}
	return s[2:], nil
}

// hexData checks a hex string of whole bytes, n of them unless n is negative, and returns it with quotes
// and without escapes.
func hexData(value []byte, n int) ([]byte, error) {
	digits, err := hexText(value)
	if err != nil {
		return nil, err
	}
	if len(digits)%2 != 0 || n >= 0 && len(digits) != 2*n {
		return nil, fmt.Errorf("%w: %d hex digits", ErrMalformed, len(digits))
	}
	if !isHex(digits) {
		return nil, fmt.Errorf("%w: not hex", ErrMalformed)
	}
	if len(digits)+4 == len(value) && value[2] == 'x' {
		return value, nil
	}
	plain := append(make([]byte, 0, len(digits)+4), `"0x`...)
	return append(append(plain, digits...), '"'), nil
}

// fixed decodes a hex string of exactly len(dst) bytes.
func fixed(dst, value []byte) error {
	digits, err := hexText(value)
	if err != nil {
		return err
	}
	if len(digits) != 2*len(dst) {
		return fmt.Errorf("%w: %d hex digits instead of %d", ErrMalformed, len(digits), 2*len(dst))
	}
	if _, err := hex.Decode(dst, digits); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// fixedHash is fixed for a hash that may be absent.
func fixedHash(value []byte) (*common.Hash, error) {
	if isNull(value) {
		return nil, nil //nolint:nilnil // absent is no error
	}
	hash := new(common.Hash)
	return hash, fixed(hash[:], value)
}

// data decodes a hex string of any length.
func data(value []byte) ([]byte, error) {
	digits, err := hexText(value)
	if err != nil {
		return nil, err
	}
	out := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(out, digits); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return out, nil
}

// quantity reads a number as a hex string or as a plain one: alloy accepts both, so both occur.
func quantity(value []byte) (uint64, error) {
	digits, base := value, 10
	if len(value) > 0 && value[0] == '"' {
		var err error
		if digits, err = hexText(value); err != nil {
			return 0, err
		}
		base = 16
	}
	if len(digits) > 0 && (digits[0] == '+' || digits[0] == '-') {
		return 0, fmt.Errorf("%w: signed quantity", ErrMalformed)
	}
	n, err := strconv.ParseUint(string(digits), base, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is no quantity", ErrMalformed, brief(digits)) // err repeats all of it
	}
	return n, nil
}

// quantity256 is quantity for 256 bits.
func quantity256(value []byte) (*uint256.Int, error) {
	if len(value) == 0 || value[0] != '"' {
		n, err := quantity(value)
		return uint256.NewInt(n), err
	}
	digits, err := hexText(value)
	if err != nil {
		return nil, err
	}
	if len(digits) == 0 || len(digits) > 64 || !isHex(digits) {
		return nil, fmt.Errorf("%w: quantity of %d digits", ErrMalformed, len(digits))
	}
	full := append(bytes.Repeat([]byte("0"), 64-len(digits)), digits...)
	var word [32]byte
	if _, err := hex.Decode(word[:], full); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return new(uint256.Int).SetBytes32(word[:]), nil
}

// boolean reads true or false.
func boolean(value []byte) (bool, error) {
	switch string(value) {
	case "true":
		return true, nil
	case "false", "null":
		return false, nil
	}
	return false, fmt.Errorf("%w: expected true or false", ErrMalformed)
}

// hexList reads an array of hex strings.
func hexList(value []byte) ([][]byte, error) {
	list, _, err := hexListAt(value, skipSpace(value, 0))
	return list, err
}

// hexListAt reads the array of hex strings that begins at i, and returns the position behind.
func hexListAt(data []byte, i int) (list [][]byte, end int, err error) {
	end, err = items(data, i, func(item []byte) error {
		if len(list) == maxTransactions {
			return fmt.Errorf("%w: more than %d transactions", ErrMalformed, maxTransactions)
		}
		item, err := hexData(item, -1)
		list = append(list, item)
		return err
	})
	return list, end, err
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

// keys collects which members of an object were met, one bit each.
type keys uint32

// mark adds a key and fails if it was met before: two readers could understand it differently.
func (k *keys) mark(bit int, name []byte) error {
	if *k&(1<<bit) != 0 {
		return fmt.Errorf("%w: %q appears twice", ErrMalformed, name)
	}
	*k |= 1 << bit
	return nil
}

// require fails with the first of the names, in the order of their bits, that was not met.
func (k keys) require(names ...string) error {
	for bit, name := range names {
		if k&(1<<bit) == 0 {
			return fmt.Errorf("%w: %s is missing", ErrMalformed, name)
		}
	}
	return nil
}

// inField says in which field an error occurred.
func inField(name []byte, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

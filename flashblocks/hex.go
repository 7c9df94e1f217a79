// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/holiman/uint256"
)

// hexPairs holds the two hex digits of every byte value in memory order, so that one byte costs one
// load and one store. The encoder spends most of its time here.
var hexPairs = func() (table [256]uint16) {
	const digits = "0123456789abcdef"
	for i := range table {
		table[i] = binary.LittleEndian.Uint16([]byte{digits[i>>4], digits[i&0xf]})
	}
	return table
}()

// appendHexDigits appends the hex digits of data, without prefix or quotes.
func appendHexDigits(buf, data []byte) []byte {
	start := len(buf)
	buf = slices.Grow(buf, 2*len(data))[:start+2*len(data)]
	out := buf[start:]
	for len(data) >= 4 && len(out) >= 8 {
		word := uint64(hexPairs[data[0]]) | uint64(hexPairs[data[1]])<<16 |
			uint64(hexPairs[data[2]])<<32 | uint64(hexPairs[data[3]])<<48
		binary.LittleEndian.PutUint64(out, word)
		data, out = data[4:], out[8:]
	}
	for i, b := range data {
		binary.LittleEndian.PutUint16(out[2*i:], hexPairs[b])
	}
	return buf
}

// appendHex appends data as a quoted 0x string.
func appendHex(buf, data []byte) []byte {
	buf = append(buf, `"0x`...)
	buf = appendHexDigits(buf, data)
	return append(buf, '"')
}

// appendQuantity appends v as a quoted hex quantity without leading zeros.
func appendQuantity(buf []byte, v uint64) []byte {
	buf = append(buf, `"0x`...)
	buf = strconv.AppendUint(buf, v, 16)
	return append(buf, '"')
}

// appendQuantity256 appends v as a quoted hex quantity without leading zeros; nil counts as zero.
func appendQuantity256(buf []byte, v *uint256.Int) []byte {
	if v == nil || v.IsUint64() {
		if v == nil {
			return appendQuantity(buf, 0)
		}
		return appendQuantity(buf, v.Uint64())
	}
	top := len(v) - 1
	for v[top] == 0 {
		top--
	}
	buf = append(buf, `"0x`...)
	buf = strconv.AppendUint(buf, v[top], 16)
	for i := top - 1; i >= 0; i-- {
		var limb [8]byte
		binary.BigEndian.PutUint64(limb[:], v[i])
		buf = appendHexDigits(buf, limb[:])
	}
	return append(buf, '"')
}

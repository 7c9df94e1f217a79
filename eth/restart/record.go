// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"
)

// forkchoice is the blocks of a forkchoice update that was answered VALID. Zero stands for none.
type forkchoice struct {
	head, safe, finalized common.Hash
}

// A segment of the journal is a sequence of records:
//
//	kind (1 byte) | length of the content (4 bytes) | CRC-32C of all but itself (4 bytes) | content
//
// The first one that does not read as this, because a crash or a full disk has torn it, ends the segment.
type recordKind byte

const (
	kindBlock    recordKind = 1 // hash, RLP: a block that was answered VALID
	kindHeads    recordKind = 2 // the three hashes of a forkchoice
	kindState    recordKind = 3 // parent's root, root, changes: see state.go
	kindStopping recordKind = 4 // the state scheme: the node stops, and brings its states to the disk now
	kindClosed   recordKind = 5 // the size of the file it wrote them to: it has done so
)

const recordHeader = 9 // bytes

// maxRecord bounds what a damaged length makes us read. A block of the OP Stack stays below 10 MB, and the changes of
// a full one below 50.
const maxRecord = 256 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// putHeader completes a record whose content follows room for the header.
func putHeader(record []byte, kind recordKind) {
	record[0] = byte(kind)
	binary.BigEndian.PutUint32(record[1:], uint32(len(record)-recordHeader))
	binary.BigEndian.PutUint32(record[5:], checksum(record))
}

// checksum returns the CRC of a whole record.
func checksum(record []byte) uint32 {
	return crc32.Update(crc32.Checksum(record[:5], castagnoli), castagnoli, record[recordHeader:])
}

// errTorn says that what follows is not a record.
var errTorn = errors.New("torn record")

// readRecord reads the next record, header included, into buf, which may be nil. It returns io.EOF at the end and errTorn if
// it finds something else.
func readRecord(r io.Reader, buf []byte) ([]byte, error) {
	buf = append(buf[:0], make([]byte, recordHeader)...)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, tornUnlessEOF(err)
	}
	size := int(binary.BigEndian.Uint32(buf[1:]))
	if size > maxRecord {
		return nil, errTorn
	}
	for len(buf) < recordHeader+size { // in steps, so that a damaged length allocates no more than there is
		step := min(recordHeader+size-len(buf), 1<<20)
		buf = append(buf, make([]byte, step)...)
		if _, err := io.ReadFull(r, buf[len(buf)-step:]); err != nil {
			if err = tornUnlessEOF(err); errors.Is(err, io.EOF) {
				err = errTorn
			}
			return nil, err
		}
	}
	if checksum(buf) != binary.BigEndian.Uint32(buf[5:]) {
		return nil, errTorn
	}
	return buf, nil
}

// tornUnlessEOF tells the end of a file from a record that was cut off.
func tornUnlessEOF(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTorn
	default:
		return fmt.Errorf("read the restart journal: %w", err)
	}
}

// headsRecord returns the record of heads.
func headsRecord(h forkchoice) []byte {
	record := make([]byte, recordHeader, recordHeader+3*common.HashLength)
	record = append(append(append(record, h.head[:]...), h.safe[:]...), h.finalized[:]...)
	putHeader(record, kindHeads)
	return record
}

// blockRecord returns the record of a block.
func blockRecord(block *types.Block) ([]byte, error) {
	encoded, err := rlp.EncodeToBytes(block)
	if err != nil {
		return nil, fmt.Errorf("encode block %d: %w", block.NumberU64(), err)
	}
	hash := block.Hash()
	record := make([]byte, recordHeader, recordHeader+len(hash)+len(encoded))
	record = append(append(record, hash[:]...), encoded...)
	putHeader(record, kindBlock)
	return record, nil
}

// closedRecord returns the record that ends a journal.
func closedRecord(layers uint64) []byte {
	record := binary.BigEndian.AppendUint64(make([]byte, recordHeader), layers)
	putHeader(record, kindClosed)
	return record
}

// decodeHeads is the reverse of headsRecord.
func decodeHeads(content []byte) (h forkchoice, ok bool) {
	if len(content) != 3*common.HashLength {
		return forkchoice{}, false
	}
	copy(h.head[:], content)
	copy(h.safe[:], content[common.HashLength:])
	copy(h.finalized[:], content[2*common.HashLength:])
	return h, true
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecodeHeader(t *testing.T) {
	t.Parallel()
	for name, fb := range goldenCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := readGolden(t, name)
			want := fb.Header()
			for _, frame := range [][]byte{message, compress(t, message)} {
				got, original, err := DecodeHeader(frame, Limits{})
				require.NoError(t, err)
				require.Equal(t, want, got)
				require.Equal(t, want.Position(), fb.Position())
				require.Equal(t, string(message), string(original))
			}
		})
	}
}

func TestDecodeHeaderErrors(t *testing.T) {
	t.Parallel()
	message := string(goldenFlashblock().AppendJSON(nil))
	tests := []struct {
		name     string
		old, new string
		want     error
	}{
		{"cut off", `"0x1"}}}}`, `"0x1"`, ErrMalformed},
		{"trailing data", `"0x1"}}}}`, `"0x1"}}}}}`, ErrMalformed},
		{"bad json in diff", `"gas_used":`, `"gas_used"`, ErrMalformed},
		{"no payload id", `"payload_id"`, `"payload"`, ErrMissingField},
		{"no number in base", `"block_number":"0x1e240"`, `"number":"0x1e240"`, ErrMissingField},
		{"bad number in base", `"block_number":"0x1e240"`, `"block_number":"x"`, ErrInvalidField},
		{"index twice", `"index":0`, `"index":0,"index":0`, ErrDuplicateField},
		{"numbers disagree", `"block_number":123456`, `"block_number":1`, ErrBlockNumberMismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, message, tt.old)
			_, _, err := DecodeHeader([]byte(strings.Replace(message, tt.old, tt.new, 1)), Limits{})
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func TestPositionOrder(t *testing.T) {
	t.Parallel()
	ordered := []FlashblockID{{1, 0}, {1, 5}, {2, 0}, {2, 1}}
	for i, a := range ordered {
		for j, b := range ordered {
			require.Equal(t, i > j, a.After(b))
		}
	}
}

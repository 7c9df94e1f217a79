// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlainLimits(t *testing.T) {
	t.Parallel()
	message := goldenFlashblock().AppendJSON(nil)
	compressed := compress(t, message)
	bomb := compress(t, append([]byte{'{'}, make([]byte, DefaultMaxDecoded)...))
	require.Less(t, len(bomb), DefaultMaxDecoded/1000)

	tests := []struct {
		name  string
		frame []byte
		lim   Limits
		want  error
	}{
		{"plain at the limit", message, Limits{MaxDecoded: len(message)}, nil},
		{"plain over the limit", message, Limits{MaxDecoded: len(message) - 1}, ErrTooLarge},
		{"plain is not held to the compressed limit", message, Limits{MaxCompressed: 1}, nil},
		{"brotli at both limits", compressed, Limits{MaxCompressed: len(compressed), MaxDecoded: len(message)}, nil},
		{"brotli over the compressed limit", compressed, Limits{MaxCompressed: len(compressed) - 1}, ErrTooLarge},
		{"brotli over the decoded limit", compressed, Limits{MaxDecoded: len(message) - 1}, ErrTooLarge},
		{"brotli bomb, default limits", bomb, Limits{}, ErrTooLarge},
		{"empty", nil, Limits{}, ErrCompression},
		{"white space", []byte(" \n"), Limits{}, ErrCompression},
		{"text", []byte("hello"), Limits{}, ErrCompression},
		{"array", []byte("[1,2]"), Limits{}, ErrCompression},
		{"cut brotli", compressed[:len(compressed)/2], Limits{}, ErrCompression},
		{"brotli and more", append(bytes.Clone(compressed), 1, 2, 3), Limits{}, ErrCompression},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Plain(tt.frame, tt.lim)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, string(message), string(got))
		})
	}
}

func TestMaxFrame(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, DefaultMaxDecoded, Limits{}.MaxFrame())
	require.EqualValues(t, 100, Limits{MaxCompressed: 100, MaxDecoded: 10}.MaxFrame())
}

// A failed message must not leave anything behind in the pooled decompressors.
func TestPlainAfterFailure(t *testing.T) {
	t.Parallel()
	message := goldenFlashblock().AppendJSON(nil)
	compressed := compress(t, message)
	// Over the limit with input left, which the library's Reset would carry over.
	large := compress(t, newGenerator(1).bytes(200_000))
	for range 10 {
		_, err := Plain(large, Limits{MaxDecoded: 1000})
		require.ErrorIs(t, err, ErrTooLarge)
		got, err := Plain(compressed, Limits{})
		require.NoError(t, err)
		require.Equal(t, string(message), string(got))
	}
	for cut := 0; cut < len(compressed); cut += 7 {
		_, err := Plain(compressed[:cut], Limits{})
		require.ErrorIs(t, err, ErrCompression)
		got, err := Plain(compressed, Limits{})
		require.NoError(t, err)
		require.Equal(t, string(message), string(got))
	}
}

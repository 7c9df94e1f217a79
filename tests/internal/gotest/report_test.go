// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The last thing that is said names the tests and their reasons, whatever was said before.
func TestReport(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		events  []string
		printed []string // somewhere
		missing []string // nowhere
		summary []string // behind the headline, in order
	}{
		"nothing failed": {
			events: []string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}`,
				`{"Action":"pass","Package":"p","Test":"TestA","Elapsed":12}`,
				`{"Action":"output","Package":"p","Output":"ok  \tp\t12s\n"}`,
				`{"Action":"pass","Package":"p","Elapsed":12}`,
			},
			printed: []string{"ok  \tp\t12s\n", "pass: TestA (12s)"},
			missing: []string{"chatter", "FAILED"},
		},
		"a subtest": {
			events: []string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA/b","Output":"    a_test.go:1: chatter\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA/b","Output":"    a_test.go:9: \n"}`,
				`{"Action":"output","Package":"p","Test":"TestA/b","Output":"        \tError Trace:\ta_test.go:9\n        \tError: "}`,
				`{"Action":"output","Package":"p","Test":"TestA/b","Output":"Not equal\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA/b","Output":"--- FAIL: TestA/b (0.1s)\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA/b"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp\t1s\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			printed: []string{"--- output of p TestA/b\n", "chatter", "FAIL\tp\t1s\n"},
			summary: []string{"FAIL p TestA/b\n", "a_test.go:9", "Error: Not equal", "FAIL p TestA\n"},
		},
		"a build": {
			events: []string{
				`{"Action":"build-output","ImportPath":"p [p.test]","Output":"# p [p.test]\n"}`,
				`{"Action":"build-output","ImportPath":"p [p.test]","Output":"./a.go:1: undefined: x\n"}`,
				`{"Action":"build-fail","ImportPath":"p [p.test]"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}`,
				`{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			},
			summary: []string{"FAIL p [p.test]\n", "undefined: x"},
		},
		"a crash": {
			events: []string{
				`not an event`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"panic: test timed out after 1s\n"}`,
				`{"Action":"output","Package":"p","Output":"exit status 2\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			printed: []string{"not an event\n"},
			summary: []string{"FAIL p\n", "panic: test timed out after 1s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			r := newReport(&out)
			require.NoError(t, r.read(strings.NewReader(strings.Join(tc.events, "\n")+"\n")))
			r.summary()
			require.Equal(t, tc.summary != nil, r.failed())
			for _, text := range tc.printed {
				require.Contains(t, out.String(), text)
			}
			for _, text := range tc.missing {
				require.NotContains(t, out.String(), text)
			}
			_, rest, _ := strings.Cut(out.String(), "==> FAILED: ")
			for _, text := range tc.summary {
				_, after, found := strings.Cut(rest, text)
				require.Truef(t, found, "%q in its place in:\n%s", text, &out)
				rest = after
			}
			require.Less(t, len(rest), 200)
		})
	}
}

// The exit code is go test's own, with real packages.
func TestExitCode(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "")
	for name, text := range map[string]string{
		"go.mod":         "module example.org/m\n\ngo 1.24\n",
		"good/a_test.go": "package good\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { t.Log(\"fine\") }\n",
		"bad/a_test.go":  "package bad\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { t.Error(\"wrong\") }\n",
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	var out strings.Builder
	require.Zero(t, run([]string{"./good"}, &out))
	require.NotContains(t, out.String(), "FAILED")
	require.Equal(t, 1, run([]string{"./..."}, &out))
	require.Contains(t, out.String(), "==> FAILED: 1\n")
	require.NotZero(t, run([]string{"-no-such-flag"}, &out))
}

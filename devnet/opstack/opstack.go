// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package opstack builds the OP Stack's own programs (op-node and its companions) from the Go module
// cache, in the version that go.mod requires. They cannot be built in place: the optimism module
// embeds a bundle of chain configurations that its zip does not contain. So the module's sources are
// copied, the bundle of the same format that op-geth ships is put in, and the digest that op-node
// compares it with is rewritten. Chains with a rollup configuration of their own do not use it.
package opstack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Modules that the sources and the bundle come from.
const (
	optimismModule = "github.com/ethereum-optimism/optimism"
	gethModule     = "github.com/ethereum/go-ethereum"
)

// The bundle, as op-geth and as optimism name it, and optimism's digest of it.
const (
	gethBundle     = "superchain/superchain-configs.zip"
	optimismBundle = "op-core/superchain/superchain-configs.zip"
	bundleDigest   = optimismBundle + ".sha256"
)

// versionFile is the cache key beside the binaries. recipe changes it when the way of building does.
const (
	versionFile = ".version"
	recipe      = 1
)

// Programs are what Build builds, each from the directory cmd of its name.
var Programs = []string{"op-node", "op-batcher", "op-conductor"}

// Config says where to build.
type Config struct {
	Out      string    // directory of the binaries
	Work     string    // directory of the sources, removed after a build
	Progress io.Writer // receives one line per step
}

// Build builds every program unless the output directory holds the current version already.
func Build(ctx context.Context, cfg Config) error {
	if cfg.Out == "" || cfg.Work == "" {
		return errors.New("the output and the work directory must be given")
	}
	optimism, err := findModule(ctx, optimismModule)
	if err != nil {
		return err
	}
	geth, err := findModule(ctx, gethModule)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("recipe %d, optimism %s, op-geth %s, %s/%s\n", recipe, optimism.Version, geth.Version, runtime.GOOS, runtime.GOARCH)
	if upToDate(cfg.Out, key) {
		fmt.Fprintf(cfg.Progress, "op-stack: %s is up to date (optimism %s)\n", cfg.Out, optimism.Version)
		return nil
	}
	if err := download(ctx, cfg.Progress, optimism, geth); err != nil {
		return err
	}
	source := filepath.Join(cfg.Work, "optimism-"+optimism.Version)
	fmt.Fprintf(cfg.Progress, "op-stack: copying optimism %s to %s\n", optimism.Version, source)
	if err := prepare(source, optimism.Dir, geth.Dir); err != nil {
		return err
	}
	for i, program := range Programs {
		if err := compile(ctx, cfg, source, program, i+1); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(source); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(cfg.Out, versionFile), []byte(key), 0o600)
}

// upToDate tells whether out holds every program in the version of key.
func upToDate(out, key string) bool {
	held, err := os.ReadFile(filepath.Join(out, versionFile)) //nolint:gosec // the caller's directory
	if err != nil || string(held) != key {
		return false
	}
	return !slices.ContainsFunc(Programs, func(program string) bool {
		_, err := os.Stat(filepath.Join(out, program))
		return err != nil
	})
}

// module is what `go list -m -json` tells about a dependency.
type module struct {
	Path    string
	Version string
	Dir     string // in the module cache, empty before the download
	Replace *module
}

// findModule returns a dependency of the current module, replacements applied.
func findModule(ctx context.Context, path string) (*module, error) {
	out, err := goCommand(ctx, "", "list", "-m", "-json", path)
	if err != nil {
		return nil, err
	}
	found := new(module)
	if err := json.Unmarshal(out, found); err != nil {
		return nil, fmt.Errorf("read the description of %s: %w", path, err)
	}
	if found.Replace != nil {
		found = found.Replace
	}
	return found, nil
}

// download brings modules into the cache that are not there, and fills in their directories.
func download(ctx context.Context, progress io.Writer, modules ...*module) error {
	for _, m := range modules {
		if m.Dir != "" {
			continue
		}
		fmt.Fprintf(progress, "op-stack: downloading %s %s\n", m.Path, m.Version)
		out, err := goCommand(ctx, "", "mod", "download", "-json", m.Path+"@"+m.Version)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(out, m); err != nil {
			return fmt.Errorf("read the result of downloading %s: %w", m.Path, err)
		}
	}
	return nil
}

// goCommand runs the go command in dir and returns its standard output.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments are made in this file
	cmd.Dir, cmd.Stderr = dir, &stderr
	// A workspace of the caller, or flags for its own builds, must not leak into another module.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// prepare copies the sources and completes them with op-geth's bundle.
func prepare(source, optimismDir, gethDir string) error {
	if err := os.RemoveAll(source); err != nil {
		return err
	}
	if err := copySources(source, optimismDir); err != nil {
		return fmt.Errorf("copy the sources: %w", err)
	}
	bundle, err := os.ReadFile(filepath.Join(gethDir, filepath.FromSlash(gethBundle))) //nolint:gosec // a file of the module cache
	if err != nil {
		return fmt.Errorf("read op-geth's bundle of chain configurations: %w", err)
	}
	target := filepath.Join(source, filepath.FromSlash(optimismBundle))
	if err := os.WriteFile(target, bundle, 0o600); err != nil { //nolint:gosec // below the work directory
		return err
	}
	digest := sha256.Sum256(bundle)
	line := hex.EncodeToString(digest[:]) + "  " + filepath.Base(optimismBundle) + "\n"
	return os.WriteFile(filepath.Join(source, filepath.FromSlash(bundleDigest)), []byte(line), 0o600) //nolint:gosec // as above
}

// compile builds one program and moves it to its place once it is complete.
func compile(ctx context.Context, cfg Config, source, program string, position int) error {
	out, err := filepath.Abs(cfg.Out)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o750); err != nil {
		return err
	}
	fmt.Fprintf(cfg.Progress, "op-stack: building %s (%d of %d; the first takes some minutes)\n", program, position, len(Programs))
	var (
		begin   = time.Now()
		target  = filepath.Join(out, program)
		partial = target + ".partial"
	)
	if _, err := goCommand(ctx, source, "build", "-trimpath", "-buildvcs=false", "-o", partial, "./"+program+"/cmd"); err != nil {
		return fmt.Errorf("build %s: %w", program, err)
	}
	if err := os.Rename(partial, target); err != nil {
		return err
	}
	fmt.Fprintf(cfg.Progress, "op-stack: built %s in %v\n", program, time.Since(begin).Round(time.Second))
	return nil
}

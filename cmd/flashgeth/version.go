// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	gethversion "github.com/ethereum/go-ethereum/internal/version"
)

// release is flashgeth's own version.
const release = "0.1.0-unstable"

// upstreamModule is the path that go.mod replaces with op-geth.
const upstreamModule = "github.com/ethereum/go-ethereum"

// gitCommit and gitDate are set by the linker: -X main.gitCommit=... -X main.gitDate=YYYYMMDD.
var gitCommit, gitDate string

// versions are the three versions a binary is made of, without a leading v.
type versions struct {
	release string // flashgeth
	commit  string // flashgeth's commit, full, empty when unknown
	date    string // date of that commit, YYYYMMDD, empty when unknown
	opGeth  string // op-geth this binary runs
	geth    string // go-ethereum release that op-geth is based on
}

// buildVersion reads the versions of this binary. op-geth's own constants know its release only when
// its build script linked it in, so the module version recorded by the Go toolchain goes first.
func buildVersion() versions {
	v := versions{
		release: release, commit: gitCommit, date: gitDate,
		opGeth: gethversion.WithMeta, geth: gethversion.UpstreamGethWithMeta,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, dep := range info.Deps {
		if dep.Path == upstreamModule && dep.Replace != nil {
			v.opGeth = strings.TrimPrefix(dep.Replace.Version, "v")
		}
	}
	return v
}

// String is flashgeth's version with the short commit.
func (v versions) String() string {
	if len(v.commit) >= 8 {
		return v.release + "-" + v.commit[:8]
	}
	return v.release
}

// client is the version that the node announces to peers and over RPC. op-geth's comes first, because
// monitoring compares it with the releases an upgrade asks for.
func (v versions) client() string {
	return v.opGeth + "-flashgeth-" + v.String()
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "Print version numbers",
		ArgsUsage:   " ",
		Description: "Prints one `key: value` per line, for people and scripts.",
		Action: func(ctx *cli.Context) error {
			v := buildVersion()
			lines := []string{"Flashgeth", "Version: " + v.release}
			if v.commit != "" {
				lines = append(lines, "Git Commit: "+v.commit)
			}
			if v.date != "" {
				lines = append(lines, "Git Commit Date: "+v.date)
			}
			lines = append(lines,
				"Op-geth Version: "+v.opGeth,
				"Geth Version: "+v.geth,
				"Architecture: "+runtime.GOARCH,
				"Go Version: "+runtime.Version(),
				"Operating System: "+runtime.GOOS)
			_, err := fmt.Fprintln(ctx.App.Writer, strings.Join(lines, "\n"))
			return err
		},
	}
}

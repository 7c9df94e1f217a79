// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package opstack

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// unneeded are large top-level directories that hold no Go source of the programs.
var unneeded = []string{"docs", "rust"}

// copySources copies a module's files, writable, since those of the cache are read-only.
func copySources(target, module string) error {
	return filepath.WalkDir(module, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(module, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && slices.Contains(unneeded, name):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(target, name), 0o750)
		case !entry.Type().IsRegular():
			return nil
		default:
			return copyFile(filepath.Join(target, name), path)
		}
	})
}

// copyFile copies one file.
func copyFile(target, source string) error {
	in, err := os.Open(source) //nolint:gosec // a file of the module cache
	if err != nil {
		return err
	}
	defer in.Close()

	out, err := os.OpenFile(target, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // below the work directory
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
)

// maxNameLength bounds an application's name, which becomes a metric label and part of a Redis field.
const maxNameLength = 64

// Keyring knows which API key belongs to which application. It keeps hashes only, so nothing that
// prints it can print a key.
type Keyring struct {
	entries []keyEntry
}

type keyEntry struct {
	hash [sha256.Size]byte
	app  *application
}

// application is whoever holds a key. The nil application stands for requests without one.
type application struct {
	name  string
	limit int64        // most connections at a time, 0 for unlimited
	open  atomic.Int64 // connections of this process
}

// ParseKeys reads a comma-separated list of app:key or app:key:limit, the syntax of Base's and
// rollup-boost's proxies. The limit is the most connections of the application over all instances,
// 0 or absent for unlimited. An empty list is nil: no keys are configured.
//
// Errors name an entry by its place only. Even its first part is not echoed: with the parts swapped,
// it is the key.
func ParseKeys(list string) (*Keyring, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	ring := new(Keyring)
	for i, text := range strings.Split(list, ",") {
		app, key, err := parseKey(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("admission: API key list, entry %d: %w", i+1, err)
		}
		entry := keyEntry{hash: sha256.Sum256([]byte(key)), app: app}
		for j, other := range ring.entries {
			if other.app.name == app.name {
				return nil, fmt.Errorf("admission: API key list: entries %d and %d name the same application", j+1, i+1)
			}
			if other.hash == entry.hash {
				return nil, fmt.Errorf("admission: API key list: entries %d and %d have the same key", j+1, i+1)
			}
		}
		ring.entries = append(ring.entries, entry)
	}
	return ring, nil
}

// fresh returns the same keys with counters of their own, so that gatekeepers may share a keyring.
func (k *Keyring) fresh() *Keyring {
	if k == nil {
		return nil
	}
	ring := &Keyring{entries: make([]keyEntry, len(k.entries))}
	for i, entry := range k.entries {
		ring.entries[i] = keyEntry{hash: entry.hash, app: &application{name: entry.app.name, limit: entry.app.limit}}
	}
	return ring
}

// parseKey reads one entry of the list.
func parseKey(text string) (*application, string, error) {
	parts := strings.Split(text, ":")
	switch {
	case text == "":
		return nil, "", errors.New("it is empty; write app:key or app:key:limit")
	case len(parts) == 1:
		return nil, "", errors.New("it has no colon; write app:key or app:key:limit")
	case len(parts) > 3:
		return nil, "", errors.New("it has more than three parts; write app:key or app:key:limit, without colons in the key")
	case parts[0] == "":
		return nil, "", errors.New("the application's name, before the first colon, is missing")
	case len(parts[0]) > maxNameLength || strings.ContainsFunc(parts[0], notInName):
		return nil, "", fmt.Errorf("the application's name, before the first colon, may have at most %d letters, digits, '.', '_' and '-'", maxNameLength)
	case parts[1] == "":
		return nil, "", errors.New("the key, after the first colon, is missing")
	case strings.ContainsFunc(parts[1], notInKey):
		return nil, "", errors.New("the key may only have visible ASCII characters")
	}
	app := &application{name: parts[0]}
	if len(parts) == 3 {
		limit, err := strconv.ParseUint(parts[2], 10, 31)
		if err != nil {
			// The cause is left out on purpose: it quotes the text.
			return nil, "", errors.New("the limit, after the second colon, must be a whole number from 0 (unlimited) to 2147483647")
		}
		app.limit = int64(limit)
	}
	return app, parts[1], nil
}

func notInName(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-'
}

func notInKey(c rune) bool { return c <= ' ' || c > '~' }

// Apps returns the configured applications' names, in the order of the list.
func (k *Keyring) Apps() []string {
	if k == nil {
		return nil
	}
	names := make([]string, len(k.entries))
	for i, entry := range k.entries {
		names[i] = entry.app.name
	}
	return names
}

// Lookup returns the application a key belongs to, and its limit (0: unlimited). It takes the same
// time whichever key matches, if any.
func (k *Keyring) Lookup(key string) (app string, limit int, ok bool) {
	found := k.find(key)
	if found == nil {
		return "", 0, false
	}
	return found.name, int(found.limit), true
}

// find compares with every entry, and compares hashes, so that neither the place of a key in the list
// nor its length nor a common beginning shows in the time.
func (k *Keyring) find(key string) *application {
	if k == nil {
		return nil
	}
	hash := sha256.Sum256([]byte(key))
	found := -1
	for i := range k.entries {
		equal := subtle.ConstantTimeCompare(hash[:], k.entries[i].hash[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	if found < 0 {
		return nil
	}
	return k.entries[found].app
}

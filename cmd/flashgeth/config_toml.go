// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"reflect"
	"unicode"

	"github.com/naoina/toml"

	"github.com/ethereum/go-ethereum/log"
)

// tomlSettings read and write configuration files as geth does: keys are the Go field names, and a
// key that no field has stops start-up.
var tomlSettings = toml.Config{
	NormFieldName: func(_ reflect.Type, key string) string { return key },
	FieldToKey:    func(_ reflect.Type, field string) string { return field },
	MissingField:  missingField,
}

// retiredEthFields are [Eth] keys of older geth releases. They still load, without effect.
var retiredEthFields = map[string]bool{
	"EVMInterpreter":          true,
	"EWASMInterpreter":        true,
	"LightEgress":             true,
	"LightIngress":            true,
	"LightNoPrune":            true,
	"LightNoSyncServe":        true,
	"LightPeers":              true,
	"LightServ":               true,
	"TrieCleanCacheJournal":   true,
	"TrieCleanCacheRejournal": true,
}

// missingField decides about a key without a field: a warning if geth once had it, else an error.
func missingField(section reflect.Type, key string) error {
	if section.String() == "ethconfig.Config" && retiredEthFields[key] {
		log.Warn("Configuration key has no effect any more", "key", "Eth."+key)
		return nil
	}
	var hint string
	if name := section.Name(); name != "" && unicode.IsUpper(rune(name[0])) && section.PkgPath() != "main" {
		hint = fmt.Sprintf(", see https://pkg.go.dev/%s#%s for the fields", section.PkgPath(), name)
	}
	return fmt.Errorf("field '%s' is not defined in %s%s", key, section, hint)
}

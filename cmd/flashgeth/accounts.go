// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/accounts/external"
	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/accounts/scwallet"
	"github.com/ethereum/go-ethereum/accounts/usbwallet"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
)

// addAccountBackends gives the node its accounts: those of the external signer alone if there is
// one, so that no account shows up twice, else the keystore and the hardware wallets asked for.
func addAccountBackends(stack *node.Node) error {
	cfg, am := stack.Config(), stack.AccountManager()
	if cfg.ExternalSigner != "" {
		log.Info("Using external signer", "url", cfg.ExternalSigner)
		signer, err := external.NewExternalBackend(cfg.ExternalSigner)
		if err != nil {
			return fmt.Errorf("connect to the external signer: %w", err)
		}
		am.AddBackend(signer)
		return nil
	}
	scryptN, scryptP := keystore.StandardScryptN, keystore.StandardScryptP
	if cfg.UseLightweightKDF {
		scryptN, scryptP = keystore.LightScryptN, keystore.LightScryptP
	}
	keydir := stack.KeyStoreDir()
	am.AddBackend(keystore.NewKeyStore(keydir, scryptN, scryptP))
	if cfg.USB {
		addHub(am, "Ledger", usbwallet.NewLedgerHub)
		addHub(am, "HID Trezor", usbwallet.NewTrezorHubWithHID)
		addHub(am, "WebUSB Trezor", usbwallet.NewTrezorHubWithWebUSB)
	}
	if cfg.SmartCardDaemonPath != "" {
		addHub(am, "smart card", func() (*scwallet.Hub, error) {
			return scwallet.NewHub(cfg.SmartCardDaemonPath, scwallet.Scheme, keydir)
		})
	}
	return nil
}

// addHub adds a hub of hardware wallets. A node without its wallets still runs, so failing is a warning.
func addHub[H accounts.Backend](am *accounts.Manager, name string, open func() (H, error)) {
	hub, err := open()
	if err != nil {
		log.Warn("Failed to start wallet hub, running without it", "hub", name, "err", err)
		return
	}
	am.AddBackend(hub)
}

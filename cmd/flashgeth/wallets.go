// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
)

// walletBacklog is how many wallet events wait while a wallet is being opened. Wallets come and go
// by hand, so a handful is plenty; the account manager blocks beyond.
const walletBacklog = 16

// walletWatcher opens wallets as they appear and lets hardware wallets derive their accounts.
// It is a node.Lifecycle.
type walletWatcher struct {
	stack *node.Node
	quit  chan struct{}
	done  chan struct{}
}

func newWalletWatcher(stack *node.Node) *walletWatcher {
	return &walletWatcher{stack: stack, quit: make(chan struct{}), done: make(chan struct{})}
}

// Start implements node.Lifecycle.
func (w *walletWatcher) Start() error {
	go w.run()
	return nil
}

// Stop implements node.Lifecycle. It waits for a wallet that is just being opened.
func (w *walletWatcher) Stop() error {
	close(w.quit)
	<-w.done
	return nil
}

func (w *walletWatcher) run() {
	defer close(w.done)
	events := make(chan accounts.WalletEvent, walletBacklog)
	sub := w.stack.AccountManager().Subscribe(events)
	defer sub.Unsubscribe()

	client := ethclient.NewClient(w.stack.Attach())
	defer client.Close()
	for _, wallet := range w.stack.AccountManager().Wallets() {
		if err := wallet.Open(""); err != nil {
			log.Warn("Failed to open wallet", "url", wallet.URL(), "err", err)
		}
	}
	for {
		select {
		case event := <-events:
			handleWalletEvent(event, client)
		case <-w.quit:
			return
		}
	}
}

func handleWalletEvent(event accounts.WalletEvent, client *ethclient.Client) {
	wallet := event.Wallet
	switch event.Kind {
	case accounts.WalletArrived:
		if err := wallet.Open(""); err != nil {
			log.Warn("New wallet appeared, failed to open", "url", wallet.URL(), "err", err)
		}
	case accounts.WalletOpened:
		status, err := wallet.Status()
		log.Info("New wallet appeared", "url", wallet.URL(), "status", status, "err", err)
		paths := []accounts.DerivationPath{accounts.DefaultBaseDerivationPath}
		if wallet.URL().Scheme == "ledger" {
			paths = []accounts.DerivationPath{accounts.LegacyLedgerBaseDerivationPath, accounts.DefaultBaseDerivationPath}
		}
		wallet.SelfDerive(paths, client)
	case accounts.WalletDropped:
		log.Info("Old wallet dropped", "url", wallet.URL())
		if err := wallet.Close(); err != nil {
			log.Debug("Failed to close dropped wallet", "url", wallet.URL(), "err", err)
		}
	}
}

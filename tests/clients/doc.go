// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package clients proves that wallets and apps work with flashblocks as they are: viem and ethers from npm,
// and go-ethereum's ethclient, on a devnet's sequencer and on its follower. The scripts are in js/, with
// the versions in a lock file that names no registry; their packages are installed below build/ and never
// committed. Where Node.js is missing the test says so and goes on with ethclient, unless CI is set.
package clients

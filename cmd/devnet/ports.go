// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
)

// portFlags are the flags that choose ports, in a part of the help of their own.
func portFlags() []cli.Flag {
	list := make([]cli.Flag, 0, len(devnet.PortChoices))
	for i := range devnet.PortChoices {
		choice := &devnet.PortChoices[i]
		list = append(list, &cli.IntFlag{Name: choice.Flag(), Usage: choice.Usage, Category: "PORTS ON LOOPBACK, 0 FOR A FREE ONE"})
	}
	return list
}

// chosenPorts returns what these flags say.
func chosenPorts(c *cli.Context) devnet.Ports {
	ports := make(devnet.Ports)
	for i := range devnet.PortChoices {
		choice := &devnet.PortChoices[i]
		ports[choice.Name] = c.Int(choice.Flag())
	}
	return ports
}

// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package admission decides who may connect to the proxy, and how many.
//
// A [Gatekeeper] looks at a request before it is upgraded: at its API key, at the address of the client
// behind trusted proxies, and at four limits (this instance, all instances, one client address, one
// application). It answers with a [Ticket], to be released when the connection ends, or a [Refusal]
// that says which rule fired.
//
// The limits of one process need nothing else. With Redis configured the instances count together:
// every admission is one atomic script, so two instances cannot both give away the last place. Each
// instance owns one hash of counts that expires unless it is refreshed, so the places of a dead
// instance come back by themselves. Redis is never a condition of service: without it, or when it takes
// too long, the local limits decide alone, and the counts are written again once it is back.
package admission

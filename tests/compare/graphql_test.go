// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
)

// graphQuery is asked of what follows, "pending" or a block. Both have these fields. The others of "pending"
// are about the pool or, as estimateGas, about the latest block, in op-geth as well.
const graphQuery = `{ WHERE {
	account(address: "ACCOUNT") { address balance transactionCount code storage(slot: "SLOT") }
	call(data: { from: "ACCOUNT", to: "ACCOUNT", data: "0x01" }) { data gasUsed status }
} }`

// graphAccount is the account that GraphQL is asked about: the vault of the priority fees.
var graphAccount = common.HexToAddress("0x4200000000000000000000000000000000000011")

// graph asks a node by GraphQL, which only HTTP serves.
func (n *ethNode) graph(where string) string {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	query := strings.NewReplacer("WHERE", where, "ACCOUNT", graphAccount.Hex(), "SLOT", common.Hash{}.Hex()).Replace(graphQuery)
	body, err := json.Marshal(map[string]string{"query": query})
	require.NoError(n.t, err)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.stack.HTTPEndpoint()+"/graphql", bytes.NewReader(body))
	require.NoError(n.t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(n.t, err)
	defer res.Body.Close()
	var out struct {
		Data   map[string]json.RawMessage
		Errors []any
	}
	require.NoError(n.t, json.NewDecoder(res.Body).Decode(&out))
	require.Empty(n.t, out.Errors, "GraphQL of %s", n.name)
	name, _, _ := strings.Cut(where, "(")
	require.Contains(n.t, out.Data, name)
	return string(out.Data[name])
}

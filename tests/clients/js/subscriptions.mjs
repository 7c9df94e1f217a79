// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Subscriptions through viem's websocket transport, and through a bare websocket for readers that
// misbehave.
import assert from 'node:assert/strict'
import { createPublicClient, webSocket } from 'viem'
import { WebSocket } from 'ws'
import { check, env, rejected, sleep, token, transfer, transferTopic, until, zeroHash } from './check.mjs'

export const subscriptionChecks = ({ chain, request, send, peer }) => {
  const connect = () => createPublicClient({ chain, transport: webSocket(env.ws, { retryCount: 0, keepAlive: false }) })

  // listen collects what a subscription brings.
  const listen = async (client, ...params) => {
    const got = []
    const { subscriptionId, unsubscribe } = await client.transport.subscribe({
      params,
      onData: (data) => got.push(data.result ?? data),
      onError: (error) => got.push(error),
    })
    assert.ok(subscriptionId)
    return { got, unsubscribe }
  }

  const elsewhere = '0x00000000000000000000000000000000000000ee'
  const kinds = {
    newFlashblocks: [['newFlashblocks'], (got) => got.find((b) => b.transactions?.length > 0 && b.hash === zeroHash)],
    'pendingLogs without a filter': [['pendingLogs'], (got) => got.find((l) => l.address === token && l.blockHash === zeroHash && !l.removed)],
    'pendingLogs, null': [['pendingLogs', null], (got) => got.find((l) => l.address === token)],
    'pendingLogs of an address and a topic': [['pendingLogs', { address: token, topics: [transferTopic] }], (got) => got.length && got.every((l) => l.address === token)],
    'pendingLogs of lists': [['pendingLogs', { address: [token, elsewhere], topics: [[transferTopic, zeroHash], null] }], (got) => got.length && got.every((l) => l.topics[0] === transferTopic)],
    newFlashblockTransactions: [['newFlashblockTransactions'], (got) => got.find((h) => /^0x[0-9a-f]{64}$/.test(h))],
    'newFlashblockTransactions, false': [['newFlashblockTransactions', false], (got) => got.find((h) => /^0x[0-9a-f]{64}$/.test(h))],
    'newFlashblockTransactions, true': [['newFlashblockTransactions', true], (got) => got.find((tx) => tx.to === token && tx.logs.length === 1 && tx.blockHash === null)],
    'newFlashblockTransactions of an address': [['newFlashblockTransactions', { address: token, topics: [transferTopic] }], (got) => got.length && got.every((tx) => tx.logs.some((l) => l.address === token))],
    newHeads: [['newHeads'], (got) => got.find((head) => head.hash !== zeroHash)],
    logs: [['logs', { address: token }], (got) => got.find((l) => l.blockHash !== zeroHash)],
  }

  check('subscriptions of every kind and shape, and unsubscribe', async () => {
    const client = connect()
    const open = []
    for (const [name, [params, good]] of Object.entries(kinds)) open.push({ name, good, ...(await listen(client, ...params)) })
    const none = await listen(client, 'pendingLogs', { address: elsewhere })
    for (let i = 0; i < 2; i++) await send(transfer(peer, 0))
    for (const { name, got, good } of open) {
      await until(`${name} has brought what it should`, () => good(got)).catch((error) => {
        throw new Error(`${error.message}; it has brought ${JSON.stringify(got.slice(0, 2)).slice(0, 2000)}`)
      })
    }
    assert.deepEqual(none.got, [], 'logs of an address without logs')

    for (const { unsubscribe } of open) await unsubscribe()
    const counts = open.map(({ got }) => got.length)
    await send(transfer(peer, 0))
    await sleep(2 * env.intervalMs) // nothing is to come
    assert.deepEqual(open.map(({ got }) => got.length), counts, 'notifications after unsubscribe')
    await none.unsubscribe()
    ;(await client.transport.getRpcClient()).close()
  })

  check('whoever is told finds it there', async () => {
    const client = connect()
    const wrong = []
    let told = 0
    const { unsubscribe } = await client.transport.subscribe({
      params: ['newFlashblockTransactions'],
      onData: async ({ result }) => {
        told++
        const receipt = await client.request({ method: 'eth_getTransactionReceipt', params: [result] })
        if (!receipt) wrong.push(result)
      },
    })
    await until('twenty transactions were told', () => told >= 20)
    await unsubscribe()
    await sleep(env.intervalMs) // for the answers under way
    assert.deepEqual(wrong, [], 'told of, but without a receipt')
    ;(await client.transport.getRpcClient()).close()
  })

  check('bad kinds and parameters are errors', async () => {
    const client = connect()
    for (const params of [['noSuchKind'], ['pendingLogs', 5], ['newFlashblockTransactions', 'all'], ['pendingLogs', { topics: 'x' }]]) {
      await rejected(client.transport.subscribe({ params, onData: () => {} }))
    }
    ;(await client.transport.getRpcClient()).close()
  })

  // bare opens a websocket with one subscription.
  const bare = (...params) => new Promise((resolve, reject) => {
    const socket = new WebSocket(env.ws)
    const got = []
    socket.on('error', reject)
    socket.on('open', () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params })))
    socket.on('message', (data) => {
      const message = JSON.parse(data)
      if (message.id === 1) resolve({ socket, got, id: message.result })
      else got.push(message.params.result)
    })
  })

  check('a reader that does not read harms nobody', async () => {
    const slow = await bare('newFlashblocks')
    slow.socket._socket.pause()
    const quick = await bare('newFlashblocks')
    await until('others are served', () => quick.got.length >= 8)
    await send(transfer(peer, 0))
    slow.socket._socket.resume()
    await until('it reads what has waited', () => slow.got.length >= 8)
    quick.socket.close()
    slow.socket.close()
  })

  check('a reader that comes again', async () => {
    for (let i = 0; i < 3; i++) {
      const { socket, got } = await bare('newFlashblocks')
      await until('it is served', () => got.length > 0)
      socket.terminate()
    }
    assert.ok(await request('eth_blockNumber'))
  })
}

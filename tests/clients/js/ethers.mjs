// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// ethers, whose formatters throw on anything that is missing from a receipt or a log.
import assert from 'node:assert/strict'
import { JsonRpcProvider, Network, Wallet, parseUnits } from 'ethers'
import { balanceOf, briskly, check, env, rejected, run, token, transfer, transferTopic, until, zeroHash } from './check.mjs'

const network = Network.from(env.chainId)
const provider = new JsonRpcProvider(env.rpc, network, { staticNetwork: network, cacheTimeout: -1, pollingInterval: 100 })
const wallet = new Wallet(env.keys[0], provider)
const peer = new Wallet(env.keys[1], provider)
const fees = { gasLimit: 300_000, maxFeePerGas: parseUnits('100', 'gwei'), maxPriorityFeePerGas: parseUnits('1', 'gwei') }
const position = () => provider.send('flashblocks_getPosition', [])
const pay = (data = transfer(peer.address, 0)) => wallet.sendTransaction({ to: token, data, ...fees })

// preconfirmed waits until a transaction has a receipt.
const preconfirmed = (hash) => until('there is a receipt', () => provider.getTransactionReceipt(hash))

if (env.idle) {
  check('a pending block without a flashblock is the latest', async () => {
    assert.equal(await position(), null)
    const [pending, latest] = await Promise.all([provider.getBlock('pending'), provider.getBlock('latest')])
    assert.equal(pending.hash, latest.hash)
  })
  await run('ethers without flashblocks')
}

check('formatBlock, formatTransactionResponse', async () => {
  const block = await until('a pending block has transactions', async () => {
    const block = await provider.getBlock('pending', true)
    return block.hash === zeroHash && block.prefetchedTransactions.length > 1 && block
  })
  assert.ok(block.prefetchedTransactions.every((tx, i) => tx.index === i && tx.blockHash === null && tx.blockNumber === block.number))
  assert.ok(block.gasUsed > 0n)
  assert.ok((await provider.getBalance(wallet.address, 'pending')) > 0n)
})

check('formatTransactionReceipt, formatLog while pending', async () => {
  const tx = await pay()
  const receipt = await preconfirmed(tx.hash)
  assert.equal(receipt.status, 1)
  assert.equal(receipt.logs.length, 1)
  const [log] = receipt.logs
  assert.equal(log.topics[0], transferTopic)
  assert.equal(log.transactionHash, tx.hash)
  assert.ok(!log.removed)
  const canonical = await until('the receipt is canonical', async () => {
    const r = await provider.getTransactionReceipt(tx.hash)
    return r.blockHash !== zeroHash && r
  })
  const unhashed = (r) => JSON.parse(JSON.stringify({ ...r.toJSON(), blockHash: null, logs: r.logs.map((l) => ({ ...l.toJSON(), blockHash: null })) }, (_, v) => typeof v === 'bigint' ? String(v) : v))
  assert.deepEqual(unhashed(receipt), unhashed(canonical))
})

check('wait(0) and wait(1)', async () => {
  const times = await briskly(env.blockMs / 2, async () => {
    const times = []
    for (let i = 0; i < 5; i++) {
      const tx = await pay()
      const begin = performance.now()
      await until('wait(0) gives the receipt', () => tx.wait(0))
      times.push(performance.now() - begin)
      const again = await tx.wait(1)
      assert.equal(again.hash, tx.hash)
    }
    return times
  })
  return `wait(0) after ${times.map(Math.round).join(', ')} ms`
})

check('wait(1) on what nobody has seen yet, and waitForTransaction', async () => {
  const tx = await pay()
  const receipt = await tx.wait(1, 20_000)
  assert.equal(receipt.status, 1)
  const canonical = await provider.waitForTransaction(tx.hash, 1, 20_000)
  assert.notEqual(canonical.blockHash, zeroHash)
})

check('getLogs: a number to pending, pending to pending, a block hash', async () => {
  const tx = await pay()
  const receipt = await preconfirmed(tx.hash)
  const filter = { address: token, topics: [transferTopic] }
  const has = (logs) => logs.some((log) => log.transactionHash === tx.hash)
  const from = await provider.getLogs({ ...filter, fromBlock: receipt.blockNumber, toBlock: 'pending' })
  assert.ok(has(from))
  const order = (l) => l.blockNumber * 100_000 + l.index
  assert.deepEqual(from.map(order), from.map(order).toSorted((a, b) => a - b))
  assert.equal(new Set(from.map(order)).size, from.length, 'a log came twice')

  const next = await pay()
  await until('pending to pending has it', async () => {
    const logs = await provider.getLogs({ ...filter, fromBlock: 'pending', toBlock: 'pending' })
    assert.ok(logs.every((log) => log.blockNumber === logs[0].blockNumber))
    return logs.some((log) => log.transactionHash === next.hash) || (await provider.getTransactionReceipt(next.hash))?.blockHash > zeroHash
  })
  const canonical = await until('it is canonical', async () => {
    const r = await provider.getTransactionReceipt(tx.hash)
    return r.blockHash !== zeroHash && r
  })
  assert.ok(has(await provider.getLogs({ ...filter, blockHash: canonical.blockHash })))
})

check('calls and estimates at pending', async () => {
  await provider.call({ to: token, data: balanceOf(wallet.address), blockTag: 'pending' })
  const gas = await provider.estimateGas({ from: wallet.address, to: token, data: transfer(peer.address, 0) })
  assert.ok(gas > 21_000n)
  const failed = await rejected(provider.estimateGas({ from: wallet.address, to: token, data: transfer(peer.address, 10n ** 30n), blockTag: 'pending' }))
  assert.equal(failed.code, 'CALL_EXCEPTION')
})

check('the signer takes its nonce from pending', async () => {
  const nonce = await wallet.getNonce('pending')
  const first = await pay()
  assert.equal(first.nonce, nonce)
  await preconfirmed(first.hash)
  const second = await pay()
  assert.equal(second.nonce, nonce + 1)
  const queued = await pay() // while the other waits or was just taken
  assert.equal(queued.nonce, nonce + 2)
  await preconfirmed(queued.hash)
  assert.equal(await wallet.getNonce('pending'), nonce + 3)
})

await run('ethers')

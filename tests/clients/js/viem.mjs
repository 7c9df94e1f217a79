// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// viem on a chain with preconfirmations, as an app uses it.
import assert from 'node:assert/strict'
import { createPublicClient, createWalletClient, defineChain, encodeFunctionData, http, keccak256, parseAbi, parseGwei } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { chainConfig } from 'viem/op-stack'
import { briskly, check, coded, env, factory, median, rejected, run, token, transfer, transferTopic, until, zeroHash } from './check.mjs'
import { subscriptionChecks } from './subscriptions.mjs'

const chain = defineChain({
  ...chainConfig,
  id: env.chainId,
  name: 'devnet',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [env.rpc] } },
  blockTime: env.blockMs,
  experimental_preconfirmationTime: env.intervalMs,
})
const account = privateKeyToAccount(env.keys[0])
const other = privateKeyToAccount(env.keys[1])
const client = createPublicClient({ chain, transport: http(env.rpc, { retryCount: 0 }) })
const wallet = createWalletClient({ account, chain, transport: http(env.rpc, { retryCount: 0 }) })
const request = (method, ...params) => client.request({ method, params }, { retryCount: 0 })
const position = () => request('flashblocks_getPosition')

const fees = { maxFeePerGas: parseGwei('100'), maxPriorityFeePerGas: parseGwei('1'), type: 'eip1559', chainId: env.chainId }
const sign = (from, tx) => from.signTransaction({ gas: 300_000n, value: 0n, ...fees, ...tx })
const nonceOf = (address) => client.getTransactionCount({ address, blockTag: 'pending' })
const abi = parseAbi(['function balanceOf(address) view returns (uint256)', 'function transfer(address,uint256) returns (bool)'])

// everything asks what a chain with preconfirmations asks at pending without a block tag.
const everything = async () => {
  const before = await client.getBlockNumber({ cacheTime: 0 })
  const block = await client.getBlock()
  assert.ok(block.number >= before, `pending block ${block.number} is behind ${before}`)
  assert.ok(block.transactions.length > 0 || block.number === 0n)
  const receipts = await request('eth_getBlockReceipts', client.experimental_blockTag)
  assert.ok(Array.isArray(receipts))
  assert.ok((await client.getBalance({ address: account.address })) > 0n)
  await client.call({ to: token, data: encodeFunctionData({ abi, functionName: 'balanceOf', args: [account.address] }) })
  assert.ok((await client.estimateGas({ account, to: token, data: transfer(other.address, 0) })) > 21_000n)
  const { results, block: simulated } = await client.simulateCalls({
    account,
    calls: [{ to: token, abi, functionName: 'transfer', args: [other.address, 0n] }],
  })
  assert.equal(results[0].status, 'success')
  assert.ok(simulated.number > before, `simulated block ${simulated.number} does not follow ${before}`)
  return block
}

check('viem asks at pending', async () => assert.equal(client.experimental_blockTag, 'pending'))

if (env.idle) {
  check('everything without a flashblock', async () => {
    assert.equal(await position(), null)
    const block = await everything()
    assert.equal(block.number, await client.getBlockNumber({ cacheTime: 0 }), 'pending is not latest')
    assert.notEqual(block.hash, zeroHash)
  })
  await run('viem without flashblocks')
}

check('everything, from index 0 over the middle to the boundary', async () => {
  const seen = { first: 0, middle: 0, boundary: 0, latest: 0 }
  const start = await client.getBlockNumber({ cacheTime: 0 })
  await until('two blocks have passed with every phase seen', async () => {
    const before = await position()
    await everything()
    const after = await position()
    if (!before || !after) seen.latest++
    else if (before.id !== after.id) seen.boundary++
    else if (before.index === '0x0') seen.first++
    else seen.middle++
    return (await client.getBlockNumber({ cacheTime: 0 })) >= start + 2n && seen.middle && seen.first + seen.boundary + seen.latest
  })
  return JSON.stringify(seen)
})

check('getBlockReceipts and getBlock belong together', async () => {
  await until('a block does not move in between', async () => {
    const before = await position()
    const [block, receipts] = [await client.getBlock({ includeTransactions: true }), await request('eth_getBlockReceipts', 'pending')]
    const after = await position()
    if (!before || before.id !== after?.id || before.index !== after.index) return false
    assert.deepEqual(receipts.map((r) => r.transactionHash), block.transactions.map((tx) => tx.hash))
    assert.ok(block.transactions.every((tx, i) => tx.blockHash === null && tx.transactionIndex === i && tx.blockNumber === block.number))
    assert.ok(receipts.every((r) => r.blockHash === zeroHash && r.logs.every((log) => log.blockHash === zeroHash && !log.removed)))
    assert.equal(block.hash, zeroHash)
    return true
  })
})

check('sendRawTransactionSync answers within a flashblock', async () => {
  // Half a slot is what it would take on average to wait for a block.
  const times = await briskly(env.blockMs / 2, async () => {
    const times = []
    for (let i = 0; i < 9; i++) {
      const raw = await sign(account, { to: token, data: transfer(other.address, 0), nonce: await nonceOf(account.address) })
      const begin = performance.now()
      const receipt = await wallet.sendRawTransactionSync({ serializedTransaction: raw })
      times.push(performance.now() - begin)
      assert.equal(receipt.status, 'success')
      assert.equal(receipt.logs[0].topics[0], transferTopic)
      assert.equal(receipt.transactionHash, keccak256(raw))
      assert.ok(receipt.l1Fee > 0n, 'no L1 fee')
    }
    return times
  })
  return `median ${Math.round(median(times))} ms, slowest ${Math.round(Math.max(...times))} ms`
})

check('waitForTransactionReceipt, and the same receipt once canonical', async () => {
  // The waiter looks when the block number changes, and before that only at what it does not know yet.
  const times = await briskly(2 * env.blockMs, async () => {
    const times = []
    for (let i = 0; i < 3; i++) {
      const raw = await sign(account, { to: token, data: transfer(other.address, 0), nonce: await nonceOf(account.address) })
      const hash = await wallet.sendRawTransaction({ serializedTransaction: raw })
      const begin = performance.now()
      const preconfirmed = await client.waitForTransactionReceipt({ hash })
      times.push(performance.now() - begin)
      const canonical = await until('the receipt is canonical', async () => {
        const receipt = await client.getTransactionReceipt({ hash })
        return receipt.blockHash !== zeroHash && receipt
      })
      const unhashed = (r) => ({ ...r, blockHash: null, logs: r.logs.map((log) => ({ ...log, blockHash: null })) })
      assert.deepEqual(unhashed(preconfirmed), unhashed(canonical))
    }
    return times
  })
  return `${times.map(Math.round).join(', ')} ms`
})

const sync = (raw, ...timeout) => request('eth_sendRawTransactionSync', raw, ...timeout)

for (const [name, timeout] of [['a number', [60_000]], ['hex', ['0xea60']], ['null', [null]], ['absent', []], ['above the cap', [86_400_000]], ['zero', [0]]]) {
  check(`sync send, timeout ${name}`, async () => {
    const raw = await sign(account, { to: other.address, nonce: await nonceOf(account.address) })
    const receipt = await sync(raw, ...timeout)
    assert.equal(receipt.transactionHash, keccak256(raw))
    assert.equal(receipt.status, '0x1')
  })
}

check('sync send, timeout 1 ms: error 4 with the hash, and included all the same', async () => {
  await until('one is not included at once', async () => {
    const raw = await sign(account, { to: other.address, nonce: await nonceOf(account.address) })
    const error = await sync(raw, 1).then((receipt) => assert.equal(receipt.transactionHash, keccak256(raw)), (e) => e)
    if (error) assert.equal(coded(error, 4).data, keccak256(raw))
    await until('it is included', () => request('eth_getTransactionReceipt', keccak256(raw)))
    return error
  })
})

check('sync send, bad timeouts', async () => {
  for (const bad of ['soon', -1, {}, 1.5]) coded(await rejected(sync('0x00', bad)), -32602)
})

check('sync send, reverted', async () => {
  const raw = await sign(account, { to: token, data: transfer(other.address, 10n ** 30n), nonce: await nonceOf(account.address) })
  const receipt = await sync(raw)
  assert.equal(receipt.status, '0x0')
  const thrown = await rejected(wallet.sendRawTransactionSync({
    serializedTransaction: await sign(account, { to: token, data: transfer(other.address, 10n ** 30n), nonce: await nonceOf(account.address) }),
    throwOnReceiptRevert: true,
  }))
  assert.equal(thrown.name, 'TransactionReceiptRevertedError')
})

check('sync send, included already', async () => {
  const raw = await sign(account, { to: other.address, nonce: await nonceOf(account.address) })
  await sync(raw)
  const begin = performance.now()
  const error = await sync(raw).then((receipt) => assert.equal(receipt.transactionHash, keccak256(raw)), (e) => e)
  if (error) assert.match(error.message, /already known|nonce too low/)
  assert.ok(performance.now() - begin < 15_000, 'it waited for what it could know')
  return error ? 'an error at once' : 'the receipt'
})

check('sync send, nonce gap: error 4 with the hash', async () => {
  const nonce = await nonceOf(other.address)
  const raw = await sign(other, { to: account.address, nonce: nonce + 1 })
  const error = coded(await rejected(sync(raw, 3 * env.intervalMs)), 4)
  assert.equal(error.data, keccak256(raw))
  // What is missing makes both executable.
  const missing = await sign(other, { to: account.address, nonce })
  await sync(missing)
  await until('the second is included too', () => request('eth_getTransactionReceipt', keccak256(raw)))
})

check('nonces: consecutive flashblocks, and one in the pool', async () => {
  const nonce = await nonceOf(account.address)
  for (let i = 0; i < 2; i++) {
    await sync(await sign(account, { to: other.address, nonce: nonce + i }))
    assert.equal(await nonceOf(account.address), nonce + i + 1)
  }
  await sync(await sign(account, { to: other.address, nonce: nonce + 2 }))
  const raw = await sign(account, { to: other.address, nonce: nonce + 3 })
  const hash = await request('eth_sendRawTransaction', raw)
  assert.equal(await nonceOf(account.address), nonce + 4, 'the one that waits does not count')
  await until('it is included', () => request('eth_getTransactionReceipt', hash))
  assert.equal(await nonceOf(account.address), nonce + 4)
})

check('nonces: an authority (EIP-7702) and a creator', async () => {
  const authority = privateKeyToAccount(env.keys[2])
  const nonce = await nonceOf(authority.address)
  const authorization = await authority.signAuthorization({ chainId: env.chainId, address: token, nonce })
  const receipt = await sync(await sign(account, { type: 'eip7702', to: other.address, authorizationList: [authorization], nonce: await nonceOf(account.address) }))
  assert.equal(receipt.status, '0x1')
  assert.equal(await nonceOf(authority.address), nonce + 1)
  assert.equal(await client.getCode({ address: authority.address, blockTag: 'pending' }), '0xef0100' + token.slice(2))

  const { contractAddress } = await sync(await sign(account, { data: factory, nonce: await nonceOf(account.address) }))
  assert.equal(await nonceOf(contractAddress), 1)
  await sync(await sign(account, { to: contractAddress, nonce: await nonceOf(account.address) }))
  assert.equal(await nonceOf(contractAddress), 2)
})

check('getProof is an error, capabilities are told', async () => {
  const error = await rejected(until('there is a flashblock', async () => (await position()) && request('eth_getProof', account.address, [], 'pending')))
  assert.match(error.message, /proof/)
  assert.deepEqual(await request('op_supportedCapabilities'), ['flashblocksv1'])
})

check('reading behind a position', async () => {
  const receipt = await sync(await sign(account, { to: other.address, nonce: await nonceOf(account.address) }))
  const at = await position()
  const read = await request('flashblocks_read', { method: 'eth_getTransactionReceipt', params: [receipt.transactionHash], ...(at && { minimum: { blockNumber: at.blockNumber, index: at.index } }) })
  assert.equal(read.result.transactionHash, receipt.transactionHash)
})

subscriptionChecks({ chain, request, sync, send: async (data) => sync(await sign(account, { to: token, data, nonce: await nonceOf(account.address) })), peer: other.address })

await run('viem')

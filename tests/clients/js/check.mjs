// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// What the scripts share: where the nodes are, a list of checks, and what contracts the checks use.
import assert from 'node:assert/strict'

const need = (name) => {
  const value = process.env[name]
  assert.ok(value, `the environment variable ${name} is not set`)
  return value
}

export const env = {
  rpc: need('RPC'), // of the node under test
  ws: need('WS'),
  chainId: Number(need('CHAIN_ID')),
  keys: need('KEYS').split(','), // accounts that nobody else uses
  intervalMs: Number(need('INTERVAL_MS')), // between two flashblocks
  blockMs: Number(need('BLOCK_MS')),
  idle: process.env.IDLE === '1', // the sequencer is stopped: there are no flashblocks
}

export const zeroHash = '0x' + '00'.repeat(32)

// The devnet's token: transfer(address,uint256) with an event, balanceOf(address).
export const token = '0xf1a5000000000000000000000000000000000004'
export const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'
const word = (n) => BigInt(n).toString(16).padStart(64, '0')
export const transfer = (to, amount) => '0xa9059cbb' + word(to) + word(amount)
export const balanceOf = (holder) => '0x70a08231' + word(holder)

// Deploys a contract that creates another one whenever it is called.
export const factory = '0x600e80600b6000396000f36133ff6000526002601e6000f000'

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// until asks again and again until an answer is good.
export const until = async (what, ask, limitMs = 120_000, pauseMs = 5) => {
  const deadline = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    assert.ok(performance.now() < deadline, `waited in vain until ${what}`)
    await sleep(pauseMs)
  }
}

// briskly measures a few times what should be quick, until the median is below a limit: a machine may be busy
// for a while, and what waits for the wrong thing does so every time.
export const briskly = async (limitMs, measure) => {
  for (let round = 1; ; round++) {
    const times = await measure()
    if (median(times) < limitMs) return times
    assert.ok(round < 6, `median ${median(times)} ms, not below ${limitMs} ms in any round`)
  }
}

// rejected returns the error of a promise that must fail.
export const rejected = async (promise) => {
  let value
  try {
    value = await promise
  } catch (error) {
    return error
  }
  assert.fail(`did not fail: ${JSON.stringify(value)}`)
}

// coded finds the JSON-RPC error in what a library makes of it.
export const coded = (error, code) => {
  const seen = []
  const look = (e) => {
    if (!e || typeof e !== 'object' || seen.includes(e)) return null
    seen.push(e)
    if (e.code === code && 'message' in e) return e
    return look(e.cause) ?? look(e.error) ?? look(e.info?.error) ?? look(e.info)
  }
  const found = look(error)
  assert.ok(found, `no error ${code} in ${error}`)
  return found
}

export const median = (list) => list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) / 2)]

const checks = []

// check adds a check. They run in order.
export const check = (name, run) => checks.push({ name, run })

// run runs the checks and ends the process, with 1 if any failed.
export const run = async (title) => {
  let failed = 0
  for (const { name, run } of checks) {
    const begin = performance.now()
    try {
      const told = await run()
      console.log(`ok   ${name} (${Math.round(performance.now() - begin)} ms)${told ? ': ' + told : ''}`)
    } catch (error) {
      failed++
      console.log(`FAIL ${name}: ${error?.stack ?? error}`)
      if (error?.cause) console.log(`  because: ${error.cause}`)
    }
  }
  console.log(`${title}: ${checks.length - failed} passed, ${failed} failed`)
  process.exit(failed ? 1 : 0)
}

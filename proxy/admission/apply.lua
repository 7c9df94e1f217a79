-- Copyright 2026 The flashgeth Authors
-- SPDX-License-Identifier: LGPL-3.0-or-later
--
-- Corrects this instance's counts, then decides claims against the counts of all live instances.
--
-- KEYS[1]  set of instance ids
-- KEYS[2]  hash of this instance: its epoch, and one count per field
-- ARGV     epoch, time to live in ms, instance id, what all hash keys begin with,
--          global limit, per-IP limit, number of corrections,
--          per correction: field, change
--          per claim: IP field or '', application field or '', application's limit
-- Returns  {-1} if the epoch is another one or gone; else 0 and per claim
--          0 admitted, 1 global limit, 2 per-IP limit, 3 application's limit
--
-- An instance lives as long as its hash, which Redis lets expire: no clock is compared here. The hashes
-- of the other instances are found through the set, so they cannot be declared as keys; in a cluster
-- the prefix must carry a hash tag.

if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[1] then
	return { -1 }
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])

local function change(field, n)
	if redis.call('HINCRBY', KEYS[2], field, n) == 0 then
		redis.call('HDEL', KEYS[2], field)
	end
end

local next = 8
for _ = 1, tonumber(ARGV[7]) do
	change(ARGV[next], ARGV[next + 1])
	next = next + 2
end

local live = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
	local key = ARGV[4] .. id
	if redis.call('EXISTS', key) == 1 then
		live[#live + 1] = key
	else
		redis.call('SREM', KEYS[1], id)
	end
end

local function full(field, limit)
	if field == '' or limit == 0 then
		return false
	end
	local sum = 0
	for _, key in ipairs(live) do
		sum = sum + tonumber(redis.call('HGET', key, field) or 0)
	end
	return sum >= limit
end

local global, per_ip = tonumber(ARGV[5]), tonumber(ARGV[6])
local verdicts = { 0 }
while next <= #ARGV do
	local ip, app, app_limit = ARGV[next], ARGV[next + 1], tonumber(ARGV[next + 2])
	local verdict = 0
	if full('total', global) then
		verdict = 1
	elseif full(ip, per_ip) then
		verdict = 2
	elseif full(app, app_limit) then
		verdict = 3
	else
		change('total', 1)
		if ip ~= '' then
			change(ip, 1)
		end
		if app ~= '' then
			change(app, 1)
		end
	end
	verdicts[#verdicts + 1] = verdict
	next = next + 3
end
return verdicts

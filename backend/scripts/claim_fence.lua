-- Makes sure that an attempt is either committed now or never will be. A commit
-- that comes later finds the tombstone; nobody has to guess from the time.
-- KEYS: the organization's list of claims, its tombstones.
-- ARGV: entry of the list, what the attempt would write there, the attempt, how
-- long a tombstone is kept in milliseconds.
-- Answers what the list says: what the attempt writes when it was committed,
-- something else when the organization holds the claim by another attempt.
local call = redis.call
local held = call('HGET', KEYS[1], ARGV[1]) or ''
if held == ARGV[2] then return held end
local now = call('TIME')
local till = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000) + tonumber(ARGV[4])
call('HSET', KEYS[2], ARGV[3], string.format('%.0f', till))
-- Sweep goes by the times written there; this is for organizations that are gone.
call('PEXPIRE', KEYS[2], ARGV[4])
return held

-- Makes a parked item due again. An attempt that is sent again gets what it got.
-- KEYS: attempts, attempts, the list, parked items, their causes.
-- ARGV: attempt, item, now in microseconds.
local minute = math.floor(tonumber(call('TIME')[1]) / 60)
local current, older = KEYS[1 + minute % 2], KEYS[2 - minute % 2]
local known = call('HGET', current, ARGV[1]) or call('HGET', older, ARGV[1])
if known then return tonumber(known) end
local there = call('ZREM', KEYS[4], ARGV[2])
if there == 1 then
  call('HDEL', KEYS[5], ARGV[2])
  call('ZADD', KEYS[3], 'NX', ARGV[3], ARGV[2])
end
local stamp = string.format('%.0f', minute)
if call('HGET', current, 'm') ~= stamp then
  call('UNLINK', current)
  call('HSET', current, 'm', stamp, ARGV[1], there)
else
  call('HSET', current, ARGV[1], there)
end
return there

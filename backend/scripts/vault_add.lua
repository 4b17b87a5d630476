-- Stores a secret with its expiry in front, unless there is one that has not
-- expired. An attempt that is sent again gets what it got.
-- KEYS: attempts, attempts, secret, expiry list.
-- ARGV: attempt, value, expiry in milliseconds, now in milliseconds.
local minute = math.floor(tonumber(call('TIME')[1]) / 60)
local current, older = KEYS[1 + minute % 2], KEYS[2 - minute % 2]
local known = call('HGET', current, ARGV[1]) or call('HGET', older, ARGV[1])
if known then return tonumber(known) end
local held = call('GET', KEYS[3])
local added = 1
if held and (tonumber(string.sub(held, 1, 13)) or 0) > tonumber(ARGV[4]) then added = 0 end
if added == 1 then
  call('SET', KEYS[3], ARGV[2])
  call('ZADD', KEYS[4], ARGV[3], KEYS[3])
end
local stamp = string.format('%.0f', minute)
if call('HGET', current, 'm') ~= stamp then
  call('UNLINK', current)
  call('HSET', current, 'm', stamp, ARGV[1], added)
else
  call('HSET', current, ARGV[1], added)
end
return added

-- Takes a secret out, once. An attempt that is sent again gets what it got.
-- KEYS: attempts, attempts, secret, expiry list. ARGV: attempt.
local minute = math.floor(tonumber(call('TIME')[1]) / 60)
local current, older = KEYS[1 + minute % 2], KEYS[2 - minute % 2]
local known = call('HGET', current, ARGV[1]) or call('HGET', older, ARGV[1])
if known then return known end
local value = call('GET', KEYS[3])
if not value then return false end
call('DEL', KEYS[3])
call('ZREM', KEYS[4], KEYS[3])
local stamp = string.format('%.0f', minute)
if call('HGET', current, 'm') ~= stamp then
  call('UNLINK', current)
  call('HSET', current, 'm', stamp, ARGV[1], value)
else
  call('HSET', current, ARGV[1], value)
end
return value

-- Stores a secret with its expiry in front. An attempt that is sent again does
-- nothing: others may have taken the secret or stored another one since.
-- KEYS: attempts, attempts, secret, expiry list. ARGV: attempt, value, expiry in
-- milliseconds.
local minute = math.floor(tonumber(call('TIME')[1]) / 60)
local current, older = KEYS[1 + minute % 2], KEYS[2 - minute % 2]
if call('HGET', current, ARGV[1]) or call('HGET', older, ARGV[1]) then return 1 end
call('SET', KEYS[3], ARGV[2])
call('ZADD', KEYS[4], ARGV[3], KEYS[3])
local stamp = string.format('%.0f', minute)
if call('HGET', current, 'm') ~= stamp then
  call('UNLINK', current)
  call('HSET', current, 'm', stamp, ARGV[1], '1')
else
  call('HSET', current, ARGV[1], '1')
end
return 1

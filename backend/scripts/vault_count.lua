-- Counts up and answers the count, which begins anew once its time has passed. An
-- attempt that is sent again gets what it got.
-- KEYS: attempts, attempts, counter, expiry list.
-- ARGV: attempt, expiry in 13 digits, now in milliseconds.
local minute = math.floor(tonumber(call('TIME')[1]) / 60)
local current, older = KEYS[1 + minute % 2], KEYS[2 - minute % 2]
local known = call('HGET', current, ARGV[1]) or call('HGET', older, ARGV[1])
if known then return tonumber(known) end
local held = call('GET', KEYS[3])
local expiry, n = ARGV[2], 1
if held and (tonumber(string.sub(held, 1, 13)) or 0) > tonumber(ARGV[3]) then
  expiry, n = string.sub(held, 1, 13), (tonumber(string.sub(held, 14)) or 0) + 1
end
call('SET', KEYS[3], expiry .. string.format('%d', n))
call('ZADD', KEYS[4], tonumber(expiry), KEYS[3])
local stamp = string.format('%.0f', minute)
if call('HGET', current, 'm') ~= stamp then
  call('UNLINK', current)
  call('HSET', current, 'm', stamp, ARGV[1], n)
else
  call('HSET', current, ARGV[1], n)
end
return n

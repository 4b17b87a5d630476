-- Forgets tombstones whose time has passed: a commit that they would stop is too
-- late by then. KEYS: the tombstones. ARGV: some of their names.
local now = tonumber(redis.call('TIME')[1]) * 1000
local n = 0
for i = 1, #ARGV do
  local till = redis.call('HGET', KEYS[1], ARGV[i])
  if till and tonumber(till) < now then n = n + redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return n

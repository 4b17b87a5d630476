-- Deletes the keys that an organization has once, and leaves word of it for those
-- who look for its commits after a failover: they are not lost.
-- KEYS: the word, the events, then all other keys. ARGV: how long the word is kept
-- in milliseconds, 0 for none. It says up to when commits are gone, in the same
-- milliseconds as the events; nothing is wrong when it stays for longer.
local call = redis.call
if tonumber(ARGV[1]) > 0 then
  local now = call('TIME')
  local till = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
  local last = call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', '1')
  if last[1] then till = math.max(till, tonumber(string.match(last[1][1], '^%d+'))) end
  till = math.max(till, tonumber(call('GET', KEYS[1]) or '0'))
  call('SET', KEYS[1], string.format('%.0f', till), 'PX', ARGV[1])
end
for i = 2, #KEYS do call('UNLINK', KEYS[i]) end
return 1

-- Parked items, oldest first. KEYS: parked items, their causes. ARGV: last rank.
-- Answers for each: item, since, "<tries> <cause>".
local list = redis.call('ZRANGE', KEYS[1], '0', ARGV[1], 'WITHSCORES')
local out = {}
for i = 1, #list, 2 do
  local n = #out
  out[n + 1], out[n + 2] = list[i], list[i + 1]
  out[n + 3] = redis.call('HGET', KEYS[2], list[i]) or ''
end
return out

-- Takes claims, and gives others back. KEYS: claims; in one slot on a cluster.
-- ARGV: for each claim: take or free, how a value begins that may be written
-- over or removed, the whole value to take it by.
-- Answers for each '' or the value by which somebody else has it.
local out = {}
for i = 1, #KEYS do
  local word, own, value = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  local v = redis.call('GET', KEYS[i])
  local mine = v and string.sub(v, 1, #own) == own
  out[i] = ''
  if word == 'free' then
    if mine then redis.call('DEL', KEYS[i]) end
  elseif v and not mine then
    out[i] = v
  else
    redis.call('SET', KEYS[i], value)
  end
end
return out

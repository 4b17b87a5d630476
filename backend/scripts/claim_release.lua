-- Gives a claim back, if it is still that of one of the attempts.
-- KEYS: the claim. ARGV: the attempts.
local v = redis.call('GET', KEYS[1])
local attempt = v and string.match(v, '^.|[^|]*|[^|]*|([^|]*)')
for i = 1, #ARGV do
  if attempt == ARGV[i] then return redis.call('DEL', KEYS[1]) end
end
return 0

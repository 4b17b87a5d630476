-- Lets a claim say what was committed. It never makes one: what is not there has
-- been given back meanwhile.
-- KEYS: the claim. ARGV: what it is to say, then the attempts that may stand
-- there: its own, and earlier ones of the same organization.
local v = redis.call('GET', KEYS[1])
local attempt = v and string.match(v, '^.|[^|]*|[^|]*|([^|]*)')
for i = 2, #ARGV do
  if attempt == ARGV[i] then
    redis.call('SET', KEYS[1], ARGV[1])
    return 1
  end
end
return 0

-- Gives a claim back, if it is still that of one of the organization's attempts.
-- Attempts alone do not tell: claims that were restored from one file share one.
-- KEYS: the claim. ARGV: the organization, the attempts.
local v = redis.call('GET', KEYS[1])
local org, attempt = string.match(v or '', '^.|([^|]*)|[^|]*|([^|]*)')
if org ~= ARGV[1] then return 0 end
for i = 2, #ARGV do
  if attempt == ARGV[i] then return redis.call('DEL', KEYS[1]) end
end
return 0

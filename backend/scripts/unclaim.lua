-- Gives back claims of an organization that is being erased.
-- KEYS: the organization's list of claims, then the claims.
-- ARGV: beginning of the organization's claims, then the entries of the list.
local call = redis.call
for i = 2, #KEYS do
  local v = call('GET', KEYS[i])
  local head = 'P' .. string.sub(ARGV[1], 2) .. (call('HGET', KEYS[1], ARGV[i]) or '') .. '|'
  if v and (string.sub(v, 1, #ARGV[1]) == ARGV[1] or string.sub(v, 1, #head) == head) then call('DEL', KEYS[i]) end
  call('HDEL', KEYS[1], ARGV[i])
end
return #KEYS - 1

-- Gives back claims of an organization that is being erased.
-- KEYS: the claims, then the organization's list of claims if it is in the slot.
-- ARGV: the organization, number of claims, then the entries of the list.
local call = redis.call
local list = KEYS[tonumber(ARGV[2]) + 1]
for i = 1, tonumber(ARGV[2]) do
  local v = call('GET', KEYS[i])
  if v and string.match(v, '^[CP]|([^|]*)|') == ARGV[1] then call('DEL', KEYS[i]) end
  if list then call('HDEL', list, ARGV[i + 2]) end
end
return tonumber(ARGV[2])

-- Gives a lease back. Its number stays, for the next one to be greater; the
-- token is good for nothing any more. KEYS: the lease. ARGV: the token.
local v = redis.call('GET', KEYS[1])
if not v or string.sub(v, 3, 27) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], string.sub(v, 1, 15) .. string.rep('-', 12) .. string.rep('0', 13))
return 1

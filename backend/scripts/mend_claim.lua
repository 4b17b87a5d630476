-- Lets a claim say something else, if it says what was seen. It may be sent again.
-- KEYS: the claim. ARGV: what was seen, '' for nothing; what it is to say, '' for
-- nothing.
local v = redis.call('GET', KEYS[1]) or ''
if v ~= ARGV[1] and v ~= ARGV[2] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
return 1

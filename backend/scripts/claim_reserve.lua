-- Reserves a claim for one attempt, or tells who has it.
-- KEYS: the claim. ARGV: what it is to say, "P|<org>|<holder>|<attempt>|<entry>",
-- the last as the organization's list will call it.
-- Answers '' when it says so now, else what it says. Sent again it is written
-- again, so that waiting for replicas covers it.
local v = redis.call('GET', KEYS[1])
if v and v ~= ARGV[1] then return v end
redis.call('SET', KEYS[1], ARGV[1])
return ''

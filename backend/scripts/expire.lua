-- Removes one thing whose time has passed, unless it was given more time.
-- KEYS: expiry list, the thing, then indexes it stands in by id.
-- ARGV: time in milliseconds, id.
local due = redis.call('ZSCORE', KEYS[1], KEYS[2])
if not due or tonumber(due) >= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], KEYS[2])
for i = 3, #KEYS do redis.call('ZREM', KEYS[i], ARGV[2]) end
return 1

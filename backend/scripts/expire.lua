-- Removes one thing whose time has passed, unless it was given more time.
-- KEYS: expiry list, the thing, then indexes it stands in by id,
-- and what guard.lua wants.
-- ARGV: time in milliseconds, id.
local due = call('ZSCORE', KEYS[1], KEYS[2])
if not due or tonumber(due) >= tonumber(ARGV[1]) then return 0 end
call('DEL', KEYS[2])
call('ZREM', KEYS[1], KEYS[2])
for i = 3, last - 1 do call('ZREM', KEYS[i], ARGV[2]) end
return 1

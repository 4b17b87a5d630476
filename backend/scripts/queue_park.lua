-- Takes an item off the list into the parked ones, unless it was asked for anew.
-- KEYS: the lease, the list, tries, parked items, their causes.
-- ARGV: token, item, its score as read, now in milliseconds, "<tries> <cause>".
if call('GETRANGE', KEYS[1], '2', '26') ~= ARGV[1] then return 'fenced' end
local score = call('ZSCORE', KEYS[2], ARGV[2])
if not score and call('HGET', KEYS[5], ARGV[2]) == ARGV[5] then return 'ok' end -- sent again
if not score or tonumber(score) ~= tonumber(ARGV[3]) then return 'anew' end
call('ZREM', KEYS[2], ARGV[2])
call('HDEL', KEYS[3], ARGV[2])
call('ZADD', KEYS[4], ARGV[4], ARGV[2])
call('HSET', KEYS[5], ARGV[2], ARGV[5])
return 'ok'

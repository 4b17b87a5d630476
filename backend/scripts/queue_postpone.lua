-- Moves an item to a later time and counts the try, unless it was asked for
-- anew. KEYS: the lease, the list, tries.
-- ARGV: token, item, its score as read, the new score, tries by now.
if call('GETRANGE', KEYS[1], '2', '26') ~= ARGV[1] then return 'fenced' end
local score = call('ZSCORE', KEYS[2], ARGV[2])
local try = ARGV[4] .. ' ' .. ARGV[5]
if score and tonumber(score) == tonumber(ARGV[4]) and call('HGET', KEYS[3], ARGV[2]) == try then return 'ok' end -- sent again
if not score or tonumber(score) ~= tonumber(ARGV[3]) then return 'anew' end
call('ZADD', KEYS[2], ARGV[4], ARGV[2])
call('HSET', KEYS[3], ARGV[2], try)
return 'ok'

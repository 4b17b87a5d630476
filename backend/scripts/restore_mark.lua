-- Begins and ends the restoration of an organization.
-- KEYS: the mark, then keys of which none may be there when it begins.
-- ARGV: begin, done (all of the organization is there) or end (all of the file
-- is), the name of the backup, '1' to go on with one that was begun.
-- Answers 'ok', 'full', 'begun' (by a restoration of this backup) or what another
-- one has noted.
local call = redis.call
local there, name = call('GET', KEYS[1]), ARGV[2]
if ARGV[1] == 'end' then
  if there == name .. '+' then call('DEL', KEYS[1]) end
  return 'ok'
end
if ARGV[1] == 'done' then
  if there ~= name and there ~= name .. '+' then return there or 'lost' end
  call('SET', KEYS[1], name .. '+')
  return 'ok'
end
if there and there ~= name then return there end
if there and ARGV[3] ~= '1' then return 'begun' end
for i = 2, #KEYS do
  if not there and call('EXISTS', KEYS[i]) == 1 then return 'full' end
end
call('SET', KEYS[1], name)
return 'ok'

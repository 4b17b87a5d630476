-- Begins and ends the restoration of an organization.
-- KEYS: the mark, then keys of which none may be there when it begins.
-- ARGV: what, the name of the backup, the name of this run of its restoration,
-- '1' to go on with what another run has begun.
-- What it says: begin; take (only what was begun, to erase it); seal (all of it
-- is there, and its records in the platform come now); done (they are there);
-- end (so is all of the file).
-- The mark is the name of the backup, and behind it '.' and the run that writes,
-- '!' once sealed, '+' once done. Whoever takes it over ends the run before: what
-- that writes after it is refused.
-- Answers 'ok', 'sealed' (to begin: only the records in the platform are missing),
-- 'full', 'begun' (by another run) or what another backup's restoration has noted.
local call = redis.call
local what, name, mine = ARGV[1], ARGV[2], ARGV[2] .. '.' .. ARGV[3]
local there = call('GET', KEYS[1])
local ours = there and string.sub(there, 1, #name) == name
local sealed, done = there == name .. '!', there == name .. '+'
if what == 'end' then
  if done then call('DEL', KEYS[1]) end
  return 'ok'
end
if what == 'seal' or what == 'done' then
  if done or (what == 'seal' and sealed) then return 'ok' end
  if there ~= mine and not sealed then return there or 'lost' end
  call('SET', KEYS[1], name .. (what == 'seal' and '!' or '+'))
  return 'ok'
end
if there and (not ours or done) then return there end
if what == 'take' then
  if there then call('SET', KEYS[1], mine) end
  return 'ok'
end
if there and there ~= mine and ARGV[4] ~= '1' then return 'begun' end
if sealed then return 'sealed' end
for i = 2, #KEYS do
  if not there and call('EXISTS', KEYS[i]) == 1 then return 'full' end
end
call('SET', KEYS[1], mine)
return 'ok'

-- Begins, prolongs, freezes and ends the backup of an organization.
-- KEYS: the mark. ARGV: what (begin, renew, freeze, thaw, end), the backup's
-- name, for how many milliseconds.
-- The mark is the field '' of a hash: 13 digits of its end, 13 of the end of a
-- freeze, the name. All other fields are what was written since (guard.lua).
-- Answers 'ok' and how much is noted, 'running' and for how many milliseconds
-- another one has it still, or 'lost': the mark has ended, so that changes since
-- were not noted.
local call = redis.call
local time = call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local what, name, length = ARGV[1], ARGV[2], tonumber(ARGV[3])
local mark = call('HGET', KEYS[1], '')
local till, frozen, owner = 0, 0, ''
if mark then
  till, frozen, owner = tonumber(string.sub(mark, 1, 13)), tonumber(string.sub(mark, 14, 26)), string.sub(mark, 27)
end
if what == 'end' then
  if owner == name then call('UNLINK', KEYS[1]) end
  return {'ok', 0}
end
if what == 'begin' then
  if till > now and owner ~= name then return {'running', till - now} end
  if owner ~= name or till <= now then call('UNLINK', KEYS[1]) end
elseif owner ~= name or till <= now then
  return {'lost', 0}
end
local ice = 0
if what == 'freeze' then
  ice = now + length
elseif what == 'thaw' and frozen <= now then
  return {'lapsed', 0}
else
  till = math.max(till, now + length)
end
call('HSET', KEYS[1], '', string.format('%013.0f%013.0f', till, ice) .. name)
return {'ok', call('HLEN', KEYS[1]) - 1}

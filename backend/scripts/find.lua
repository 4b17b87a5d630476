-- The few records that an index has for one value, in one trip.
-- KEYS: the index, names of groups, counts of changes of groups.
-- ARGV: the value; how the keys of the records and of their groups begin (the
-- latter '' when groups are not wanted); at most so many; how the keys of
-- memberships begin, '' for other kinds than groups.
-- The other keys follow from the ids found; all are of the same organization
-- and thus in the same slot.
-- Answers nothing, {ids in a row} when there are too many, or the row and for
-- each id: record, count of changes, groups in a row, their names, size.
local call, sub = redis.call, string.sub
local row = call('HGET', KEYS[1], ARGV[1])
if not row then return false end
if #row > 20 * tonumber(ARGV[4]) then return {row} end
local out = {row}
for at = 1, #row, 20 do
  local id, n = sub(row, at, at + 19), #out
  local groups = ARGV[3] ~= '' and call('GET', ARGV[3] .. id) or ''
  local names = {}
  for from = 1, #groups, 20 do names[#names + 1] = call('HGET', KEYS[2], sub(groups, from, from + 19)) end
  out[n + 1] = call('GET', ARGV[2] .. id) or ''
  out[n + 2] = ARGV[5] ~= '' and call('HGET', KEYS[3], id) or ''
  out[n + 3], out[n + 4] = groups, names
  out[n + 5] = ARGV[5] ~= '' and call('ZCARD', ARGV[5] .. id) or 0
end
return out

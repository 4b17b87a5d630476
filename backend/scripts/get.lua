-- One user with its groups, in one trip.
-- KEYS: record, its groups, names of groups. Answers nothing, {record}, or
-- {record, groups in a row, their names, none for those that are gone}.
local call = redis.call
local record = call('GET', KEYS[1])
if not record then return false end
local row = call('GET', KEYS[2])
if not row then return {record} end
if #row == 20 then return {record, row, {call('HGET', KEYS[3], row)}} end
local ids, names = {}, {}
for at = 1, #row, 20 do ids[#ids + 1] = string.sub(row, at, at + 19) end
for from = 1, #ids, 500 do
  local part = call('HMGET', KEYS[3], unpack(ids, from, math.min(from + 499, #ids)))
  for i = 1, #part do names[#names + 1] = part[i] end
end
return {record, row, names}

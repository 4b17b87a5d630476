-- Clears what a deleted group left with its former members.
-- KEYS: list of trash, the trash, then the groups of each former member.
-- ARGV: the group, then the former members.
local call, sub = redis.call, string.sub
local gid = ARGV[1]
for i = 3, #KEYS do
  local row = call('GET', KEYS[i]) or ''
  for at = 1, #row, 20 do
    if sub(row, at, at + 19) == gid then
      row = sub(row, 1, at - 1) .. sub(row, at + 20)
      if row == '' then call('DEL', KEYS[i]) else call('SET', KEYS[i], row) end
      break
    end
  end
  call('ZREM', KEYS[2], ARGV[i - 1])
end
if call('EXISTS', KEYS[2]) == 0 then call('ZREM', KEYS[1], gid) end
return 1

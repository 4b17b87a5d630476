-- Clears what a deleted group left with its former members, and makes due what
-- the group's end means for them, if its deletion asked for that.
-- KEYS: list of trash, the trash, list of what is due, then the groups of each
-- former member, and what guard.lua wants.
-- ARGV: the group, microseconds, then for each former member the id and the
-- item that becomes due, or ''.
local sub = string.sub
local gid = ARGV[1]
local asked = tonumber(call('ZSCORE', KEYS[1], gid) or '0') == 1
for i = 4, 2 + #ARGV / 2 do
  local row = call('GET', KEYS[i]) or ''
  for at = 1, #row, 20 do
    if sub(row, at, at + 19) == gid then
      row = sub(row, 1, at - 1) .. sub(row, at + 20)
      if row == '' then call('DEL', KEYS[i]) else call('SET', KEYS[i], row) end
      break
    end
  end
  local member, item = ARGV[2 * i - 5], ARGV[2 * i - 4]
  -- What is no former member any more was cleared by another sweep.
  if call('ZREM', KEYS[2], member) == 1 and asked and item ~= '' then
    local at, new = call('ZSCORE', KEYS[3], item), ARGV[2] -- as in commit.lua
    if at and tonumber(at) <= tonumber(new) then new = string.format('%.0f', tonumber(at) - 1) end
    call('ZADD', KEYS[3], new, item)
  end
end
if call('EXISTS', KEYS[2]) == 0 then call('ZREM', KEYS[1], gid) end
return 1

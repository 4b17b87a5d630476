-- What every script that changes the truth about an organization begins with.
-- The last key is the mark of a backup that may be running (backup_mark.lua),
-- but for the one that never exists (slot.go).
-- While one runs, each key and item that a script writes is noted beside the
-- mark, to be read again; while it reads the rest, nothing may change. A mark
-- ends by the server's clock, so that a backup that has died holds nobody up.
-- The scripts change things by call, never by redis.call.
local call = redis.call
local last = #KEYS -- behind it may stand one that never exists, see slot.go
if string.sub(KEYS[last], 1, 3) == 'nx:' then last = last - 1 end
local mark = call('HGET', KEYS[last], '')
if mark then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  if tonumber(string.sub(mark, 14, 26)) > now then return redis.error_reply('FROZEN a backup reads its last keys') end
  if tonumber(string.sub(mark, 1, 13)) > now then
    local notes = KEYS[last]
    local tag = string.sub(notes, 3) .. ':'
    local writes = {SET = 1, DEL = 1, UNLINK = 1, ZADD = 1, ZREM = 1, HSET = 1, HDEL = 1, SADD = 1, SREM = 1}
    local lists = {du = 'du', dt = 'du', dp = 'du', dc = 'du', tl = 'tl'}
    local function note(text) redis.call('HSET', notes, text, '1') end
    call = function(cmd, ...)
      if writes[cmd] then
        local key, args = ..., {select(2, ...)}
        local letters = string.match(key, '^%a+')
        if #letters == 1 or letters == 'vt' or letters == 'sp' then
          note(key)
        elseif letters == 'gm' or letters == 'tr' then
          for i = 1, #args do
            if #args[i] == 20 then note(key .. '|' .. args[i]) end
          end
        elseif letters == 'gv' or letters == 'mk' then
          note('g' .. tag .. args[1])
        elseif letters == 'xp' then
          for i = 1, #args do
            if string.find(args[i], tag, 1, true) then note(args[i]) end
          end
        elseif lists[letters] then
          note(lists[letters] .. '|' .. (cmd == 'HSET' and args[1] or args[#args]))
        end
      end
      return redis.call(cmd, ...)
    end
  end
end


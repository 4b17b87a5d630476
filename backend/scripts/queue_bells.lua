-- Takes messages: first those that somebody took and did not give back, then
-- new ones. All workers are one consumer: only the time tells who is gone.
-- KEYS: the bells, who has rung unheard. ARGV: idle milliseconds, how many.
-- Answers ids and organizations in turn.
local call = redis.call
local out = {}
if call('EXISTS', KEYS[1]) == 0 then return out end
local function take(list)
  for _, m in ipairs(list) do
    local org = m[2][2]
    if call('HGET', KEYS[2], org) == m[1] then call('HDEL', KEYS[2], org) end
    out[#out + 1] = m[1]
    out[#out + 1] = org
  end
end
local function claim()
  return redis.pcall('XAUTOCLAIM', KEYS[1], 'workers', 'worker', ARGV[1], '0-0', 'COUNT', ARGV[2])
end
local old = claim()
if old.err then
  -- The group can be lost where streams are restored without it.
  call('XGROUP', 'CREATE', KEYS[1], 'workers', '0')
  old = claim()
end
take(old[2])
local room = tonumber(ARGV[2]) - #out / 2
if room > 0 then
  local new = call('XREADGROUP', 'GROUP', 'workers', 'worker', 'COUNT', string.format('%.0f', room), 'STREAMS', KEYS[1], '>')
  if new then take(new[1][2]) end
end
return out

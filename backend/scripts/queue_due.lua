-- What is due. KEYS: the list, tries, parked items.
-- ARGV: now in microseconds, how many. Answers when the next one after these is
-- ('': there is none), then for each: item, score, tries, whether it was parked.
local call = redis.call
local now, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local list = call('ZRANGE', KEYS[1], '0', ARGV[2], 'WITHSCORES')
local failed, parked = call('HLEN', KEYS[2]) > 0, call('ZCARD', KEYS[3]) > 0
local out = {''}
for i = 1, #list, 2 do
  local item, score = list[i], list[i + 1]
  if i > 2 * limit or tonumber(score) > now then
    out[1] = score
    break
  end
  -- Tries are of one time only: an item that is asked for anew begins again.
  local at, tries = nil, '0'
  local noted = failed and call('HGET', KEYS[2], item)
  if noted then at, tries = string.match(noted, '^(%d+) (%d+)$') end
  if tonumber(at) ~= tonumber(score) then tries = '0' end
  local n = #out
  out[n + 1], out[n + 2], out[n + 3] = item, score, tries
  out[n + 4] = parked and call('ZSCORE', KEYS[3], item) and '1' or '0'
end
return out

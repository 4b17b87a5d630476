-- Second look and repair of a check. Each difference says what was seen when it
-- was found; where all of that is so at this moment the difference is real, and
-- what it asks for is done. It knows no rule of the domain.
-- KEYS: attempts, attempts, then a key for each guard and operation.
-- ARGV: attempt, number of differences, then for each: number of guards, for
-- each its kind, field and what was seen; number of operations, for each the
-- command, number of words behind the key, the words.
-- Answers a letter for each difference: 1 real, 0 not so any more, W a key of
-- another type stands in the way. Without operations nothing is written.
-- An attempt that is sent again gets what it got.
local K, A = KEYS, ARGV
local call, pcall, sub, unpack = redis.call, redis.pcall, string.sub, unpack
local minute = math.floor(tonumber(call('TIME')[1]) / 60)
local current, older = K[1 + minute % 2], K[2 - minute % 2]
local known = call('HGET', current, A[1]) or call('HGET', older, A[1])
if known then
  call('HSET', current, A[1], known)
  return known
end

-- Ids in a row, 20 bytes each: the place of one, and the row without it.
local function place(row, id)
  local at = string.find(row, id, 1, true)
  while at and at % 20 ~= 1 do at = string.find(row, id, at + 1, true) end
  return at
end
local function without(row, id)
  local at = place(row, id)
  while at do
    row = sub(row, 1, at - 1) .. sub(row, at + 20)
    at = place(row, id)
  end
  return row
end

local function read(kind, key, field)
  if kind == 'head' then return pcall('GETRANGE', key, '2', '26') end
  if kind == 'get' or kind == 'inrow' then return pcall('GET', key) end
  if kind == 'field' or kind == 'infield' then return pcall('HGET', key, field) end
  if kind == 'score' then return pcall('ZSCORE', key, field) end
  if kind == 'member' then return pcall('SISMEMBER', key, field) end
  if kind == 'exists' then return call('EXISTS', key) end
  return call('TYPE', key).ok
end
local function holds(kind, key, field, want)
  local is = read(kind, key, field)
  if type(is) == 'table' then return 'W' end
  if kind == 'inrow' then
    is = is and place(is, field) and '1' or '0'
  elseif kind == 'infield' then -- what was seen is 0 or 1, and the id
    is = (is and place(is, sub(want, 2)) and '1' or '0') .. sub(want, 2)
  elseif kind == 'score' and is and want ~= '' then
    return tonumber(is) == tonumber(want) and '1' or '0'
  end
  return tostring(is or '') == want and '1' or '0'
end

local writes = {
  -- An id under a value of a hash, or in a row of its own.
  PACK = function(key, value, id)
    local row = call('HGET', key, value) or ''
    if not place(row, id) then call('HSET', key, value, row .. id) end
  end,
  UNPACK = function(key, value, id)
    local row = without(call('HGET', key, value) or '', id)
    if row == '' then call('HDEL', key, value) else call('HSET', key, value, row) end
  end,
  JOIN = function(key, id)
    local row = call('GET', key) or ''
    if not place(row, id) then call('SET', key, row .. id) end
  end,
  PART = function(key, id)
    local row = without(call('GET', key) or '', id)
    if row == '' then call('DEL', key) else call('SET', key, row) end
  end,
}

local k, a, out, wrote = 2, 2, {}, false
for i = 1, tonumber(A[2]) do
  local state = '1'
  a = a + 1
  for _ = 1, tonumber(A[a]) do
    k = k + 1
    if state == '1' then
      local field = A[a + 2]
      state = holds(A[a + 1], K[k], field, A[a + 3])
    end
    a = a + 3
  end
  a = a + 1
  for _ = 1, tonumber(A[a]) do
    k = k + 1
    local n = tonumber(A[a + 2])
    if state == '1' then
      wrote = true
      if writes[A[a + 1]] then
        writes[A[a + 1]](K[k], unpack(A, a + 3, a + 2 + n))
      else
        call(A[a + 1], K[k], unpack(A, a + 3, a + 2 + n))
      end
    end
    a = a + 2 + n
  end
  out[i] = state
end
local answer = table.concat(out)
if not wrote then return answer end
local stamp = string.format('%.0f', minute)
if call('HGET', current, 'm') ~= stamp then
  call('UNLINK', current)
  call('HSET', current, 'm', stamp, A[1], answer)
else
  call('HSET', current, A[1], answer)
end
return answer

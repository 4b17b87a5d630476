-- Writes a piece of a backup with everything that follows from it. Sent again,
-- or after other pieces, it makes the same of the same.
-- KEYS and ARGV are read front to back; each section says how many items it has.
-- KEYS begin with the mark of the restoration, whose value is ARGV[1] ('': this
-- is no restoration of the organization that these are the keys of).
local K, A, call, sub = KEYS, ARGV, redis.call, string.sub
if A[1] ~= '' and call('GET', K[1]) ~= A[1] then return 'lost' end
local k, a = 1, 2

-- 0. Names that nobody else may have.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  local holder = call('HGET', K[k], A[a + 1])
  if holder and holder ~= A[a + 2] then return 'name' end
  a = a + 2
end
a = a + 1

-- Ids in a row, as in commit.lua.
local function place(row, id)
  local at = string.find(row, id, 1, true)
  while at and at % 20 ~= 1 do at = string.find(row, id, at + 1, true) end
  return at
end
local function without(row, id)
  local at = place(row, id)
  return at and sub(row, 1, at - 1) .. sub(row, at + 20) or row
end

-- 1. Fields of hashes to remove while they say what they said.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  local v = call('HGET', K[k], A[a + 1])
  if v and sub(v, 1, #A[a + 2]) == A[a + 2] then call('HDEL', K[k], A[a + 1]) end
  a = a + 2
end
a = a + 1

-- 2. Ids packed under one value, to take out and to put in; also of rows that
-- are keys of their own, for which the field is a zero byte.
for _ = 1, 2 do
  local put = A[a] == 'put'
  for _ = 1, tonumber(A[a + 1]) do
    k = k + 1
    local field, id = A[a + 2], A[a + 3]
    a = a + 2
    local row
    if field == '\0' then row = call('GET', K[k]) else row = call('HGET', K[k], field) end
    local there = row and place(row, id)
    local rest
    if put and not there then
      rest = (row or '') .. id
    elseif not put and there then
      rest = without(row, id)
    end
    if rest == '' then
      if field == '\0' then call('DEL', K[k]) else call('HDEL', K[k], field) end
    elseif rest then
      if field == '\0' then call('SET', K[k], rest) else call('HSET', K[k], field, rest) end
    end
  end
  a = a + 2
end

-- 3. Plain writes, in order: command, and how many arguments follow.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  local n = tonumber(A[a + 2])
  if n > 0 then call(A[a + 1], K[k], unpack(A, a + 3, a + 2 + n)) else call(A[a + 1], K[k]) end
  a = a + 2 + n
end
a = a + 1

-- 4. Pools and lines that were changed: the list has those that are not empty.
local names = K[k + 1]
k = k + 1
for _ = 1, tonumber(A[a]) do
  k = k + 1
  call(call('EXISTS', K[k]) == 1 and 'SADD' or 'SREM', names, K[k])
end
a = a + 1

-- 5. Events, but for those that are there.
local events = K[k + 1]
if tonumber(A[a]) > 0 then
  local last = call('XREVRANGE', events, '+', '-', 'COUNT', '1')
  local ms, seq = '0', '0'
  if #last > 0 then ms, seq = string.match(last[1][1], '^(%d+)-(%d+)$') end
  ms, seq = tonumber(ms), tonumber(seq)
  for _ = 1, tonumber(A[a]) do
    local m, s = string.match(A[a + 1], '^(%d+)-(%d+)$')
    m, s = tonumber(m), tonumber(s)
    if m > ms or (m == ms and s > seq) then
      call('XADD', events, A[a + 1], 'e', A[a + 2])
      ms, seq = m, s
    end
    a = a + 2
  end
end
return 'ok'

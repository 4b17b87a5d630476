-- The commit. It knows no rule of the domain: it compares what the unit of
-- work saw, decides links and pools, and then does what it is told.
--
-- KEYS and ARGV are read front to back, each section says how many items it
-- has. All checks come before the first write, and XADD, the only write that
-- can fail on state, comes before all others, because Redis does not roll back.
--
-- Answers: {'ok', lsn, notes about claims …}  {'same'}  {'changed'}  {'fenced'}
--          {'busy'}  {'aborted'}  {'late', the time}
--          {'name'|'claim'|'full'|'open'|'few'|'many'|'missing', number of the item, holder}
local K, A = KEYS, ARGV
local unpack, sub = unpack, string.sub
local k, a = 2, 4

-- Ids in a row, 20 bytes each: the place of one, and the row without it.
local function place(row, id)
  local at = string.find(row, id, 1, true)
  while at and at % 20 ~= 1 do at = string.find(row, id, at + 1, true) end
  return at
end
local function without(row, id)
  local at = place(row, id)
  return at and sub(row, 1, at - 1) .. sub(row, at + 20) or row
end

-- 1. Is this attempt known already? Two generations of a minute each.
local minute = math.floor(tonumber(call('TIME')[1]) / 60)
local current, older = K[1 + minute % 2], K[2 - minute % 2]
local known = call('HGET', current, A[1]) or call('HGET', older, A[1])
if known then return {'ok', known} end

-- 2. Leases that must be the newest: their token behind two bytes.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  a = a + 1
  if call('GETRANGE', K[k], '2', '26') ~= A[a] then return {'fenced'} end
end
a = a + 1

-- 2a. Records as seen: version and stamp, or nothing.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  a = a + 1
  if call('GETRANGE', K[k], '2', '26') ~= A[a] then return {'changed'} end
end
a = a + 1

-- 2b. Lists of groups as seen. Groups that are gone do not count.
for _ = 1, tonumber(A[a]) do
  local row = call('GET', K[k + 1]) or ''
  local ids, live = {}, {}
  for at = 1, #row, 20 do ids[#ids + 1] = sub(row, at, at + 19) end
  for from = 1, #ids, 500 do
    local to = math.min(from + 499, #ids)
    local names = call('HMGET', K[k + 2], unpack(ids, from, to))
    for i = from, to do
      if names[i - from + 1] then live[#live + 1] = ids[i] end
    end
  end
  k = k + 2
  a = a + 1
  if table.concat(live) ~= A[a] then return {'changed'} end
end
a = a + 1

-- 2b'. Memberships as often changed as seen.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  local was = call('HGET', K[k], A[a + 1])
  if (was and string.match(was, '^%d+') or '0') ~= A[a + 2] then return {'changed'} end
  a = a + 2
end
a = a + 1

-- 2c. Unique names: free, ours, or given up by another record of this commit.
for i = 1, tonumber(A[a]) do
  k = k + 1
  local holder = call('HGET', K[k], A[a + 1])
  if holder and holder ~= A[a + 2] and holder ~= A[a + 3] then return {'name', tostring(i), holder} end
  a = a + 3
end
a = a + 1

-- 2d. Claims: free, ours, or given up in this commit. Compared by beginning.
for i = 1, tonumber(A[a]) do
  k = k + 1
  local v = call('GET', K[k])
  local mine, freed = A[a + 1], A[a + 2]
  if v and sub(v, 1, #mine) ~= mine and (freed == '' or sub(v, 1, #freed) ~= freed) then
    return {'claim', tostring(i), v}
  end
  a = a + 2
end
a = a + 1

-- 2d'. Claims in slots of their own, reserved there for this attempt or left as
-- they are: the list says what was seen, nobody has fenced the attempt off, and
-- it is not so late that a tombstone may be gone again.
local takes_of, frees_of, list, notes
if A[a] == '1' then
  takes_of, frees_of, list, notes = {}, {}, K[k + 1], K[k + 2]
  local deadline = tonumber(A[a + 1])
  if deadline > 0 then
    local t = call('TIME')
    local ms = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
    if ms > deadline or deadline > ms + 120000 then return {'late', string.format('%.0f', ms)} end
    if call('HEXISTS', K[k + 3], A[1]) == 1 then return {'aborted'} end
  end
  k, a = k + 3, a + 2
  for i = 1, tonumber(A[a]) do
    local what, entry, seen = A[a + 1], A[a + 2], A[a + 3]
    if what == 'held' then return {'claim', tostring(i), seen} end
    if what ~= 'skip' and (call('HGET', list, entry) or '') ~= seen then return {'changed'} end
    if what == 'take' then takes_of[#takes_of + 1] = {entry, seen, A[a + 4]} end
    a = a + 4
  end
  a = a + 1
  for i = 1, tonumber(A[a]) do
    frees_of[i], a = {A[a + 1], A[a + 2]}, a + 2
  end
end
a = a + 1

-- 2e to 2h stand there when the commit has to do with pools or lines.
local pools, lines, takes, waits, nothing = {}, {}, {}, {}, {}
if A[a] == '1' then
  a = a + 1

  -- 2e. Pools: how many hold, at most so many, and who gives.
  for i = 1, tonumber(A[a]) do
    k = k + 1
    local p = {key = K[k], least = tonumber(A[a + 2]), gone = 0}
    p.had = call('SCARD', p.key)
    local most, gives = tonumber(A[a + 1]), tonumber(A[a + 3])
    if most >= 0 and p.had > most then return {'many', tostring(i), ''} end
    a = a + 3
    p.gives = gives > 0 and {} or nothing
    for j = 1, gives do
      p.gives[A[a + j]] = true
      p.gone = p.gone + call('SISMEMBER', p.key, A[a + j])
    end
    p.held = p.had - p.gone
    pools[i], a = p, a + gives
  end
  a = a + 1

  local function leave(l, holder, rank)
    if rank and not l.leaves[holder] then
      l.left[#l.left + 1], l.leaves[holder], l.last = rank, true, math.max(l.last, rank)
    end
  end

  -- 2f. Lines: how many wait, and who leaves. left has the places that this
  -- commit empties, last the last of them, leaves who stood there; more is how
  -- many places it adds.
  for i = 1, tonumber(A[a]) do
    k = k + 1
    local l = {key = K[k], size = call('ZCARD', K[k]), left = nothing, leaves = nothing, last = -1, more = 0}
    local quits = tonumber(A[a + 1])
    a = a + 1
    if l.size > 0 then l.left, l.leaves = {}, {} end
    for j = 1, quits do
      leave(l, A[a + j], call('ZRANK', l.key, A[a + j]))
    end
    lines[i], a = l, a + quits
  end
  a = a + 1

  -- How many stand before a holder, who may not stand in the line at all, and
  -- the holder's place in it. Behind the last who leaves all count, at no cost.
  local function before(l, holder)
    local rank = l.size > 0 and call('ZRANK', l.key, holder)
    local place, gone = rank or l.size, #l.left
    if place <= l.last then gone = 0 end
    for j = gone + 1, #l.left do
      if l.left[j] < place then gone = gone + 1 end
    end
    return place - gone, rank
  end

  -- 2g. Who takes: more places must be free than others wait before.
  for i = 1, tonumber(A[a]) do
    local p, l, holder, limit = pools[tonumber(A[a + 1])], lines[tonumber(A[a + 2])], A[a + 3], tonumber(A[a + 4])
    local ahead, rank = 0, false
    if l then ahead, rank = before(l, holder) end
    if call('SISMEMBER', p.key, holder) == 0 then
      if limit >= 0 and p.held + ahead >= limit then return {'full', A[a + 1], ''} end
      p.held = p.held + 1
    end
    if l then leave(l, holder, rank) end
    takes[i], a = {p, holder}, a + 4
  end
  a = a + 1
  for i, p in ipairs(pools) do
    if p.gone > 0 and p.held < p.least then return {'few', tostring(i), ''} end
  end

  -- 2h. Who waits: none of the pools has a place for them.
  for i = 1, tonumber(A[a]) do
    local l, holder, of = lines[tonumber(A[a + 1])], A[a + 2], tonumber(A[a + 4])
    local ahead, rank = before(l, holder)
    if not rank then ahead, l.more = ahead + l.more, l.more + 1 end
    waits[i] = {l, holder, A[a + 3]}
    a = a + 4
    for _ = 1, of do
      local p, limit = pools[tonumber(A[a + 1])], tonumber(A[a + 2])
      if limit < 0 or p.held + ahead < limit or (not p.gives[holder] and call('SISMEMBER', p.key, holder) == 1) then
        return {'open', A[a + 1], ''}
      end
      a = a + 2
    end
  end
end
a = a + 1

-- 2i. Groups and members to link must exist.
local exist = tonumber(A[a])
for from = 1, exist, 500 do
  local to = math.min(from + 499, exist)
  if call('EXISTS', unpack(K, k + from, k + to)) < to - from + 1 then
    for i = from, to do
      if call('EXISTS', K[k + i]) == 0 then return {'missing', tostring(i), ''} end
    end
  end
end
k = k + exist
a = a + 1

-- 2j. A membership that is changed in many commits is marked with the name of
-- that change: its own commits demand the mark, those of others wait.
local marks, changing = {}, false
local guards = tonumber(A[a])
if guards > 0 then
  k = k + 1
  changing = K[k]
end
for _ = 1, guards do
  local gid, name, how = A[a + 1], A[a + 2], A[a + 3]
  local mark = call('HGET', changing, gid) or ''
  if how == 'within' and mark ~= name then return {'fenced'} end
  if (how == 'free' or how == 'begin') and mark ~= '' and mark ~= name then return {'busy'} end
  if (how == 'begin' and mark == '') or (how == 'end' and mark == name) then marks[#marks + 1] = {gid, name, how} end
  a = a + 3
end
a = a + 1

-- 3. Which links really change? Kept as {gm key, gid, adds, removes}, the
-- latter two as lists of positions.
local groups = tonumber(A[a])
local work = {}
for _ = 1, groups do
  local gm, gid = K[k + 1], A[a + 1]
  local add, remove = tonumber(A[a + 2]), tonumber(A[a + 3])
  k = k + 1
  a = a + 3
  local adds, removes = {}, {}
  for from = 1, add + remove, 500 do
    local to = math.min(from + 499, add + remove)
    local there = call('ZMSCORE', gm, unpack(A, a + from, a + to))
    for i = from, to do
      if i <= add then
        if not there[i - from + 1] then adds[#adds + 1] = i end
      elseif there[i - from + 1] then
        removes[#removes + 1] = i
      end
    end
  end
  if #adds + #removes > 0 then work[#work + 1] = {gm, gid, adds, removes, k, a} end
  k = k + add + remove
  a = a + add + remove
end
if A[3] == 'links' and #work == 0 then return {'same'} end
a = a + 1

-- 4a. Events.
local lsn = ''
k = k + 1
for i = 1, tonumber(A[a]) do lsn = call('XADD', K[k], '*', 'e', A[a + i]) end
a = a + tonumber(A[a]) + 1

-- 4b. Names given up, if they are still ours.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  if call('HGET', K[k], A[a + 1]) == A[a + 2] then call('HDEL', K[k], A[a + 1]) end
  a = a + 2
end
a = a + 1

-- 4c. Claims given back, if they are still ours.
for _ = 1, tonumber(A[a]) do
  local v = call('GET', K[k + 1])
  if v and sub(v, 1, #A[a + 1]) == A[a + 1] then
    call('DEL', K[k + 1])
    call('HDEL', K[k + 2], A[a + 2])
  elseif v and sub(v, 1, #A[a + 1]) == 'P' .. sub(A[a + 1], 2) then
    -- Committed by the protocol of clusters and not confirmed yet, or not even that.
    local held = call('HGET', K[k + 2], A[a + 2])
    local head = 'P' .. sub(A[a + 1], 2) .. (held and string.match(held, '|([^|]*)$') or '') .. '|'
    if held and sub(v, 1, #head) == head then
      call('DEL', K[k + 1])
      call('HDEL', K[k + 2], A[a + 2])
    end
  end
  k = k + 2
  a = a + 2
end
a = a + 1

-- 4c'. The same for claims in slots of their own: what is to be done there is
-- noted, by attempt. A note has the attempts before it that may still stand in
-- the claim; one about taking and one about giving back never share a name, or
-- whoever acts on the one takes off the other.
local answer = {'ok', ''}
local function note(name, text)
  call('HSET', notes, name, text)
  answer[#answer + 1] = name
  answer[#answer + 1] = text
end
local function earlier(entry, attempt)
  local name = 'c|' .. entry .. '|' .. attempt
  local was = call('HGET', notes, name)
  if was then call('HDEL', notes, name) end
  return was and string.match(was, '|(.*)$') or ''
end
if list then
  for _, t in ipairs(takes_of) do
    local entry, before, row = t[1], string.match(t[2], '|([^|]*)$'), ''
    if before then row = before .. earlier(entry, before) end
    call('HSET', list, entry, t[3] .. '|' .. A[1])
    note('c|' .. entry .. '|' .. A[1], t[3] .. '|' .. row)
  end
  for _, f in ipairs(frees_of) do
    local held = call('HGET', list, f[1])
    if held and sub(held, 1, #f[2]) == f[2] then
      local attempt = sub(held, #f[2] + 1)
      call('HDEL', list, f[1])
      note('r|' .. f[1] .. '|' .. attempt, earlier(f[1], attempt))
    end
  end
end

-- 4d. Memberships of deleted groups go to the trash, with 1 when who was in
-- becomes due.
for _ = 1, tonumber(A[a]) do
  if call('EXISTS', K[k + 1]) == 1 then
    call('RENAME', K[k + 1], K[k + 2])
    call('ZADD', K[k + 3], A[a + 2], A[a + 1])
  end
  k = k + 3
  a = a + 2
end
a = a + 1

-- 4e. Ids packed under one value: taken out.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  local value, id = A[a + 1], A[a + 2]
  local row = call('HGET', K[k], value)
  local rest = row and without(row, id)
  if rest == '' then
    call('HDEL', K[k], value)
  elseif row then
    call('HSET', K[k], value, rest)
  end
  a = a + 2
end
a = a + 1

-- 4f. Plain writes of a key, of a key and an argument, and of a key and pairs of
-- arguments, in this order, so that what is removed cannot undo what is added.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  a = a + 1
  call(A[a], K[k])
end
a = a + 1
for _ = 1, tonumber(A[a]) do
  k = k + 1
  call(A[a + 1], K[k], A[a + 2])
  a = a + 2
end
a = a + 1
for _ = 1, tonumber(A[a]) do
  k = k + 1
  local n = tonumber(A[a + 2])
  call(A[a + 1], K[k], unpack(A, a + 3, a + 2 + n))
  a = a + 2 + n
end
a = a + 1

-- 4g. Ids packed under one value: put in.
for _ = 1, tonumber(A[a]) do
  k = k + 1
  local value, id = A[a + 1], A[a + 2]
  local row = call('HGET', K[k], value) or ''
  if not place(row, id) then call('HSET', K[k], value, row .. id) end
  a = a + 2
end
a = a + 1

-- 4h. Pools and lines, and their names in the list that erasing goes by.
if #pools + #lines > 0 then
  k = k + 1
  local names = K[k]
  for _, p in ipairs(pools) do
    for holder in pairs(p.gives) do call('SREM', p.key, holder) end
    if p.gone > 0 and p.gone == p.had then call('SREM', names, p.key) end
  end
  for _, t in ipairs(takes) do
    if t[1].had == t[1].gone then call('SADD', names, t[1].key) end
    call('SADD', t[1].key, t[2])
  end
  for _, l in ipairs(lines) do
    for holder in pairs(l.leaves) do call('ZREM', l.key, holder) end
    if #l.left > 0 and #l.left == l.size then call('SREM', names, l.key) end
  end
  for _, w in ipairs(waits) do
    call('SADD', names, w[1].key)
    call('ZADD', w[1].key, 'NX', w[3], w[2])
  end
end

-- 4i. What is not due any more, unless asked for anew, with its failures; then
-- what is due: at the earlier time, and always at another one than before.
local undues, dues = tonumber(A[a]), tonumber(A[a + 1])
local due, tries, parked, causes = K[k + 1], K[k + 2], K[k + 3], K[k + 4]
if undues + dues > 0 then k = k + 4 end
a = a + 1
for _ = 1, undues do
  local at = call('ZSCORE', due, A[a + 1])
  if at and tonumber(at) == tonumber(A[a + 2]) then
    call('ZREM', due, A[a + 1])
    call('HDEL', tries, A[a + 1])
    if call('ZREM', parked, A[a + 1]) == 1 then call('HDEL', causes, A[a + 1]) end
  end
  a = a + 2
end
for _ = 1, dues do
  local at, new = call('ZSCORE', due, A[a + 1]), A[a + 2]
  if sub(new, 1, 1) == '<' then -- at once, by a clock that may be ahead of all others
    local t = call('TIME')
    new = string.format('%.0f', math.min(tonumber(sub(new, 2)), tonumber(t[1]) * 1000000 + tonumber(t[2])))
  end
  if at and tonumber(at) <= tonumber(new) then new = string.format('%.0f', tonumber(at) - 1) end
  call('ZADD', due, new, A[a + 1])
  a = a + 2
end
a = a + 1

-- 4j. Links: both directions, the group's count of changes and its time.
local gv, gl = K[k + 1], K[k + 2]
for _, w in ipairs(work) do
  local gm, gid, adds, removes, wk, wa = w[1], w[2], w[3], w[4], w[5], w[6]
  for from = 1, #adds, 500 do
    local args = {}
    for i = from, math.min(from + 499, #adds) do
      args[#args + 1] = '0'
      args[#args + 1] = A[wa + adds[i]]
      call('APPEND', K[wk + adds[i]], gid)
    end
    call('ZADD', gm, unpack(args))
  end
  for from = 1, #removes, 500 do
    local args = {}
    for i = from, math.min(from + 499, #removes) do
      args[#args + 1] = A[wa + removes[i]]
      local row = call('GET', K[wk + removes[i]])
      local rest = row and without(row, gid)
      if rest == '' then
        call('DEL', K[wk + removes[i]])
      elseif row then
        call('SET', K[wk + removes[i]], rest)
      end
    end
    call('ZREM', gm, unpack(args))
  end
  -- The time never runs back, whatever the clocks of other nodes say.
  local count, ms = string.match(call('HGET', gv, gid) or '0:0', '^(%d+):(%d+)')
  if tonumber(ms) < tonumber(A[2]) then ms = A[2] end
  call('HSET', gv, gid, string.format('%.0f', tonumber(count) + 1) .. ':' .. ms)
  call('ZADD', gl, 'GT', ms, gid)
end

-- 4k. Marks of memberships.
for _, m in ipairs(marks) do
  if m[3] == 'begin' then call('HSET', changing, m[1], m[2]) else call('HDEL', changing, m[1]) end
end

-- 5. Remember the attempt, and forget those of two minutes ago.
local stamp = string.format('%.0f', minute)
if call('HGET', current, 'm') ~= stamp then
  call('UNLINK', current)
  call('HSET', current, 'm', stamp, A[1], lsn)
else
  call('HSET', current, A[1], lsn)
end
answer[2] = lsn
return answer

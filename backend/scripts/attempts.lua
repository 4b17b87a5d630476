-- Forgets commits that nobody can send again. KEYS: both generations.
local minute = math.floor(tonumber(redis.call('TIME')[1]) / 60)
local n = 0
for i = 1, 2 do
  local of = redis.call('HGET', KEYS[i], 'm')
  if of and minute - tonumber(of) >= 2 then n = n + redis.call('UNLINK', KEYS[i]) end
end
return n

-- Grants or prolongs the lease of an organization.
-- KEYS: the lease. ARGV: worker, 12 characters for a new token, now, the new
-- end, the latest end that is believed; times in milliseconds.
-- The value: "L1", the token (13 digits that grow with every grant and the 12
-- characters), 13 digits of the end (0: given back), the worker.
-- Answers the token, or nothing when another worker has it.
local call, sub = redis.call, string.sub
local v = call('GET', KEYS[1])
local fence = 0
if v then
  local till, holder = tonumber(sub(v, 28, 40)), sub(v, 41)
  if till > 0 and holder == ARGV[1] then
    call('SET', KEYS[1], sub(v, 1, 27) .. ARGV[4] .. holder)
    return sub(v, 3, 27)
  end
  -- An end beyond what any worker asks for comes from a clock that runs ahead.
  if till > tonumber(ARGV[3]) and till <= tonumber(ARGV[5]) then return false end
  fence = tonumber(sub(v, 3, 15))
end
local token = string.format('%013.0f', fence + 1) .. ARGV[2]
call('SET', KEYS[1], 'L1' .. token .. ARGV[4] .. ARGV[1])
return token

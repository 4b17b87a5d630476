-- Rings for organizations, once for each until somebody has heard it.
-- KEYS: the bells, who has rung unheard. ARGV: most messages to keep, then the
-- organizations.
local call = redis.call
if call('EXISTS', KEYS[1]) == 0 then call('XGROUP', 'CREATE', KEYS[1], 'workers', '0', 'MKSTREAM') end
for i = 2, #ARGV do
  -- The message may be gone, trimmed: then what is noted of it counts no more.
  local id = call('HGET', KEYS[2], ARGV[i])
  if not id or #call('XRANGE', KEYS[1], id, id) == 0 then
    call('HSET', KEYS[2], ARGV[i], call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'o', ARGV[i]))
  end
end
return #ARGV - 1

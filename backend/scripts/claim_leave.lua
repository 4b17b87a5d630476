-- Takes claims off the list of an organization that is being erased and notes
-- that they are to be given back.
-- KEYS: the list, the notes. ARGV: entries of the list.
local call = redis.call
for i = 1, #ARGV do
  local held = call('HGET', KEYS[1], ARGV[i])
  if held then
    local attempt = string.match(held, '|([^|]*)$')
    local name = 'c|' .. ARGV[i] .. '|' .. attempt
    local was = call('HGET', KEYS[2], name)
    call('HDEL', KEYS[1], ARGV[i])
    call('HDEL', KEYS[2], name)
    call('HSET', KEYS[2], 'r|' .. ARGV[i] .. '|' .. attempt, was and string.match(was, '|(.*)$') or '')
  end
end
return #ARGV

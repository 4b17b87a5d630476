-- Gives messages back as done. KEYS: the bells. ARGV: ids.
for i = 1, #ARGV do
  redis.call('XACK', KEYS[1], 'workers', ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
return #ARGV

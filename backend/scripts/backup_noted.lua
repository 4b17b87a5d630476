-- Takes notes off that are about to be followed. KEYS: the mark. ARGV: notes.
for from = 1, #ARGV, 500 do
  redis.call('HDEL', KEYS[1], unpack(ARGV, from, math.min(from + 499, #ARGV)))
end
return #ARGV

-- Takes notes off that have been acted on. KEYS: the notes. ARGV: their names.
return redis.call('HDEL', KEYS[1], unpack(ARGV))

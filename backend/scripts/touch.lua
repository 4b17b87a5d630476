-- Writes and leaves nothing: what is waited for after it covers all that was
-- written before, by whomever. KEYS: a key that nothing else uses.
redis.call('SET', KEYS[1], '')
return redis.call('DEL', KEYS[1])

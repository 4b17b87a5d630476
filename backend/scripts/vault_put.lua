-- Stores a secret with its expiry in front. KEYS: secret, expiry list.
-- ARGV: value, expiry in milliseconds.
call('SET', KEYS[1], ARGV[1])
call('ZADD', KEYS[2], ARGV[2], KEYS[1])
return 1

-- Deletes keys and their places in one list.
-- KEYS: the list, then the keys. ARGV: how the list gives up an entry (ZREM,
-- HDEL or SREM), then the entries.
for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
for i = 2, #ARGV do redis.call(ARGV[1], KEYS[1], ARGV[i]) end
return #ARGV - 1

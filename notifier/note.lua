-- Add to a notification's timeline, unless the notification is gone: an erased one stays erased.
-- KEYS: 1 the notification   2 its timeline   ARGV: 1 the entry   2 how many entries are kept
-- Returns 1, or 0.
local left = redis.call('PTTL', KEYS[1])
if left < 0 then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('LTRIM', KEYS[2], -ARGV[2], -1)
redis.call('PEXPIRE', KEYS[2], left)
return 1

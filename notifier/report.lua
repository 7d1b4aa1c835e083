-- What became of a notification after it was taken over. Reports come in any order, and
-- again; only one that is further on than what is known counts.
-- KEYS: 1 the notification   2 its timeline   3 what is counted
-- ARGV: 1 the entry   2 how many entries are kept   3 the report's status   4 how far on that is
-- Returns -1 when there is no such notification, 0 when more was known already, 1 when this was news.
local left = redis.call('PTTL', KEYS[1])
if left < 0 then return -1 end
if tonumber(ARGV[4]) <= tonumber(redis.call('HGET', KEYS[1], 'rank') or '-1') then return 0 end
redis.call('HSET', KEYS[1], 'receipt', ARGV[3], 'rank', ARGV[4])
local about = redis.call('HMGET', KEYS[1], 'channel', 'notice', 'locale')
local labels = (about[1] or '-') .. ' ' .. (about[2] or '-') .. ' ' .. (about[3] or '-')
redis.call('HINCRBY', KEYS[3], 'reports ' .. ARGV[3] .. ' ' .. labels, 1)
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('LTRIM', KEYS[2], -ARGV[2], -1)
redis.call('PEXPIRE', KEYS[2], left)
return 1

-- Put an item into an inbox once, if its notification is still kept: not after its account was erased.
-- KEYS: 1 the notification   2 the inbox: a sorted set of notifications' ids by place   3 those of them that are unread
--       4 the item
-- ARGV: 1 the id   2 the sealed item   3 now   4 how long an item is kept (both ms)   5 the channel that wakes readers
--       6 what it says
-- Returns the item's place, or '' when the notification is gone. Places rise, one by one as items come, whatever the
-- clocks of the writers say: a reader who has seen one has seen all before it.
if redis.call('EXISTS', KEYS[1]) == 0 then return '' end
local known = redis.call('ZSCORE', KEYS[2], ARGV[1])
if known then return string.format('%.0f', known) end
for i = 2, 3 do redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', ARGV[3] - ARGV[4]) end
local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2] or 0
local place = string.format('%.0f', math.max(tonumber(ARGV[3]), last + 1))
redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[4])
for i = 2, 3 do
  redis.call('ZADD', KEYS[i], place, ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[4])
end
-- A hint, which whoever may not publish does without.
redis.pcall('PUBLISH', ARGV[5], ARGV[6])
return place

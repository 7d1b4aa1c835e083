-- Erase all that is indexed for an account, and the index.
-- KEYS: 1 the account's index: a sorted set of keys   2 the dead letters   3 how many notifications came to which end
--       4 what is counted
-- ARGV: 1 prefix of notifications   2 prefix of queues
-- Returns how many notifications were erased.
local erased = 0
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(key, 1, #ARGV[1]) == ARGV[1] and redis.call('EXISTS', key) == 1 then
    local id = string.sub(key, #ARGV[1] + 1)
    erased = erased + 1
    if redis.call('ZREM', ARGV[2] .. (redis.call('HGET', key, 'lane') or ''), id) == 1 then
      redis.call('HINCRBY', KEYS[3], 'erased', 1)
      local about = redis.call('HMGET', key, 'channel', 'notice', 'locale')
      local labels = (about[1] or '-') .. ' ' .. (about[2] or '-') .. ' ' .. (about[3] or '-')
      redis.call('HINCRBY', KEYS[4], 'notifications erased ' .. labels .. ' -', 1)
    end
    redis.call('ZREM', KEYS[2], id)
    redis.call('DEL', key .. ':timeline')
  end
  redis.call('DEL', key)
end
redis.call('DEL', KEYS[1])
return erased

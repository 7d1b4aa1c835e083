-- An account's state became known: news that is older than what is known changes nothing.
-- KEYS: 1 the account's state (hash)   2... up to when links of each dangerous purpose are void (strings)
-- ARGV: 1 'deactivated' or 'active'   2 since when   3 how long an active account's state is kept   (times in ms)
-- Returns since when the account is deactivated, or up to when its links are retired.
local at = tonumber(ARGV[2])
if at > tonumber(redis.call('HGET', KEYS[1], 'changed') or '0') then
  redis.call('HSET', KEYS[1], 'changed', ARGV[2])
  if ARGV[1] == 'deactivated' then
    redis.call('HSETNX', KEYS[1], 'deactivated', ARGV[2])
    redis.call('HDEL', KEYS[1], 'pending:deactivate')
    redis.call('PERSIST', KEYS[1])
    for i = 2, #KEYS do
      if at > tonumber(redis.call('GET', KEYS[i]) or '0') then redis.call('SET', KEYS[i], ARGV[2], 'PX', ARGV[3]) end
    end
  else
    redis.call('HSET', KEYS[1], 'retired', ARGV[2])
    redis.call('HDEL', KEYS[1], 'deactivated', 'pending:deactivate', 'pending:reactivate')
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  end
end
return redis.call('HGET', KEYS[1], ARGV[1] == 'deactivated' and 'deactivated' or 'retired') or ARGV[2]

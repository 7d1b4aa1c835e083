-- Goes before the scripts that write to an account's audit: a list of "<ms> <what> <purpose> <link> <reason>", oldest
-- first, '-' for what there is none of. A list and not a stream: most have few entries, and a stream takes 4 kB for one.
-- What is noted is also counted for all accounts together, in the hash `tally`.
local function note(key, tally, now, keep, what, purpose, link, reason)
  redis.call('HINCRBY', tally, what .. ' ' .. purpose .. ' ' .. reason, 1)
  local oldest = redis.call('LINDEX', key, 0)
  while oldest and tonumber(string.match(oldest, '^%d+')) < now - keep do
    redis.call('LPOP', key)
    oldest = redis.call('LINDEX', key, 0)
  end
  redis.call('RPUSH', key, string.format('%.0f %s %s %s %s', now, what, purpose, link, reason))
  redis.call('PEXPIRE', key, keep)
end

-- A link's page was shown: into the account's audit stream, unless its last entries say so already. A scanner that
-- fetches a link a thousand times is one entry, and leaves nothing else behind.
-- KEYS[1] the stream   ARGV: 1 link   2 purpose   3 outcome   4 now   5 how long an audit is kept   6 not again within
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', string.format('%.0f', ARGV[4] - ARGV[6]), 'COUNT', 50)) do
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  if fields.what == 'shown' and fields.link == ARGV[1] and fields.reason == ARGV[3] then return 0 end
end
redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%.0f', ARGV[4] - ARGV[5]), '*',
  'what', 'shown', 'link', ARGV[1], 'purpose', ARGV[2], 'reason', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1

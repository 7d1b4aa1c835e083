-- A link's page was shown: into the account's audit, unless its last entries say so already. A scanner that fetches a
-- link a thousand times is one entry, and leaves nothing else behind.
-- KEYS: 1 the audit   2 what is counted
-- ARGV: 1 link   2 purpose   3 outcome   4 now   5 how long an audit is kept   6 not again within
local now = tonumber(ARGV[4])
local entry = 'shown ' .. ARGV[2] .. ' ' .. ARGV[1] .. ' ' .. ARGV[3]
for _, last in ipairs(redis.call('LRANGE', KEYS[1], -50, -1)) do
  local at, said = string.match(last, '^(%d+) (.*)$')
  if said == entry and tonumber(at) > now - ARGV[6] then return 0 end
end
note(KEYS[1], KEYS[2], now, tonumber(ARGV[5]), 'shown', ARGV[2], ARGV[1], ARGV[3])
return 1

-- Hold claims for longer: each is due again when the new lease ends.
-- KEYS[1] due   ARGV: prefix of record keys, when the lease ends (ms), then id and claim of each
-- Returns the ids that somebody else has claimed since, or that are gone.
local lost = {}
for i = 3, #ARGV, 2 do
  local id = ARGV[i]
  local held = redis.call('HMGET', ARGV[1] .. id, 'claims', 'returned')
  if held[1] ~= ARGV[i + 1] then
    lost[#lost + 1] = id
  elseif held[2] ~= ARGV[i + 1] then
    redis.call('ZADD', KEYS[1], 'XX', ARGV[2], id) -- XX: not one that was settled meanwhile
  end
end
return lost

-- Give a claim back, with what came of it, unless another was made since.
-- KEYS[1] the record   ARGV[1] the claim   ARGV[2...] the commands, see apply.lua
-- Returns {1}, also when this claim was given back before: the answer to that was lost, and a thing is counted once.
-- {0, the newest claim} when it is another.
local held = redis.call('HMGET', KEYS[1], 'claims', 'returned')
if held[1] ~= ARGV[1] then return { 0, held[1] or '' } end
if held[2] ~= ARGV[1] then
  redis.call('HSET', KEYS[1], 'returned', ARGV[1])
  apply(2)
end
return { 1 }

-- Take up to ARGV[4] records that are due, for a lease of ARGV[3] ms: being taken is being due again when the lease
-- ends, so a worker that dies gives its records back by doing nothing.
-- KEYS[1] due: a sorted set of ids scored by when each is next due (ms)
-- ARGV: prefix of record keys, now, lease, count, how many lost claims make a suspect
-- Returns {id, claims, lost, {field, value, ...}} for each. `claims` fences: only the newest claim may settle. `lost`
-- counts the claims just before it, in a row, of which nothing was heard again. A suspect is taken alone: should it kill
-- its worker once more, nothing else is under suspicion for that.
local taken = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, ARGV[4])) do
  local record = ARGV[1] .. id
  if redis.call('EXISTS', record) == 0 then
    redis.call('ZREM', KEYS[1], id) -- erased while it waited
  else
    local held = redis.call('HMGET', record, 'claims', 'returned')
    local lost = tonumber(held[1] or 0) - tonumber(held[2] or 0)
    local suspect = lost >= tonumber(ARGV[5])
    if suspect and #taken > 0 then break end
    redis.call('ZADD', KEYS[1], ARGV[2] + ARGV[3], id)
    local claims = redis.call('HINCRBY', record, 'claims', 1)
    taken[#taken + 1] = { id, claims, lost, redis.call('HGETALL', record) }
    if suspect then break end
  end
end
return taken

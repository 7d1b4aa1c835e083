-- Settle one guess at a code: of parallel guesses no more than the limit count, and of parallel right ones one wins.
-- KEYS[1] the code's record
-- ARGV: 1 now   2 most attempts   3 the channel that was asked for ('' for any)   4... the channels whose code matches
-- Returns {reason ('' when valid), attempts left}.
local record = KEYS[1]
local expires = redis.call('HGET', record, 'expires')
if not expires then return { 'unknown', 0 } end

local most = tonumber(ARGV[2])
local left = most - tonumber(redis.call('HGET', record, 'tries') or '0')
local asked = ARGV[3]
if tonumber(ARGV[1]) >= tonumber(expires) then return { 'expired', 0 } end
if redis.call('HEXISTS', record, 'used') == 1 or (asked ~= '' and redis.call('HEXISTS', record, 'used:' .. asked) == 1) then
  return { 'used', 0 }
end
if left <= 0 then return { 'too_many_attempts', 0 } end

for i = 4, #ARGV do
  if redis.call('HEXISTS', record, 'used:' .. ARGV[i]) == 0 then
    -- Asked for one channel, the other channel's code stays good; asked for any, the whole code is spent.
    redis.call('HSET', record, asked == '' and 'used' or 'used:' .. asked, '1')
    return { '', left }
  end
end
redis.call('HINCRBY', record, 'tries', 1)
return { 'mismatch', left - 1 }

-- Settle one guess at a code: of parallel guesses no more than the limit count, and of parallel right ones one wins.
-- KEYS: 1 the code's record   2 what is counted
-- ARGV: 1 now   2 most attempts   3 the channel that was asked for ('' for any)   4... the channels whose code matches
-- Returns {reason ('' when valid), attempts left}.
local record = KEYS[1]

local function told(reason, left)
  redis.call('HINCRBY', KEYS[2], 'code_checks ' .. (reason == '' and 'valid' or reason), 1)
  return { reason, left }
end

local expires = redis.call('HGET', record, 'expires')
if not expires then return told('unknown', 0) end

local most = tonumber(ARGV[2])
local left = most - tonumber(redis.call('HGET', record, 'tries') or '0')
local asked = ARGV[3]
if tonumber(ARGV[1]) >= tonumber(expires) then return told('expired', 0) end
if redis.call('HEXISTS', record, 'used') == 1 or (asked ~= '' and redis.call('HEXISTS', record, 'used:' .. asked) == 1) then
  return told('used', 0)
end
if left <= 0 then return told('too_many_attempts', 0) end

for i = 4, #ARGV do
  if redis.call('HEXISTS', record, 'used:' .. ARGV[i]) == 0 then
    -- Asked for one channel, the other channel's code stays good; asked for any, the whole code is spent.
    redis.call('HSET', record, asked == '' and 'used' or 'used:' .. asked, '1')
    return told('', left)
  end
end
redis.call('HINCRBY', record, 'tries', 1)
return told('mismatch', left - 1)

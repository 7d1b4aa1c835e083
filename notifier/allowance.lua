-- Take from what a key may ask in a window of time, which begins with the key's first request.
-- KEYS[1] the counter   KEYS[2] a hash: when each key was last used
-- ARGV[1] how much is wanted   ARGV[2] the quota   ARGV[3] the window, ms
-- ARGV[4] the id to note as used, '' for none   ARGV[5] when, ms
-- Returns {how much is granted, how much is left, ms until the window ends}.
local quota, window = tonumber(ARGV[2]), tonumber(ARGV[3])
local taken, ends = tonumber(redis.call('GET', KEYS[1]) or 0), redis.call('PTTL', KEYS[1])
if ends <= 0 or ends > window then taken, ends = 0, window end
local granted = math.max(0, math.min(tonumber(ARGV[1]), quota - taken))
if granted > 0 then redis.call('SET', KEYS[1], taken + granted, 'PX', ends) end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[2], ARGV[4], ARGV[5]) end
return { granted, math.max(0, quota - taken - granted), ends }

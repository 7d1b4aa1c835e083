-- The platform has answered an action: its link, its account and the audit say so.
-- KEYS: 1 the action's record (hash)   2 the actions that are due (sorted set)   3 what is counted (hash)
-- ARGV: 1 action id   2 the claim that may finish it   3 outcome: 'done' or 'refused'   4 now
--       5 the answer ('' when it says no more than done)   6 how long an answer is kept   7 how long an audit is kept
--       8 the channel that wakes whoever waits for this action
-- Returns 1, or 0 when somebody else has claimed the action since.
local function field(name) return redis.call('HGET', KEYS[1], name) end
if field('claims') ~= ARGV[2] then return 0 end

local account, use, audit, purpose = field('account'), field('use'), field('audit'), field('purpose')
local told = ARGV[5] ~= '' and ARGV[1] or ''
redis.call('SET', use, ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. told, 'XX', 'KEEPTTL')
-- Only its own: after a change of state in between another action may be on its way.
local pending = redis.call('HGET', account, 'pending:' .. purpose)
if pending and string.sub(pending, -#ARGV[1]) == ARGV[1] then redis.call('HDEL', account, 'pending:' .. purpose) end
note(audit, KEYS[3], tonumber(ARGV[4]), tonumber(ARGV[7]), 'forwarded', purpose, field('link'), ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
if told ~= '' then
  redis.call('HSET', KEYS[1], 'answer', ARGV[5])
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
end
-- A hint, which whoever may not publish does without.
redis.pcall('PUBLISH', ARGV[8], ARGV[1])
return 1

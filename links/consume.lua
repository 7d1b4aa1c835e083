-- What a link would do (commit = 0) or does (commit = 1), judged and recorded in one step.
-- KEYS: 1 the account's state (hash)   2 this link's use (string)   3 when the newest link for its subject was issued
--       (sorted set: of the member 'issued', which ZADD GT alone moves, and only forward; and of those issued later)
--       4 the actions that are due (sorted set)   5 the action's record (hash)
--       6 wrong codes typed on this link's page (string)   7 the account's audit (list)
--       8 up to when links with this purpose are void (string)   9 what is counted (hash)
-- ARGV: 1 commit   2 now   3 issued   4 expires   5 purpose   6 delay before reactivation   7 action id
--       8 the action's payload   9 how long an account's state is kept
--       10 the code on its page: '' not asked for, 'right', 'wrong'   11 how many may be wrong
--       12 the link's identity, for the audit   13 how long an audit is kept                        (times in ms)
--       14... what else is written when it is used, see apply.lua
-- Returns {outcome, time, action id or attempts left}.
local commit, now, issued, expires = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local purpose, delay, action, challenge = ARGV[5], tonumber(ARGV[6]), ARGV[7], ARGV[10]
local of_account = purpose == 'deactivate' or purpose == 'reactivate'

local function account(field)
  return redis.call('HGET', KEYS[1], field)
end

-- A use is "<outcome> <ms> <action id>".
local function told(use)
  local outcome, at, id = string.match(use, '^(%a+) (%d+) (.*)$')
  return { outcome, at, id }
end

local function judge()
  local deactivated = account('deactivated')
  local use = redis.call('GET', KEYS[2])
  if use then
    local was = told(use)
    -- What was done to the account may have been undone since: then the link is told as any other old one.
    local undone = was[1] == 'done' and of_account and (purpose == 'deactivate') ~= (deactivated and true or false)
    if not undone then return was end
  end

  -- Any copy of a deactivation works until the account is deactivated; then every copy says so, however old it is.
  if purpose == 'deactivate' and deactivated then return { 'done', deactivated, '' } end

  if now >= expires then return { 'expired', ARGV[4], '' } end

  local retired, void = account('retired'), redis.call('GET', KEYS[8])
  if retired and issued <= tonumber(retired) then return { 'superseded', retired, '' } end
  if void and issued <= tonumber(void) then
    -- By a deactivation, which leaves the way back; or by whoever revoked it.
    return { deactivated and purpose ~= 'reactivate' and 'shut' or 'revoked', void, '' }
  end
  local newest = redis.call('ZSCORE', KEYS[3], 'issued')
  local later = redis.call('ZREVRANGEBYSCORE', KEYS[3], ARGV[2], '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if later and tonumber(later) > tonumber(newest or '0') then newest = later end
  if newest and issued < tonumber(newest) then return { 'superseded', newest, '' } end

  if purpose == 'reactivate' then
    -- A deactivation that the platform has not confirmed yet counts from its click.
    local waiting = account('pending:deactivate')
    local since = deactivated or (waiting and told(waiting)[2])
    if not since then return { 'idle', ARGV[2], '' } end
    local opens = tonumber(since) + delay
    if now < opens or not deactivated then return { 'early', string.format('%.0f', opens), '' } end
  end

  -- Copies of one message and copies in several messages make one action.
  local pending = of_account and account('pending:' .. purpose)
  if pending then return told(pending) end

  local left = tonumber(ARGV[11]) - tonumber(redis.call('GET', KEYS[6]) or '0')
  if left <= 0 then return { 'locked', ARGV[2], '0' } end
  if not commit then return { 'open', ARGV[4], tostring(left) } end

  if challenge == 'wrong' then
    redis.call('INCR', KEYS[6])
    redis.call('PEXPIREAT', KEYS[6], ARGV[4])
    if left == 1 then return { 'locked', ARGV[2], '0' } end
    return { 'wrong', ARGV[2], tostring(left - 1) }
  end

  -- First, since Lua does not roll back: whatever fails in here leaves a link that may be used again.
  apply(14)
  local mark = 'pending ' .. ARGV[2] .. ' ' .. action
  -- A little longer than the link: Redis's clock may be ahead of ours, and a use must not end before its link.
  redis.call('SET', KEYS[2], mark, 'PXAT', string.format('%.0f', expires + 300000))
  if of_account then
    redis.call('HSET', KEYS[1], 'pending:' .. purpose, mark)
    if not deactivated then redis.call('PEXPIRE', KEYS[1], ARGV[9]) end
  elseif newest then
    -- Copies of the same age in other messages for this subject: superseded from here on.
    redis.call('ZADD', KEYS[3], 'GT', string.format('%.0f', issued + 1), 'issued')
  end
  redis.call('HSET', KEYS[5], 'purpose', purpose, 'account', KEYS[1], 'use', KEYS[2], 'audit', KEYS[7], 'link', ARGV[12],
    'payload', ARGV[8])
  redis.call('ZADD', KEYS[4], ARGV[2], action)
  return { 'accepted', ARGV[2], action }
end

local judged = judge()
if commit then
  local consumed = judged[1] == 'accepted'
  note(KEYS[7], KEYS[9], now, tonumber(ARGV[13]), consumed and 'consumed' or 'not_done', purpose, ARGV[12], consumed and '-' or judged[1])
end
return judged

-- Apply a list of commands in one step, if the notification waits and no worker has it, or may have sent it.
-- KEYS[1] the notification   ARGV[1...] the commands, see apply.lua
-- Returns '' when applied; else why not: 'gone', 'in_hand', 'doubtful', or the status that it has come to.
local held = redis.call('HMGET', KEYS[1], 'status', 'claims', 'returned', 'doubtful')
local status = held[1] or 'gone'
if status ~= 'accepted' and status ~= 'retrying' then return status end
-- Also when the lease is over: its worker may have sent it before it died.
if held[2] ~= held[3] then return 'in_hand' end
if held[4] then return 'doubtful' end
apply(1)
return ''

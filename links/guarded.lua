-- Apply a list of commands in one step, if the guard holds.
-- KEYS[1] the guard   ARGV[1] a field of the guard's hash ('': the guard must not exist)   ARGV[2] the value it must have
-- ARGV[3...] the commands, each as its number of words and its words
-- Returns {1}, or {0, what the guard held instead}.
if ARGV[1] == '' then
  local held = redis.call('GET', KEYS[1])
  if held then return { 0, held } end
else
  local held = redis.call('HGET', KEYS[1], ARGV[1])
  if held ~= ARGV[2] then return { 0, held or '' } end
end
local i = 3
while i <= #ARGV do
  local last = i + tonumber(ARGV[i])
  redis.call(unpack(ARGV, i + 1, last))
  i = last + 1
end
return { 1 }

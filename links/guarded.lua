-- Apply a list of commands in one step, if the guard holds.
-- KEYS[1] the guard   ARGV[1] a field of the guard's hash ('': the guard, a string, must not exist)
-- ARGV[2] the value that the field must have ('': none)
-- KEYS[2] a hash that the commands were made from, if they were   ARGV[3] its field "version", as it was then ('': none)
-- ARGV[4...] the commands, see apply.lua
-- Returns {1}, {0, what the guard held instead}, or {-1} when only the hash has changed.
if ARGV[1] == '' then
  local held = redis.call('GET', KEYS[1])
  if held then return { 0, held } end
else
  local held = redis.call('HGET', KEYS[1], ARGV[1]) or ''
  if held ~= ARGV[2] then return { 0, held } end
end
if KEYS[2] and (redis.call('HGET', KEYS[2], 'version') or '') ~= ARGV[3] then return { -1 } end
apply(4)
return { 1 }

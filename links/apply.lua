-- Goes before the scripts that apply a list of commands: from ARGV[first] on, each as its number of words and its words.
local function apply(first)
  local i = first
  while i <= #ARGV do
    local last = i + tonumber(ARGV[i])
    -- What is published is a hint, which whoever may not publish does without.
    local call = ARGV[i + 1] == 'PUBLISH' and redis.pcall or redis.call
    call(unpack(ARGV, i + 1, last))
    i = last + 1
  end
end

-- Goes before the scripts that apply a list of commands: from ARGV[first] on, each as its number of words and its words.
local function apply(first)
  local i = first
  while i <= #ARGV do
    local last = i + tonumber(ARGV[i])
    redis.call(unpack(ARGV, i + 1, last))
    i = last + 1
  end
end

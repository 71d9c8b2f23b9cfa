-- Keep published lists, unless later ones are here already.
-- KEYS[1]  hash: revision, lists
-- ARGV     revision, lists (JSON)
-- Returns the revision that is kept now. Revisions are microseconds since 1970, exact in Lua's doubles.
local kept = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
if tonumber(ARGV[1]) > kept then
  redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'lists', ARGV[2])
  kept = tonumber(ARGV[1])
end
return kept

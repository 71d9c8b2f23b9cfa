-- Keep what is published, unless something later is here already.
-- KEYS[1]  hash: revision, and a field with the content
-- ARGV     revision, content (JSON), the field's name
-- Returns the revision that is kept now. Revisions are microseconds since 1970, exact in Lua's doubles.
local kept = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
if tonumber(ARGV[1]) > kept then
  redis.call('HSET', KEYS[1], 'revision', ARGV[1], ARGV[3], ARGV[2])
  kept = tonumber(ARGV[1])
end
return kept

#!lua
-- Add to a merchant's tiles, each addition once.
--
-- KEYS[1] hash: `t` the tiles, and for each source partition the last offset added
-- KEYS[2] known frauds, scored by when they became known (ms)
-- ARGV    number of measures, retention (ms), seconds to live, how long a label can be taken back (ms),
--         then for each addition: guard, mark, tile (ms), one increment for each measure
-- Guard   a source partition (mark: the offset; adds when it is above the last one), or a label's sign and when it
--         became known, as +1530000000000 (mark: what is labelled; + adds once, - takes back what + added)
--
-- Tiles, little endian int64, sorted by time: start of the tile (ms), one sum for each measure.
local measures, retention, ttl, reversible = unpack(ARGV, 1, 4)
measures, retention, reversible = tonumber(measures), tonumber(retention), tonumber(reversible)
local width = 8 * (1 + measures)
local layout = '<' .. string.rep('i8', 1 + measures)
local tiles = redis.call('HGET', KEYS[1], 't') or ''
local offsets = {}

local function start(at)
  return (struct.unpack('<i8', tiles, at + 1))
end

local function add(tile) -- {start, increments}; most additions go to the last tile
  local at = #tiles - width
  while at >= 0 and start(at) > tile[1] do at = at - width end
  local rest = at + width
  if at >= 0 and start(at) == tile[1] then
    local sums = {struct.unpack(layout, tiles, at + 1)}
    for i = 2, 1 + measures do tile[i] = tile[i] + sums[i] end
  else
    at = rest
  end
  tiles = string.sub(tiles, 1, at) .. struct.pack(layout, unpack(tile)) .. string.sub(tiles, rest + 1)
end

local function relabels(sign, known_at, mark)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', known_at - 2 * reversible)
  if sign == '+' then return redis.call('ZADD', KEYS[2], 'NX', known_at, mark) == 1 end
  local since = redis.call('ZSCORE', KEYS[2], mark)
  redis.call('ZREM', KEYS[2], mark)
  return since and known_at - tonumber(since) <= reversible
end

local function is_first(guard, mark)
  local sign = string.sub(guard, 1, 1)
  if sign == '+' or sign == '-' then return relabels(sign, tonumber(string.sub(guard, 2)), mark) end
  local last = offsets[guard] or redis.call('HGET', KEYS[1], guard)
  if last and tonumber(mark) <= tonumber(last) then return false end
  offsets[guard] = mark
  return true
end

for at = 5, #ARGV, 3 + measures do
  if is_first(ARGV[at], ARGV[at + 1]) then
    local tile = {}
    for i = 1, 1 + measures do tile[i] = tonumber(ARGV[at + 1 + i]) end
    add(tile)
  end
end

if tiles ~= '' then
  local horizon, stale = start(#tiles - width) - retention, 0
  while start(stale) <= horizon do stale = stale + width end
  redis.call('HSET', KEYS[1], 't', string.sub(tiles, stale + 1))
  for guard, offset in pairs(offsets) do redis.call('HSET', KEYS[1], guard, offset) end
  redis.call('EXPIRE', KEYS[1], ttl)
  redis.call('EXPIRE', KEYS[2], ttl)
end
return redis.status_reply('OK')

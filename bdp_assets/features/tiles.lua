#!lua
-- Add to the tiles of a shared entity (a merchant), each addition once, in every series of tiles it belongs to.
--
-- KEYS[1] hash: for each series its tiles, and for each source partition the last offset added
-- KEYS[2] known frauds, scored by when they became known (ms)
-- ARGV    number of series, seconds to live (0: for good), how long a label can be taken back (ms); for each series:
--         field, retention (ms), 1 where older tiles become one row, how to merge each column (a, n or x); then for
--         each addition: source partition, offset (adds when it is above the last one; '' and '': adds), label ('' for
--         a transaction), and for each series a tile ('' for none)
-- Label   sign, mark (16 bytes: what is labelled), when it became known (ms): of each mark, + adds once, and - takes
--         back what + added
--
-- Tile, little endian int64: start (ms), one number for each column. A series is its tiles, sorted by start.
local DAY = 86400 -- how much longer (s) than asked it may live, so that not every transaction has to say so again
local BEFORE = -4611686018427387904 -- start of the row for all of history before the tiles
local ADD, LEAST = string.byte('an', 1, 2)
local count, ttl, reversible = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local FIRST, EACH = 4 + 4 * count, 3 + count -- where additions begin, and the arguments of one

local series, fields, offsets = {}, {}, {}
for i = 1, count do
  local field, retention, endless, ops = unpack(ARGV, 4 * i, 4 * i + 3)
  fields[i] = field
  series[i] = {
    retention = tonumber(retention), endless = endless == '1', ops = ops, columns = #ops,
    width = 8 * (1 + #ops), layout = '<' .. string.rep('i8', 1 + #ops),
  }
end
fields[count + 1] = ARGV[FIRST] -- most calls have one partition, too
local found = redis.call('HMGET', KEYS[1], unpack(fields))
for i, one in ipairs(series) do one.tiles = found[i] or '' end
local offset_before = {[ARGV[FIRST]] = found[count + 1]}

local function start(one, at)
  return (struct.unpack('<i8', one.tiles, at + 1))
end

local function merged(one, at, row) -- the tile at a place and a row, as one
  local sums = {struct.unpack(one.layout, one.tiles, at + 1)}
  for i = 1, one.columns do
    local op = string.byte(one.ops, i)
    if op == ADD then row[i + 1] = row[i + 1] + sums[i + 1]
    elseif op == LEAST then row[i + 1] = math.min(row[i + 1], sums[i + 1])
    else row[i + 1] = math.max(row[i + 1], sums[i + 1]) end
  end
  row[1], row[one.columns + 2] = sums[1], nil -- what unpack says beside: where it stopped
  return row
end

local function add(one, tile) -- most additions go to the last tile
  local row = {struct.unpack(one.layout, tile)}
  local at, time = #one.tiles - one.width, nil
  while at >= 0 do
    time = start(one, at)
    if time <= row[1] then break end
    at = at - one.width
  end
  local rest = at + one.width
  if at >= 0 and time == row[1] then tile = struct.pack(one.layout, unpack(merged(one, at, row))) else at = rest end
  one.tiles = string.sub(one.tiles, 1, at) .. tile .. string.sub(one.tiles, rest + 1)
end

local function retire(one) -- what no window can reach any more: away, or into the row for all of history
  if one.tiles == '' then return end
  local horizon, first = start(one, #one.tiles - one.width) - one.retention, 0
  if one.endless and start(one, 0) == BEFORE then first = one.width end
  local stale = first
  while stale < #one.tiles and start(one, stale) <= horizon do stale = stale + one.width end
  if stale == first then return end
  local before = nil
  if one.endless then
    before = {struct.unpack(one.layout, one.tiles, 1)}
    for at = one.width, stale - one.width, one.width do before = merged(one, at, before) end
    before[1], before[one.columns + 2] = BEFORE, nil
  end
  one.tiles = (before and struct.pack(one.layout, unpack(before)) or '') .. string.sub(one.tiles, stale + 1)
end

local relabelled = false
local function relabels(label)
  local sign, mark, known_at = string.sub(label, 1, 1), string.sub(label, 2, 17), tonumber(string.sub(label, 18))
  relabelled = true
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', known_at - 2 * reversible)
  if sign == '+' then return redis.call('ZADD', KEYS[2], 'NX', known_at, mark) == 1 end
  local since = redis.call('ZSCORE', KEYS[2], mark)
  redis.call('ZREM', KEYS[2], mark)
  return since and known_at - tonumber(since) <= reversible
end

local function is_first(partition, offset)
  if partition == '' then return true end
  local last = offsets[partition] or offset_before[partition]
  if last == nil then
    last = redis.call('HGET', KEYS[1], partition)
    offset_before[partition] = last
  end
  if last and tonumber(offset) <= tonumber(last) then return false end
  offsets[partition] = offset
  return true
end

for at = FIRST, #ARGV, EACH do
  local partition, offset, label = unpack(ARGV, at, at + 2)
  if is_first(partition, offset) and (label == '' or relabels(label)) then
    for i, one in ipairs(series) do
      local tile = ARGV[at + 2 + i]
      if tile ~= '' then add(one, tile) end
    end
  end
end

local changed = {}
for i, one in ipairs(series) do
  if one.tiles ~= '' then
    retire(one)
    changed[#changed + 1], changed[#changed + 2] = fields[i], one.tiles
  end
end
local written = #changed > 0
for partition, offset in pairs(offsets) do changed[#changed + 1], changed[#changed + 2] = partition, offset end
if #changed > 0 then redis.call('HSET', KEYS[1], unpack(changed)) end
if ttl > 0 and (relabelled or written and redis.call('TTL', KEYS[1]) < ttl) then
  redis.call('EXPIRE', KEYS[1], ttl + DAY)
  redis.call('EXPIRE', KEYS[2], ttl + DAY)
end
return redis.status_reply('OK')

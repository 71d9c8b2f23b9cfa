#!lua
-- Add to the tiles of shared entities (merchants), each addition once, in every series of tiles it belongs to.
--
-- KEYS    of each entity (in a cluster: of one): a hash with the last offset added of each source partition; its known
--         frauds, scored by when they became known (ms); for each series its tiles
-- ARGV    number of series, seconds to live (0: for good), how long a label can be taken back (ms); for each series:
--         retention (ms), 1 where older tiles become one row, how to merge each column (a, n or x); then for each
--         entity the number of its additions, and for each of those: source partition, offset (adds when it is above
--         the last one; '' and '': adds), label ('' for a transaction), and for each series a tile ('' for none)
-- Label   sign, mark (16 bytes: what is labelled), when it became known (ms): of each mark, + adds once, and - takes
--         back what + added
--
-- Tile, little endian int64: start (ms), one number for each column. A series is its tiles, sorted by start. All but the
-- last few stay unread, however many there are, unless an addition is late or a tile is to retire.
local DAY = 86400 -- how much longer (s) than asked it may live, so that not every transaction has to say so again
local BEFORE = -4611686018427387904 -- start of the row for all of history before the tiles
local ADD, LEAST = string.byte('an', 1, 2)
local ARGV, KEYS, call, unpack, sub = ARGV, KEYS, redis.call, unpack, string.sub
local pack, parse = struct.pack, struct.unpack
local count, ttl, reversible = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local EACH, KEPT = 3 + count, 2 + count -- arguments of an addition, keys of an entity
local said = 4 + 3 * count -- where the entity's arguments begin

local series = {}
for i = 1, count do
  local retention, endless, ops = unpack(ARGV, 1 + 3 * i, 3 + 3 * i)
  series[i] = {
    retention = tonumber(retention), endless = endless == '1', ops = ops, columns = #ops,
    width = 8 * (1 + #ops), layout = '<' .. string.rep('i8', 1 + #ops),
  }
end

local function start(tiles, at)
  return (parse('<i8', tiles, at + 1))
end

local function merged(one, tile, other) -- two tiles as one, which starts as the first
  local row, more = {parse(one.layout, tile)}, {parse(one.layout, other)}
  for i = 2, one.columns + 1 do
    local op = string.byte(one.ops, i - 1)
    if op == ADD then row[i] = row[i] + more[i]
    elseif op == LEAST then row[i] = math.min(row[i], more[i])
    else row[i] = math.max(row[i], more[i]) end
  end
  return pack(one.layout, unpack(row, 1, one.columns + 1))
end

-- What is known of the series in hand: `ends`, its last tiles, of which the first `stored` (0 or 1) is the last that is
-- stored; `replaced`, whether that was changed.
local function open(one, key)
  local last = call('GETRANGE', key, -one.width, -1)
  one.key, one.replaced, one.created = key, false, last == ''
  one.ends, one.stored = last == '' and {} or {last}, last == '' and 0 or 1
end

local function store(one) -- what is in hand
  if one.replaced then call('SETRANGE', one.key, call('STRLEN', one.key) - one.width, one.ends[1]) end
  if #one.ends > one.stored then call('APPEND', one.key, table.concat(one.ends, '', one.stored + 1)) end
end

local function insert(one, tile) -- a late one, among all
  store(one)
  local tiles, begins = call('GET', one.key), start(tile, 0)
  local at = #tiles - one.width
  while at >= 0 and start(tiles, at) > begins do at = at - one.width end
  local rest = at + one.width
  if at >= 0 and start(tiles, at) == begins then
    tile = merged(one, sub(tiles, at + 1, rest), tile)
  else
    at = rest
  end
  call('SET', one.key, sub(tiles, 1, at) .. tile .. sub(tiles, rest + 1), 'KEEPTTL')
  local created = one.created
  open(one, one.key)
  one.created = created
end

local function add(one, tile) -- most are a tile of their own, after all others
  local known = #one.ends
  local begins, last = start(tile, 0), known > 0 and start(one.ends[known], 0)
  one.has_grown = one.has_grown or begins ~= last
  if not last or last < begins then
    one.ends[known + 1] = tile
  elseif last == begins then
    one.ends[known] = merged(one, one.ends[known], tile)
    one.replaced = one.replaced or known == one.stored
  else
    insert(one, tile)
  end
end

local function retire(one) -- what no window can reach any more: away, or into the row for all of history
  local horizon = start(one.ends[#one.ends], 0) - one.retention
  local front = call('GETRANGE', one.key, 0, 2 * one.width - 1)
  local first = one.endless and start(front, 0) == BEFORE and one.width or 0
  if #front <= first or start(front, first) > horizon then return end
  local tiles = call('GET', one.key)
  local stale = first
  while stale < #tiles and start(tiles, stale) <= horizon do stale = stale + one.width end
  local before = ''
  if one.endless then
    before = pack('<i8', BEFORE) .. sub(tiles, 9, one.width)
    for at = one.width, stale - one.width, one.width do
      before = merged(one, before, sub(tiles, at + 1, at + one.width))
    end
  end
  call('SET', one.key, before .. sub(tiles, stale + 1), 'KEEPTTL')
end

local function relabels(frauds, label)
  local sign, mark, known_at = sub(label, 1, 1), sub(label, 2, 17), tonumber(sub(label, 18))
  call('ZREMRANGEBYSCORE', frauds, '-inf', known_at - 2 * reversible)
  if sign == '+' then return call('ZADD', frauds, 'NX', known_at, mark) == 1 end
  local since = call('ZSCORE', frauds, mark)
  call('ZREM', frauds, mark)
  return since and known_at - tonumber(since) <= reversible
end

local function passes(key, passed, partition, offset) -- whether an offset is the next one of its partition
  if partition == '' then return true end
  local last = passed[partition] or call('HGET', key, partition)
  if last and tonumber(offset) <= tonumber(last) then return false end
  passed[partition] = offset
  return true
end

local function live_on(at, is_new) -- an entity's keys, if one of them is new or may end too soon
  if ttl == 0 then return end
  for i = 1, count do is_new = is_new or series[i].has_changed and series[i].created end
  if not is_new and call('TTL', KEYS[at]) >= ttl then return end
  for i = at, at + KEPT - 1 do call('EXPIRE', KEYS[i], ttl + DAY) end
end

local function add_all(at, first, last) -- the additions of one entity: where its keys begin, and its arguments
  local passed, changed, relabelled = {}, false, false
  for i = 1, count do series[i].key, series[i].has_changed, series[i].has_grown = nil, false, false end
  for said = first, last, EACH do
    local partition, offset, label = ARGV[said], ARGV[said + 1], ARGV[said + 2]
    local counts = passes(KEYS[at], passed, partition, offset)
    if counts and label ~= '' then counts, relabelled = relabels(KEYS[at + 1], label), true end
    for i = 1, counts and count or 0 do
      local one, tile = series[i], ARGV[said + 2 + i]
      if tile ~= '' then
        if not one.key then open(one, KEYS[at + 1 + i]) end
        add(one, tile)
        one.has_changed, changed = true, true
      end
    end
  end
  for i = 1, count do
    if series[i].has_changed then store(series[i]) end
    if series[i].has_grown then retire(series[i]) end
  end
  for partition, offset in pairs(passed) do call('HSET', KEYS[at], partition, offset) end
  if changed or relabelled then live_on(at, relabelled) end
end

for at = 1, #KEYS, KEPT do
  local additions = tonumber(ARGV[said])
  add_all(at, said + 1, said + additions * EACH)
  said = said + 1 + additions * EACH
end
return redis.status_reply('OK')

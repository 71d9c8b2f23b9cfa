#!lua
-- Bring records into a customer's string: of the generation before, or out of the topic. Atomic; done again, it changes
-- nothing.
--
-- KEYS[1] the customer's records, KEYS[2] what was folded of them, KEYS[3] if given, his records in the generation before
-- ARGV    bytes of a record, seconds to live (0: for good), seconds that writers of the generation before may lag behind,
--         records (without KEYS[3])
-- Returns how many came in. KEYS[3] is closed then: a claim on it finds MOVED, and goes to the new generation.
--
-- A transaction comes in once, at its apply sequence; at the end where another one has that. What was delivered by the
-- stream and is older than the first record is in the summary already. The newest times before each are counted anew.
local MOVED = 'moved'
local SOURCE, KEY = 24, 32 -- offsets in a record, see claim.lua
local NO_SOURCE = string.rep('\0', 8)

local width, ttl = tonumber(ARGV[1]), tonumber(ARGV[2])
local records, coming = redis.call('GET', KEYS[1]) or '', ARGV[4]
if KEYS[3] then
  coming = redis.call('GET', KEYS[3]) or ''
  if coming == MOVED then return 0 end
  redis.call('SET', KEYS[3], MOVED, 'EX', ARGV[3])
end

local known, taken, all = {}, {}, {}

local function split(text, take)
  for at = 1, #text, width do
    local record = string.sub(text, at, at + width - 1)
    take(record, (struct.unpack('<i8', record)), string.sub(record, KEY + 1, KEY + 16))
  end
end

local function keep(record, sequence, key)
  known[key], taken[sequence] = true, true
  all[#all + 1] = {sequence, record}
end

if coming == '' then return 0 end
split(records, keep)
local before, first = #all, all[1] and all[1][1]
local last = before > 0 and all[before][1] or 0
local was_cut = redis.call('EXISTS', KEYS[2]) == 1

split(coming, function(record, sequence, key)
  if known[key] then return end
  local delivered = string.sub(record, SOURCE + 1, SOURCE + 8) ~= NO_SOURCE
  if delivered and was_cut and first and sequence < first then return end
  if taken[sequence] then sequence = last + 1 end
  last = math.max(last, sequence)
  keep(record, sequence, key)
end)
if #all == before then return 0 end

table.sort(all, function(a, b) return a[1] < b[1] end)
local out, newest = {}, nil
for i, one in ipairs(all) do
  local _, time, before_it = struct.unpack('<i8i8i8', one[2])
  newest = newest or before_it
  out[i] = struct.pack('<i8i8i8', one[1], time, newest) .. string.sub(one[2], SOURCE + 1)
  newest = math.max(newest, time)
end
redis.call('SET', KEYS[1], table.concat(out))
if ttl > 0 then redis.call('EXPIRE', KEYS[1], ttl) end
return #all - before

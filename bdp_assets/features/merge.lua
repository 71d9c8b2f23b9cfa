#!lua
-- Bring records into a customer's strings: of the generation before, or out of the topic. Atomic; done again, it changes
-- nothing.
--
-- KEYS[1] the customer's events, KEYS[2] their claims, KEYS[3] what was folded of them; KEYS[4] and KEYS[5] if given, his
--         events and claims in the generation before
-- ARGV    bytes of an event and of a claim, seconds to live (0: for good), seconds that writers of the generation before
--         may lag behind, events and their claims (without KEYS[4])
-- Returns how many came in. KEYS[4] is closed then: a claim on it finds MOVED, and goes to the new generation.
--
-- A transaction comes in once, at its apply sequence; at the end where another one has that. What was delivered by the
-- stream and is older than the first event is in the summary already. The newest times before each are counted anew.
local MOVED = 'moved'
local TAG, TIME, COLUMNS, KEY, KEY_END = 4, 8, 24, 8, 24 -- offsets in an event, and in a claim: see claim.lua
local NO_SOURCE = string.rep('\0', 8)

local width, claim_width, ttl = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local events, claims = redis.call('GET', KEYS[1]) or '', redis.call('GET', KEYS[2]) or ''
local coming, coming_claims = ARGV[5], ARGV[6]
if KEYS[4] then
  coming, coming_claims = redis.call('GET', KEYS[4]) or '', redis.call('GET', KEYS[5]) or ''
  if coming == MOVED then return 0 end
  redis.call('SET', KEYS[4], MOVED, 'EX', ARGV[4])
  redis.call('DEL', KEYS[5])
end

local known, taken, all = {}, {}, {}

local function split(text, text_claims, take)
  for i = 0, #text / width - 1 do
    local event = string.sub(text, i * width + 1, (i + 1) * width)
    local claim = string.sub(text_claims, i * claim_width + 1, (i + 1) * claim_width)
    take(event, claim, (struct.unpack('<I4', event)), string.sub(claim, KEY + 1, KEY_END))
  end
end

local function keep(event, claim, sequence, key)
  known[key], taken[sequence] = true, true
  all[#all + 1] = {sequence, event, claim}
end

if coming == '' then return 0 end
split(events, claims, keep)
local before, first = #all, all[1] and all[1][1]
local last = before > 0 and all[before][1] or 0
local was_cut = redis.call('EXISTS', KEYS[3]) == 1

split(coming, coming_claims, function(event, claim, sequence, key)
  if known[key] then return end
  local delivered = string.sub(claim, 1, 8) ~= NO_SOURCE
  if delivered and was_cut and first and sequence < first then return end
  if taken[sequence] then sequence = last + 1 end
  last = math.max(last, sequence)
  keep(event, claim, sequence, key)
end)
if #all == before then return 0 end

table.sort(all, function(a, b) return a[1] < b[1] end)
local out, out_claims, newest = {}, {}, nil
for i, one in ipairs(all) do
  local event = one[2]
  local time, before_it = struct.unpack('<i8i8', event, TIME + 1)
  newest = newest or before_it
  local kept, columns = string.sub(event, TAG + 1, TIME), string.sub(event, COLUMNS + 1)
  out[i] = struct.pack('<I4', one[1]) .. kept .. struct.pack('<i8i8', time, newest) .. columns
  out_claims[i] = one[3]
  newest = math.max(newest, time)
end
redis.call('SET', KEYS[1], table.concat(out))
redis.call('SET', KEYS[2], table.concat(out_claims))
if ttl > 0 then
  redis.call('EXPIRE', KEYS[1], ttl)
  redis.call('EXPIRE', KEYS[2], ttl)
end
return #all - before

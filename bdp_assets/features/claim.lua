#!lua
-- Claim transactions for their customer, one after the other, and return the events they may see. Its keys share a
-- slot; atomic.
--
-- KEYS[1] the customer's events, KEYS[2] their claims, KEYS[3] what was folded, KEYS[4] the same of pairs (if the
--         catalog has such); then for each transaction, where its decision is kept
-- ARGV    seconds to live (0: for good); then for each transaction: what there is to claim (see below), the fields of
--         its pairs
-- Returns {events, folded, then for each transaction: status, sequence, newest, how many bytes of events it may see,
--         decision, pair ...}; newest is the latest event time before it; duplicates and conflicts may see nothing.
--         {} where the customer was closed: his records are in another generation (see merge.lua).
--
-- Event, little endian: sequence 4, tag 4, time 8, newest 8, event columns; the tag is what its transaction key begins
-- with. Claim: source 8 (zero: none), transaction key 16, body hash 16. Both stand in the order of sequences.
-- What there is to claim: mode 1 (s: stream, a: api, d: dry), claim, time 8, event columns; in one argument, since each
-- one costs a server with a full heap a microsecond.
-- Lua's numbers are doubles: it reads times and sequences only, the rest stays opaque bytes.
local DAY = 86400 -- how much longer (s) than asked a customer may live, so that not every claim has to say so again
local STREAM, DRY = 's', 'd'
local NEW, REDELIVERY, DUPLICATE, CONFLICT = 0, 1, 2, 3
local KEY, BODY, CLAIM = 8, 24, 40 -- offsets in a claim, its size
local TAG, COLUMNS = 4, 24 -- offsets in an event
local MOMENTS = '<I4xxxxi8i8' -- an event's sequence, time, newest
local NO_SOURCE = string.rep('\0', 8)
local KEPT = 4 -- keys before those of decisions
local GIVEN_TIME, GIVEN_COLUMNS = 1 + CLAIM, 9 + CLAIM -- offsets in what there is to claim

local events = redis.call('GET', KEYS[1]) or ''
if events == 'moved' then return {} end
local ttl = tonumber(ARGV[1])
local each = (#ARGV - 1) / (#KEYS - KEPT) -- arguments of a transaction
local width = COLUMNS + #ARGV[2] - GIVEN_COLUMNS
local size, sequence, newest = #events, 0, nil -- with what is added; newest of all
if size > 0 then
  local last
  sequence, last, newest = struct.unpack(MOMENTS, events, size - width + 1)
  newest = math.max(newest, last)
end
local whole = size > 0 and struct.unpack('<I4', events) == 1 -- nothing was folded: the first event is still there
local folded = not whole and redis.call('GET', KEYS[3])
local are_gone = size > 0 and not whole -- events of his: the claims that went with them may have left decisions

local added, claims, tags, has_grown = {}, {}, {}, false
local function write(is_read) -- what was added; `is_read`: somebody here will look at it
  if #added == 0 then return end
  local coming = table.concat(added)
  redis.call('APPEND', KEYS[1], coming)
  redis.call('APPEND', KEYS[2], table.concat(claims))
  -- Lua hashes every byte of a new string: one that nobody reads would take as long as GET does.
  if is_read then events = events .. coming end
  added, claims, tags, has_grown = {}, {}, {}, true
end

-- Almost every transaction is new, and no event has its tag: then the claims need not be read at all.
local function find(transaction, tag)
  if tags[tag] then write(true) end
  local at = string.find(events, tag, 1, true)
  while at do
    if (at - 1) % width == TAG then
      local number = (at - 1 - TAG) / width
      local claim = redis.call('GETRANGE', KEYS[2], number * CLAIM, (number + 1) * CLAIM - 1)
      if string.sub(claim, KEY + 1, BODY) == transaction then return number, claim end
    end
    at = string.find(events, tag, at + 1, true)
  end
end

local function repeated(mode, number, claim, before)
  local source, claimed_by = string.sub(claim, 1, KEY), string.sub(before, 1, KEY)
  local same = string.sub(before, BODY + 1) == string.sub(claim, BODY + 1)
  if mode == STREAM and claimed_by == source then return REDELIVERY end
  if not same then return CONFLICT end
  if mode ~= STREAM then return REDELIVERY end
  if claimed_by ~= NO_SOURCE then return DUPLICATE end
  redis.call('SETRANGE', KEYS[2], number * CLAIM, source) -- the first stream delivery adopts the API's claim
  return REDELIVERY
end

local reply, said, most = {events, folded}, 2, 0 -- most: bytes of events that one of them may see
local function say(status, seq, newest_before, visible, decision)
  reply[said + 1], reply[said + 2], reply[said + 3], reply[said + 4] = status, seq, newest_before, visible
  reply[said + 5] = decision
  said, most = said + 5, math.max(most, visible)
end

for number = 1, #KEYS - KEPT do
  local at = 2 + (number - 1) * each
  local given = ARGV[at]
  local mode, claim = string.sub(given, 1, 1), string.sub(given, 2, GIVEN_TIME)
  local transaction, tag = string.sub(claim, KEY + 1, BODY), string.sub(claim, KEY + 1, KEY + 4)
  local known, before = find(transaction, tag)
  if known then
    local status = repeated(mode, known, claim, before)
    local first, _, then_newest = struct.unpack(MOMENTS, events, known * width + 1)
    local seen = status == REDELIVERY
    say(status, first, then_newest, seen and known * width or 0, seen and redis.call('GET', KEYS[KEPT + number]))
  else
    local time = struct.unpack('<i8', given, GIVEN_TIME + 1)
    local newest_before = newest or time
    say(NEW, sequence + 1, newest_before, size, false)
    if mode ~= DRY then
      if are_gone then redis.call('DEL', KEYS[KEPT + number]) end -- of another transaction, that had the id before
      sequence, size, tags[tag] = sequence + 1, size + width, true
      newest = math.max(newest_before, time)
      local moments = struct.pack('<I4c4i8i8', sequence, tag, time, newest_before)
      added[#added + 1], claims[#claims + 1] = moments .. string.sub(given, GIVEN_COLUMNS + 1), claim
    end
  end
  for i = at + 1, at + each - 1 do
    said = said + 1
    reply[said] = not whole and redis.call('HGET', KEYS[4], ARGV[i])
  end
end

write(most > #events)
reply[1] = events
if has_grown and ttl > 0 and redis.call('TTL', KEYS[1]) < ttl then
  for i = 1, KEPT do redis.call('EXPIRE', KEYS[i], ttl + DAY) end
end
return reply

#!lua
-- Claim a transaction for its customer and return the events it may see. Its keys share a slot; atomic.
--
-- KEYS[1] the customer's events, KEYS[2] their claims, KEYS[3] where the decision of this transaction is kept,
--         KEYS[4] what was folded, KEYS[5] the same of pairs (if the catalog has such)
-- ARGV    mode (stream, api or dry), transaction key (16 bytes), time (int64), source (8 bytes; zero: none),
--         body hash (16 bytes), event columns (int64s), seconds to live (0: for good), then the fields of its pairs
-- Returns {status, sequence, newest, events, folded, decision, pair ...}; newest is the latest event time before
-- this transaction. {MOVED} where the customer was closed: his records are in another generation (see merge.lua).
--
-- Event, little endian: sequence 4, tag 4, time 8, newest 8, event columns; the tag is what its transaction key begins
-- with. Claim: source 8, transaction key 16, body hash 16.
-- Lua's numbers are doubles: it reads times and sequences only, the rest stays opaque bytes.
local DECISION = 3 -- the one of KEYS that lives by itself
local DAY = 86400 -- how much longer (s) than asked a customer may live, so that not every claim has to say so again
local NEW, REDELIVERY, DUPLICATE, CONFLICT, MOVED = 0, 1, 2, 3, 4
local KEY, BODY, CLAIM = 8, 24, 40 -- offsets in a claim, its size
local TAG, COLUMNS = 4, 24 -- offsets in an event
local MOMENTS = '<I4xxxxi8i8' -- an event's sequence, time, newest
local NO_SOURCE = string.rep('\0', 8)

local mode, transaction, time, source, body, columns = unpack(ARGV, 1, 6)
local ttl = tonumber(ARGV[7])
local width = COLUMNS + #columns
local events = redis.call('GET', KEYS[1]) or ''
if events == 'moved' then return {MOVED} end
local size = #events

-- Almost every transaction is new, and no event has its tag: then the claims need not be read at all.
local tag = string.sub(transaction, 1, 4)
local function find()
  local at = string.find(events, tag, 1, true)
  while at do
    if (at - 1) % width == TAG then
      local start = (at - 1 - TAG) / width * CLAIM
      local claim = redis.call('GETRANGE', KEYS[2], start, start + CLAIM - 1)
      if string.sub(claim, KEY + 1, BODY) == transaction then return start, claim end
    end
    at = string.find(events, tag, at + 1, true)
  end
end

local function repeated(start, claim)
  local claimed_by = string.sub(claim, 1, 8)
  local same = string.sub(claim, BODY + 1) == body
  if mode == 'stream' and claimed_by == source then return REDELIVERY end
  if not same then return CONFLICT end
  if mode ~= 'stream' then return REDELIVERY end
  if claimed_by ~= NO_SOURCE then return DUPLICATE end
  redis.call('SETRANGE', KEYS[2], start, source) -- the first stream delivery adopts the API's claim
  return REDELIVERY
end

local function seen(status, sequence, newest, decision)
  local whole = size > 0 and struct.unpack('<I4', events) == 1 -- nothing was folded: the first event is still there
  local folded = not whole and redis.call('GET', KEYS[4])
  local reply = {status, sequence, newest, events, folded, decision}
  for at = 8, #ARGV do reply[at - 1] = not whole and redis.call('HGET', KEYS[5], ARGV[at]) end
  if status == NEW and mode ~= 'dry' and ttl > 0 and redis.call('TTL', KEYS[1]) < ttl then
    for i, key in ipairs(KEYS) do
      if i ~= DECISION then redis.call('EXPIRE', key, ttl + DAY) end
    end
  end
  return reply
end

local known, claim = find()
if known then
  local status = repeated(known, claim)
  local sequence, _, newest = struct.unpack(MOMENTS, events, known / CLAIM * width + 1)
  if status ~= REDELIVERY then return {status, sequence} end
  return seen(status, sequence, newest, redis.call('GET', KEYS[3]))
end

local now = struct.unpack('<i8', time)
local sequence, newest = 0, now
if size > 0 then
  local last
  sequence, last, newest = struct.unpack(MOMENTS, events, size - width + 1)
  newest = math.max(newest, last)
end
sequence = sequence + 1
if mode ~= 'dry' then
  redis.call('APPEND', KEYS[1], struct.pack('<I4', sequence) .. tag .. time .. struct.pack('<i8', newest) .. columns)
  redis.call('APPEND', KEYS[2], source .. transaction .. body)
end
return seen(NEW, sequence, newest, false)

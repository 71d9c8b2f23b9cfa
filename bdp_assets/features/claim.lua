#!lua
-- Claim a transaction for its customer and return the events it may see. Its keys share a slot; atomic.
--
-- KEYS[1] the customer's records, KEYS[2] where the decision of this transaction is kept, KEYS[3] what was folded,
--         KEYS[4] the same of pairs
-- ARGV    mode (stream, api or dry), transaction key (16 bytes), time (int64), source (8 bytes; zero: none),
--         body hash (16 bytes), event columns (int64s), seconds to live (0: for good), then the fields of its pairs
-- Returns {status, sequence, newest, records, folded, decision, pair ...}; newest is the latest event time before
-- this transaction. {MOVED} where the customer was closed: his records are in another generation (see merge.lua).
--
-- Record, little endian: sequence 8, time 8, newest 8, source 8, transaction key 16, body hash 16, event columns.
-- Lua's numbers are doubles: it reads times and sequences only, the rest stays opaque bytes.
local NEW, REDELIVERY, DUPLICATE, CONFLICT, MOVED = 0, 1, 2, 3, 4
local SOURCE, KEY, BODY, COLUMNS = 24, 32, 48, 64 -- offsets in a record
local NO_SOURCE = string.rep('\0', 8)

local mode, transaction, time, source, body, columns = unpack(ARGV, 1, 6)
local ttl = tonumber(ARGV[7])
local width = COLUMNS + #columns
local records = redis.call('GET', KEYS[1]) or ''
if records == 'moved' then return {MOVED} end
local size = #records

local function field(record, offset, length)
  return string.sub(records, record + offset + 1, record + offset + length)
end

local function find()
  local at = string.find(records, transaction, 1, true)
  while at and (at - 1) % width ~= KEY do
    at = string.find(records, transaction, at + 1, true)
  end
  return at and at - 1 - KEY
end

local function repeated(record)
  local claimed_by, same = field(record, SOURCE, 8), field(record, BODY, 16) == body
  if mode == 'stream' and claimed_by == source then return REDELIVERY end
  if not same then return CONFLICT end
  if mode ~= 'stream' then return REDELIVERY end
  if claimed_by ~= NO_SOURCE then return DUPLICATE end
  redis.call('SETRANGE', KEYS[1], record + SOURCE, source) -- the first stream delivery adopts the API's claim
  return REDELIVERY
end

local function seen(status, sequence, newest, decision)
  local reply = {status, sequence, newest, records, redis.call('GET', KEYS[3]), decision}
  for at = 8, #ARGV do reply[at - 1] = redis.call('HGET', KEYS[4], ARGV[at]) end
  return reply
end

local known = find()
if known then
  local status = repeated(known)
  local sequence, _, newest = struct.unpack('<i8i8i8', records, known + 1)
  if status ~= REDELIVERY then return {status, sequence} end
  return seen(status, sequence, newest, redis.call('GET', KEYS[2]))
end

local now = struct.unpack('<i8', time)
local sequence, newest = 0, now
if size > 0 then
  local last
  sequence, last, newest = struct.unpack('<i8i8i8', records, size - width + 1)
  newest = math.max(newest, last)
end
sequence = sequence + 1
if mode ~= 'dry' then
  redis.call('APPEND', KEYS[1], struct.pack('<i8', sequence) .. time .. struct.pack('<i8', newest)
    .. source .. transaction .. body .. columns)
  if ttl > 0 then
    redis.call('EXPIRE', KEYS[1], ttl)
    redis.call('EXPIRE', KEYS[3], ttl)
    redis.call('EXPIRE', KEYS[4], ttl)
  end
end
return seen(NEW, sequence, newest, false)

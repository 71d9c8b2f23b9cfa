#!lua
-- Take items from a caller's bucket where there are enough, by this server's clock. Atomic.
--
-- KEYS[1] the bucket
-- ARGV    items that it gains a second (as many as it holds), items wanted
-- Returns {1 where they were taken, what is in the bucket now}
--
-- The same as `bucket.py`: stock in millionths of an item, negative where a large call is still being paid for;
-- kept with its time in microseconds, until the bucket is full again. All are exact as doubles.
local MILLION = 1000000
local bucket, rate, wanted = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]) * MILLION
local full = rate * MILLION
local clock = redis.call('TIME')
local now = clock[1] * MILLION + clock[2]

local stock, at = full, now
local kept = redis.call('GET', bucket)
if kept then
  local before
  before, at = struct.unpack('<i8i8', kept)
  stock = math.min(full, before + math.max(0, now - at) * rate)
end
local allowed = stock >= math.min(wanted, full)
if allowed then stock = stock - wanted end
if allowed or at > now then -- The clock went back: else it would gain nothing until the time of before.
  local full_again_ms = math.ceil((full - stock) / rate / 1000) + 1
  redis.call('SET', bucket, struct.pack('<i8i8', stock, now), 'PX', full_again_ms)
end
return {allowed and 1 or 0, stock}

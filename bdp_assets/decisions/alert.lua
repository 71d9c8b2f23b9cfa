#!lua
-- Add a transaction to an alert, and return the alert as that transaction left it: again, the same again. Atomic.
--
-- KEYS[1] the alert
-- ARGV    transaction key (16 bytes), its time, its amount, its severity (1 and up), seconds to live,
--         how many reasons an alert keeps, then for each of its reasons: code, the reason itself
-- Returns {transactions, first time, last time, amount, severity, 1 where it is new or got more severe, reason ...}
--
-- A hash: `now` and `t<transaction key>`, the totals now and as that transaction left them (int64s); `c<code>`, the
-- codes that it has; `r<number>`, its reasons in order. Those never change, so a count of them says which were there.
-- Lua's numbers are doubles: amounts stop at MOST, where they would not be exact any more.
local MOST = 2 ^ 53
local TOTALS = '<i8i8i8i8i8i8i8'

local alert, transaction = KEYS[1], 't' .. ARGV[1]
local time, added, severity, ttl, kept = unpack(ARGV, 2, 6)
time, added, severity, kept = tonumber(time), tonumber(added), tonumber(severity), tonumber(kept)

local function grown()
  local count, first, last, amount, highest, reasons = 0, time, time, 0, 0, 0
  local now = redis.call('HGET', alert, 'now')
  if now then count, first, last, amount, highest, reasons = struct.unpack(TOTALS, now) end
  for at = 7, #ARGV, 2 do
    if reasons < kept and redis.call('HSETNX', alert, 'c' .. ARGV[at], '') == 1 then
      reasons = reasons + 1
      redis.call('HSET', alert, 'r' .. reasons, ARGV[at + 1])
    end
  end
  local notify = severity > highest and 1 or 0
  local totals = struct.pack(TOTALS, count + 1, math.min(first, time), math.max(last, time),
    math.min(amount + added, MOST), math.max(highest, severity), reasons, notify)
  redis.call('HSET', alert, 'now', totals, transaction, totals)
  redis.call('EXPIRE', alert, ttl)
  return totals
end

local totals = redis.call('HGET', alert, transaction) or grown()
local count, first, last, amount, highest, reasons, notify = struct.unpack(TOTALS, totals)
local reply = {count, first, last, amount, highest, notify}
for number = 1, reasons do reply[6 + number] = redis.call('HGET', alert, 'r' .. number) end
return reply

#!lua
-- Cut the first records off a customer's strings, in exchange for the summaries they went into.
--
-- KEYS[1] the customer's events, KEYS[2] their claims, KEYS[3] what was folded, KEYS[4] the same of pairs
-- ARGV    apply sequences of the first and the last event to cut, how many to cut, bytes of an event and of a claim,
--         the new summary, then for each pair: field, new summary
-- Returns 1, or 0 where somebody else has cut since, or brought records in: then nothing changes. Records come in
-- by sequence and leave at the front only, and summaries change here only, so the sequences at both ends tell
-- whether what lies between is still what was read.
local first, last, cut = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local width, claim, folded = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

local function is_at(byte, sequence)
  local found = redis.call('GETRANGE', KEYS[1], byte, byte + 3)
  return #found == 4 and struct.unpack('<I4', found) == sequence
end
if not (is_at(0, first) and is_at((cut - 1) * width, last)) then return 0 end

redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], cut * width, -1), 'KEEPTTL')
redis.call('SET', KEYS[2], redis.call('GETRANGE', KEYS[2], cut * claim, -1), 'KEEPTTL')
local ttl = redis.call('TTL', KEYS[1])
if folded ~= '' then redis.call('SET', KEYS[3], folded) else redis.call('DEL', KEYS[3]) end
for at = 7, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1]) end
if ttl > 0 then
  redis.call('EXPIRE', KEYS[3], ttl)
  redis.call('EXPIRE', KEYS[4], ttl)
end
return 1

#!lua
-- Cut the first records off a customer's string, in exchange for the summaries they went into.
--
-- KEYS[1] the customer's records, KEYS[2] what was folded, KEYS[3] the same of pairs
-- ARGV    apply sequence of the first record, bytes to cut, the new summary, then for each pair: field, new summary
-- Returns 1, or 0 where somebody else has cut since: then nothing changes. Records are only ever appended and
-- cut, and summaries change here only, so the first sequence tells whether they are still what was read.
local first, cut, folded = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local head = redis.call('GETRANGE', KEYS[1], 0, 7)
if #head < 8 or struct.unpack('<i8', head) ~= first then return 0 end

redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], cut, -1), 'KEEPTTL')
local ttl = redis.call('TTL', KEYS[1])
if folded ~= '' then redis.call('SET', KEYS[2], folded) else redis.call('DEL', KEYS[2]) end
for at = 4, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1]) end
if ttl > 0 then
  redis.call('EXPIRE', KEYS[2], ttl)
  redis.call('EXPIRE', KEYS[3], ttl)
end
return 1

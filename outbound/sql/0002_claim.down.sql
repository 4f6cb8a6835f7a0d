DROP FUNCTION outbound_claim(text, integer, interval, interval, numeric, integer, interval, timestamptz);
DROP FUNCTION outbound_claim_batch(bigint, bigint, integer, timestamptz, timestamptz, interval, timestamptz, timestamptz, interval, text);
DROP FUNCTION outbound_lists(bigint);
DROP FUNCTION outbound_patterns(text, smallint[]);

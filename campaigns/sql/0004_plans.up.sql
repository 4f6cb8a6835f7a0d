-- A statement in a function is planned once per connection. Planned while a table was (nearly) empty it would read the
-- whole table, and go on doing so while the table grows, until the next ANALYZE: each call slower than the one before.
-- What every call runs must use its indexes from the first call on. (A function replaced later says this again.)
ALTER FUNCTION campaigns_route_call(bigint, bigint, text, text, bigint, text, text, interval) SET enable_seqscan = off;
ALTER FUNCTION campaigns_call_event(bigint, bigint, text, timestamptz, text, text, interval, interval) SET enable_seqscan = off;
ALTER FUNCTION campaigns_leg_end(bigint, text, text, timestamptz, boolean) SET enable_seqscan = off;

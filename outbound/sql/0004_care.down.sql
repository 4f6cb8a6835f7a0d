DROP FUNCTION outbound_take_deliveries(integer, interval, timestamptz);
DROP FUNCTION outbound_reconcile(bigint);
DROP FUNCTION outbound_settle(timestamptz);
DROP FUNCTION outbound_start_delay(bigint, timestamptz);
DROP FUNCTION outbound_drain(bigint, text, text, integer);

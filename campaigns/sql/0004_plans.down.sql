ALTER FUNCTION campaigns_leg_end(bigint, text, text, timestamptz, boolean) RESET enable_seqscan;
ALTER FUNCTION campaigns_call_event(bigint, bigint, text, timestamptz, text, text, interval, interval) RESET enable_seqscan;
ALTER FUNCTION campaigns_route_call(bigint, bigint, text, text, bigint, text, text, interval) RESET enable_seqscan;

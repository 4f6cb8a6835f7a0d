DROP FUNCTION campaigns_reconcile(bigint, boolean),
    campaigns_call_event(bigint, bigint, text, timestamptz, text, text, interval, interval),
    campaigns_leg_end(bigint, text, text, timestamptz, boolean);

DROP FUNCTION campaigns_reconcile(bigint, boolean),
    campaigns_call_event(bigint, bigint, text, timestamptz, text, text, interval, interval),
    campaigns_leg_end(bigint, text, text, timestamptz, boolean),
    campaigns_route_call(bigint, bigint, text, text, bigint, text, text, interval),
    campaigns_refusal(integer[]),
    campaigns_overflow_mask(bigint, timestamptz),
    campaigns_repeat_destination(bigint, text, timestamptz),
    campaigns_evaluate(bigint, bigint, timestamptz),
    campaigns_passed_details(integer, text, int4multirange, text, timestamptz, numeric, numeric, numeric, integer, integer);

DROP FUNCTION campaigns_route_call(bigint, bigint, text, text, bigint, text, text, interval),
    campaigns_refusal(integer[]),
    campaigns_overflow_mask(bigint, timestamptz),
    campaigns_repeat_destination(bigint, text, timestamptz),
    campaigns_evaluate(bigint, bigint, timestamptz),
    campaigns_passed_details(integer, text, int4multirange, text, timestamptz, numeric, numeric, numeric, integer, integer);

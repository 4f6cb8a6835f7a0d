DROP TRIGGER campaign_profile ON campaigns_campaign;
DROP TRIGGER network_state ON accounts_network;
DROP TRIGGER cap_state ON campaigns_cap;
DROP TRIGGER campaign_state ON campaigns_campaign;
DROP TRIGGER cap_guard ON campaigns_cap;
DROP TRIGGER destination_guard ON campaigns_bundledestination;
DROP TRIGGER campaign_guard ON campaigns_campaign;
DROP TRIGGER campaign_keep ON campaigns_campaign;
DROP FUNCTION campaigns_profile_of_campaign(), campaigns_state_of_network(), campaigns_state_of_cap(),
    campaigns_state_of_campaign(), campaigns_state_refresh(bigint),
    campaigns_usage(bigint, timestamptz, timestamptz, numeric),
    campaigns_period(text, date, text, timestamptz), campaigns_day_start(date, text),
    campaigns_next_opening(int4multirange, text, timestamptz), campaigns_opens_in(int4multirange, integer),
    campaigns_week_second(timestamptz, text), campaigns_cap_guard(), campaigns_destination_guard(),
    campaigns_campaign_guard(), campaigns_campaign_keep();

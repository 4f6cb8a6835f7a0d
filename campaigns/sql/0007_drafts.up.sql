-- Terms change in a draft first, and may be priced by policies.

-- The status reaches routing in the same transaction, whoever changes it. What policies may cost at most is compiled
-- (actions.profile_compile): the Base amount alone must not take its place.
CREATE OR REPLACE FUNCTION campaigns_profile_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaigns_routingprofile
    SET routable = NEW.status IN ('Live', 'LivePending'), status = NEW.status, time_zone = NEW.time_zone,
        payout = CASE WHEN by_policy THEN payout ELSE NEW.payout END
    WHERE campaign_id = NEW.id;
    RETURN NULL;
END $$;

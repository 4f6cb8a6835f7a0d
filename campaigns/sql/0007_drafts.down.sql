CREATE OR REPLACE FUNCTION campaigns_profile_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaigns_routingprofile
    SET routable = NEW.status IN ('Live', 'LivePending'), status = NEW.status, time_zone = NEW.time_zone, payout = NEW.payout
    WHERE campaign_id = NEW.id;
    RETURN NULL;
END $$;

DROP INDEX campaigns_leg_long;
CREATE OR REPLACE FUNCTION campaigns_cost(destination bigint, reserved numeric) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p.by_policy THEN NULL ELSE campaigns_cost.reserved END
    FROM campaigns_routingprofile p WHERE p.campaign_id = destination
$$;

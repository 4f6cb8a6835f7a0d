-- One rule for what a call costs and what it brings: the terms in force when it ends.

-- What an answered leg costs: what was reserved for it, as long as that is what its destination pays. NULL where policies
-- decide, and where the terms have changed since it was selected: then it waits for actions.legs_price as well, which gives
-- back what was reserved too much. What it brings was by the terms at its end before; cost and revenue are now of the same.
CREATE OR REPLACE FUNCTION campaigns_cost(destination bigint, reserved numeric) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p.by_policy OR campaigns_cost.reserved <> p.payout THEN NULL ELSE campaigns_cost.reserved END
    FROM campaigns_routingprofile p WHERE p.campaign_id = destination
$$;

-- The few legs that lasted longer than a day (swept after the workers were away): the hourly sums look for the others among
-- those selected within a day, and must not miss the money of these.
CREATE INDEX campaigns_leg_long ON campaigns_callleg (ended_at) WHERE ended_at - selected_at > interval '24 hours';

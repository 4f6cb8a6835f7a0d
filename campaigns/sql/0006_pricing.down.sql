DROP FUNCTION campaigns_usage_set(bigint, text, numeric);
DROP FUNCTION campaigns_leg_price(bigint, numeric, numeric);
CREATE OR REPLACE FUNCTION campaigns_usage(
    destination bigint, since timestamptz, until timestamptz, fee_per_minute numeric,
    OUT calls integer, OUT spend numeric
) LANGUAGE sql STABLE AS $$
    SELECT count(*)::integer,
           coalesce(sum(reserved + CASE WHEN answered_at IS NULL OR ended_at IS NULL THEN 0 ELSE
               round(greatest(extract(epoch FROM ended_at - answered_at), 0) / 60 * fee_per_minute, 4) END), 0)
    FROM campaigns_callleg
    WHERE destination_id = destination
      AND selected_at >= coalesce(since, 'infinity') AND selected_at < coalesce(until, 'infinity')
      AND (answered_at IS NOT NULL OR ended_at IS NULL)
$$;

CREATE OR REPLACE FUNCTION campaigns_call_event(
    p_network bigint, p_call bigint, p_event text, p_at timestamptz, p_cause text, p_detail text,
    p_setup interval, p_lease interval, p_leg bigint DEFAULT NULL,
    OUT result text, OUT leg_id bigint, OUT destination_id bigint, OUT answered_at timestamptz, OUT ended_at timestamptz,
    OUT end_reason text, OUT expires_at timestamptz
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_call record;
    leg campaigns_callleg;
    heard timestamptz;
    hung_up boolean;
BEGIN
    SELECT c.campaign_id, c.caller, c.refusal INTO v_call
    FROM campaigns_call c WHERE c.id = p_call AND c.network_id = p_network;
    IF NOT FOUND THEN
        result := 'unknown';
        RETURN;
    END IF;
    SELECT * INTO leg FROM campaigns_callleg l WHERE l.call_id = p_call AND (p_leg IS NULL OR l.id = p_leg)
    ORDER BY l.id DESC LIMIT 1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        result := CASE p_event WHEN 'ended' THEN 'unchanged' ELSE 'finished' END;
        end_reason := v_call.refusal;
        RETURN;
    END IF;
    -- A switch's clock may be off: nothing happens before the selection or in the future.
    heard := greatest(least(coalesce(p_at, now()), now()), leg.selected_at);
    hung_up := leg.ended_at IS NOT NULL AND leg.end_reason NOT IN ('lease_expired', 'released');
    result := 'unchanged';

    IF p_event = 'ended' THEN
        IF campaigns_leg_end(leg.id, p_cause, p_detail, heard) THEN
            result := 'applied';
        END IF;
    ELSIF leg.ended_at IS NOT NULL AND (NOT hung_up OR p_event = 'heartbeat') THEN
        result := 'finished';
    ELSIF p_event = 'ringing' THEN
        IF leg.ringing_at IS NULL THEN
            result := 'applied';
            UPDATE campaigns_callleg l
            SET ringing_at = least(heard, leg.answered_at, leg.ended_at),
                expires_at = CASE WHEN leg.answered_at IS NULL AND leg.ended_at IS NULL
                                  THEN greatest(l.expires_at, now() + p_setup) ELSE l.expires_at END
            WHERE l.id = leg.id;
        END IF;
    ELSIF p_event = 'heartbeat' THEN
        result := 'applied';
        UPDATE campaigns_callleg l
        SET expires_at = greatest(l.expires_at, now() + CASE WHEN leg.answered_at IS NULL THEN p_setup ELSE p_lease END)
        WHERE l.id = leg.id;
    ELSIF leg.answered_at IS NULL THEN
        result := 'applied';
        UPDATE campaigns_callleg l
        -- Two events at once may have been heard in one order and come here in the other: it rang before it was answered.
        SET answered_at = least(heard, leg.ended_at),
            ringing_at = CASE WHEN l.ringing_at IS NULL THEN NULL ELSE least(l.ringing_at, heard, leg.ended_at) END,
            expires_at = CASE WHEN leg.ended_at IS NULL THEN now() + p_lease ELSE l.expires_at END
        WHERE l.id = leg.id;
        IF leg.ended_at IS NOT NULL THEN
            -- The hang-up overtook the answer and gave back what it reserved: the call was answered, so it counts.
            UPDATE campaigns_destinationstate s
            SET calls_used = s.calls_used + CASE WHEN s.calls_since <= leg.selected_at
                                                  AND (leg.selected_at < s.calls_until) IS NOT FALSE THEN 1 ELSE 0 END,
                spend_used = s.spend_used + CASE WHEN s.spend_since <= leg.selected_at
                                                  AND (leg.selected_at < s.spend_until) IS NOT FALSE THEN leg.reserved
                    + round(greatest(extract(epoch FROM leg.ended_at - least(heard, leg.ended_at)), 0) / 60
                            * s.fee_per_minute, 4) ELSE 0 END
            WHERE s.campaign_id = leg.destination_id;
        END IF;
        IF leg.holds_slot AND v_call.caller IS NOT NULL THEN
            -- The first destination stays his as long as the window has not run out since he was last connected.
            INSERT INTO campaigns_repeatcaller AS r (bundle_id, caller, destination_id, connected_at)
            VALUES (v_call.campaign_id, v_call.caller, leg.destination_id, heard)
            ON CONFLICT (bundle_id, caller) DO UPDATE
            SET destination_id = CASE WHEN r.connected_at > excluded.connected_at - make_interval(days =>
                    (SELECT b.repeat_window_days FROM campaigns_campaign b WHERE b.id = v_call.campaign_id))
                    THEN r.destination_id ELSE excluded.destination_id END,
                connected_at = greatest(r.connected_at, excluded.connected_at);
        END IF;
    END IF;

    SELECT l.id, l.destination_id, l.answered_at, l.ended_at, l.end_reason, l.expires_at
    INTO leg_id, destination_id, answered_at, ended_at, end_reason, expires_at
    FROM campaigns_callleg l WHERE l.id = leg.id;
END $$;

CREATE OR REPLACE FUNCTION campaigns_leg_end(
    p_leg bigint, p_reason text, p_detail text, p_at timestamptz, only_expired boolean DEFAULT false
) RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    leg record;
BEGIN
    UPDATE campaigns_callleg
    SET ended_at = greatest(p_at, selected_at, answered_at), end_reason = p_reason, end_detail = p_detail
    WHERE id = p_leg AND ended_at IS NULL AND (NOT only_expired OR expires_at < now())
    RETURNING destination_id, holds_slot, reserved, selected_at, answered_at, ended_at INTO leg;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE campaigns_destinationstate s
    SET live = s.live - CASE WHEN leg.holds_slot THEN 1 ELSE 0 END,
        calls_used = s.calls_used - CASE WHEN leg.answered_at IS NULL AND s.calls_since <= leg.selected_at
                                          AND (leg.selected_at < s.calls_until) IS NOT FALSE THEN 1 ELSE 0 END,
        spend_used = s.spend_used + CASE
            WHEN s.spend_since IS NULL OR s.spend_since > leg.selected_at OR leg.selected_at >= s.spend_until THEN 0
            WHEN leg.answered_at IS NULL THEN -leg.reserved
            ELSE round(greatest(extract(epoch FROM leg.ended_at - leg.answered_at), 0) / 60 * s.fee_per_minute, 4) END
    WHERE s.campaign_id = leg.destination_id;
    RETURN true;
END $$;

DROP FUNCTION campaigns_revenue(bigint);
DROP FUNCTION campaigns_cost(bigint, numeric);

CREATE OR REPLACE FUNCTION campaigns_evaluate(bundle bigint, caller_key bigint, at timestamptz)
RETURNS TABLE (
    place bigint, destination bigint, priority smallint, weight integer, mask integer, live integer, live_cap integer,
    payout numeric, stale boolean, entry text
) LANGUAGE sql STABLE AS $$
    SELECT e.place, e.destination, e.priority, e.weight, e.mask, e.live, e.live_cap, e.payout, e.stale,
           concat('[', e.destination, ',', e.priority, ',', e.weight, ',', e.mask, ',', e.live, ',',
                  coalesce(e.live_cap::text, 'null'),
                  CASE WHEN e.mask & 29 > 0 THEN campaigns_passed_details(
                      e.mask, e.status, e.hours, e.time_zone, at, e.spend_used, e.spend_cap, e.payout, e.calls_used,
                      e.calls_cap) END, ']')
    FROM (
        SELECT d.id AS place, d.destination_id AS destination, d.priority, d.weight, s.live, s.live_cap, p.payout,
               p.status, p.hours, p.time_zone, u.calls_used, s.calls_cap, u.spend_used, s.spend_cap,
               at >= s.calls_until OR at >= s.spend_until AS stale,
               CASE WHEN p.routable THEN 0 ELSE 1 END
               | CASE WHEN p.regions IS NULL OR p.regions @> caller_key THEN 0 ELSE 2 END
               | CASE WHEN p.hours IS NULL OR p.hours @> campaigns_week_second(at, p.time_zone) THEN 0 ELSE 4 END
               | CASE WHEN u.spend_used >= s.spend_cap OR u.spend_used + p.payout > s.spend_cap THEN 8 ELSE 0 END
               | CASE WHEN u.calls_used >= s.calls_cap THEN 16 ELSE 0 END
               | CASE WHEN s.live >= s.live_cap THEN 32 ELSE 0 END
               | CASE WHEN d.weight = 0 AND b.distribution = 'Weighted' THEN 64 ELSE 0 END AS mask
        FROM campaigns_bundledestination d
        JOIN campaigns_campaign b ON b.id = d.bundle_id
        JOIN campaigns_routingprofile p ON p.campaign_id = d.destination_id
        JOIN campaigns_destinationstate s ON s.campaign_id = d.destination_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN at >= s.calls_until THEN 0 ELSE s.calls_used END AS calls_used,
                   CASE WHEN at >= s.spend_until THEN 0 ELSE s.spend_used END AS spend_used
        ) u
        WHERE d.bundle_id = bundle
        -- Without this the mask is worked out again for every mention of it above.
        OFFSET 0
    ) e
$$;

CREATE OR REPLACE FUNCTION campaigns_week_second(at timestamptz, zone text) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT ((floor(extract(epoch FROM at AT TIME ZONE zone))::bigint - 345600) % 604800)::integer
$$;

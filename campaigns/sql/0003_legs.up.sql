-- What becomes of a call once it was routed: its events, the end of its legs, and the care of the counters.
-- Locking: the end of a leg locks the leg, then its destination's hot row. See docs/locking.md.

-- End a leg once: give its slot back, and what it had reserved if it was never answered. False if it had ended before
-- (or, with only_expired, if its lease was extended meanwhile): then nothing changes.
CREATE FUNCTION campaigns_leg_end(
    p_leg bigint, p_reason text, p_detail text, p_at timestamptz, only_expired boolean DEFAULT false
) RETURNS boolean LANGUAGE plpgsql AS $$
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

-- Apply one event of a call: ringing, answered, heartbeat, ended. Safe to repeat and in any order.
--
-- result: applied; unchanged (a repeat, or news that is no longer news); finished (the call has ended without this
-- switch's doing - its lease ran out, it was released or refused - so a sign of life cannot be taken); unknown.
CREATE FUNCTION campaigns_call_event(
    p_network bigint, p_call bigint, p_event text, p_at timestamptz, p_cause text, p_detail text,
    p_setup interval, p_lease interval,
    OUT result text, OUT leg_id bigint, OUT destination_id bigint, OUT answered_at timestamptz, OUT ended_at timestamptz,
    OUT end_reason text, OUT expires_at timestamptz
) LANGUAGE plpgsql AS $$
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
    SELECT * INTO leg FROM campaigns_callleg l WHERE l.call_id = p_call ORDER BY l.id DESC LIMIT 1 FOR NO KEY UPDATE;
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

-- Compare a destination's counters with its legs and set them right. Returns what was found and what it is now;
-- usage is recounted only when asked (it reads every leg of the period).
CREATE FUNCTION campaigns_reconcile(
    p_destination bigint, with_usage boolean,
    OUT live_was integer, OUT live_is integer, OUT calls_was integer, OUT calls_is integer,
    OUT spend_was numeric, OUT spend_is numeric
) LANGUAGE plpgsql AS $$
DECLARE
    s campaigns_destinationstate;
BEGIN
    -- Under the row's lock every route is committed or waiting; a leg that is being ended still counts as live here,
    -- and takes its own slot off afterwards.
    SELECT * INTO s FROM campaigns_destinationstate WHERE campaign_id = p_destination FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    live_was := s.live;
    calls_was := s.calls_used;
    spend_was := s.spend_used;
    SELECT count(*) FILTER (WHERE holds_slot) INTO live_is
    FROM campaigns_callleg WHERE destination_id = p_destination AND ended_at IS NULL;
    calls_is := calls_was;
    spend_is := spend_was;
    IF with_usage AND s.calls_since IS NOT NULL THEN
        SELECT u.calls INTO calls_is FROM campaigns_usage(p_destination, s.calls_since, s.calls_until, 0) u;
    END IF;
    IF with_usage AND s.spend_since IS NOT NULL THEN
        SELECT u.spend INTO spend_is
        FROM campaigns_usage(p_destination, s.spend_since, s.spend_until, s.fee_per_minute) u;
    END IF;
    IF live_is <> live_was OR calls_is <> calls_was OR spend_is <> spend_was THEN
        UPDATE campaigns_destinationstate
        SET live = live_is, calls_used = calls_is, spend_used = spend_is
        WHERE campaign_id = p_destination;
    END IF;
END $$;

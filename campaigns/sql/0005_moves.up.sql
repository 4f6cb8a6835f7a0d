-- A call's slot can move: from a destination that is busy or does not answer to the next one, in one transaction.
-- Routing a call and moving one share one selection. Locking: see docs/locking.md.

-- Select a destination of a bundle for one call and take its slot; or find the overflow campaign; or say why nobody is left.
--
-- tried: destinations to leave out (NULL = none). held: the destination whose counters this transaction gives back
-- afterwards (NULL = none); both hot rows are then locked at once, the lower id first, so that two calls that change places
-- cannot deadlock. again: a cap's period had passed and was renewed; nothing was taken. Without a kind nobody is left.
-- It is planned with the settings of the two functions that call it (see 0004).
CREATE FUNCTION campaigns_select(
    bundle bigint, distribution text, overflow bigint, caller_key bigint, preferred bigint, at timestamptz,
    tried bigint[], held bigint,
    OUT again boolean, OUT kind text, OUT destination bigint, OUT payout numeric, OUT over_cap boolean,
    OUT selected_at timestamptz, OUT refusal text, OUT trace jsonb
) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    ids bigint[];
    masks integer[];
    payouts numeric[];
    entries text;
    any_stale boolean;
    v_kind text;
    v_live integer;
    v_cap integer;
    o_mask integer;
BEGIN
    again := false;
    over_cap := false;
    refusal := '';
    payout := 0;
    selected_at := at;
    SELECT array_agg(e.destination), array_agg(e.mask), array_agg(e.payout), string_agg(e.entry, ','), bool_or(e.stale)
    INTO ids, masks, payouts, entries, any_stale
    FROM (
        SELECT v.* FROM campaigns_evaluate(bundle, caller_key, at) v
        WHERE tried IS NULL OR v.destination <> ALL (tried)
        ORDER BY v.destination IS NOT DISTINCT FROM preferred DESC, v.priority,
                 CASE distribution
                     WHEN 'Weighted' THEN -ln(1 - random()) / nullif(v.weight, 0)
                     WHEN 'MostFree' THEN v.live - coalesce(v.live_cap, 1000000000)
                     ELSE 0 END,
                 v.place
    ) e;
    IF any_stale THEN
        -- Sorted, and no other hot row is locked: two calls that meet here cannot deadlock.
        PERFORM campaigns_state_refresh(s.destination)
        FROM (SELECT v.destination FROM campaigns_evaluate(bundle, caller_key, at) v
              WHERE v.stale ORDER BY v.destination) s;
        again := true;
        RETURN;
    END IF;
    trace := concat('{"entries":[', entries, ']', ',"repeat":' || preferred, '}');
    FOR i IN 1 .. coalesce(cardinality(ids), 0) LOOP
        IF masks[i] = 0 THEN
            v_kind := CASE WHEN ids[i] = preferred THEN 'repeat' ELSE 'bundle' END;
        ELSIF ids[i] = preferred AND masks[i] & ~96 = 0 THEN
            v_kind := 'repeat';
        ELSE
            CONTINUE;
        END IF;
        IF held IS NOT NULL THEN
            PERFORM 1 FROM campaigns_destinationstate s WHERE s.campaign_id IN (ids[i], held)
            ORDER BY s.campaign_id FOR NO KEY UPDATE;
        END IF;
        UPDATE campaigns_destinationstate s
        SET live = s.live + 1,
            calls_used = s.calls_used + CASE WHEN s.calls_since IS NULL THEN 0 ELSE 1 END,
            spend_used = s.spend_used + CASE WHEN s.spend_since IS NULL THEN 0 ELSE payouts[i] END
        WHERE s.campaign_id = ids[i]
          AND (s.live < s.live_cap OR s.live_cap IS NULL OR v_kind = 'repeat')
          AND (s.calls_used < s.calls_cap OR s.calls_cap IS NULL)
          AND (s.spend_cap IS NULL OR (s.spend_used < s.spend_cap AND s.spend_used + payouts[i] <= s.spend_cap))
          AND (s.calls_since IS NULL OR s.calls_since <= at)
          AND (s.calls_until IS NULL OR clock_timestamp() < s.calls_until)
          AND (s.spend_since IS NULL OR s.spend_since <= at)
          AND (s.spend_until IS NULL OR clock_timestamp() < s.spend_until)
        -- The slot is held from now on, not from when we began to wait for it.
        RETURNING s.live, s.live_cap, clock_timestamp() INTO v_live, v_cap, selected_at;
        IF NOT FOUND THEN
            -- Somebody took the last slot between reading and locking. The failed update may hold the row's lock, and
            -- waiting for another row with it could deadlock: give up and evaluate afresh.
            RAISE EXCEPTION 'the slot on campaign % was just taken; call again', ids[i] USING ERRCODE = '40001';
        END IF;
        kind := v_kind;
        destination := ids[i];
        payout := payouts[i];
        over_cap := coalesce(v_live > v_cap, false);
        RETURN;
    END LOOP;

    refusal := campaigns_refusal(masks);
    IF overflow IS NOT NULL AND (tried IS NULL OR overflow <> ALL (tried)) THEN
        o_mask := campaigns_overflow_mask(overflow, at);
        trace := trace || jsonb_build_object('overflow', jsonb_build_array(overflow, o_mask));
        IF o_mask = 0 THEN
            IF held IS NOT NULL THEN
                PERFORM 1 FROM campaigns_destinationstate s WHERE s.campaign_id IN (overflow, held)
                ORDER BY s.campaign_id FOR NO KEY UPDATE;
            END IF;
            kind := 'overflow';
            destination := overflow;
            SELECT p.payout INTO payout FROM campaigns_routingprofile p WHERE p.campaign_id = overflow;
            refusal := '';
        END IF;
    END IF;
END $$;

-- Outside the bundle's node no cap stops a call, but it counts as used (domain/call-capacity.md).
CREATE FUNCTION campaigns_count_uncapped(destination bigint, payout numeric, at timestamptz) RETURNS void LANGUAGE sql AS $$
    UPDATE campaigns_destinationstate s
    SET calls_used = s.calls_used
            + CASE WHEN s.calls_since <= at AND (at < s.calls_until) IS NOT FALSE THEN 1 ELSE 0 END,
        spend_used = s.spend_used
            + CASE WHEN s.spend_since <= at AND (at < s.spend_until) IS NOT FALSE THEN payout ELSE 0 END
    WHERE s.campaign_id = destination AND (s.calls_since IS NOT NULL OR s.spend_since IS NOT NULL)
$$;

-- Route one call: select the destination, take its slot, write the call and its leg. One transaction of its own.
--
-- outcome: destination | overflow | direct | refused (see campaigns.choices.Outcome); unknown: no such campaign in the
-- network, nothing written; again: a cap's period had passed and was renewed, call again. `repeated` is true when the
-- switch's own id was seen before: then the first answer is given again.
CREATE OR REPLACE FUNCTION campaigns_route_call(
    p_network bigint, p_campaign bigint, p_number text, p_caller text, p_caller_key bigint, p_caller_given text,
    p_external text, p_setup interval,
    OUT outcome text, OUT call_id bigint, OUT leg_id bigint, OUT destination_id bigint, OUT kind text,
    OUT selected_at timestamptz, OUT expires_at timestamptz, OUT refusal text, OUT over_cap boolean, OUT repeated boolean,
    OUT trace jsonb
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    b record;
    s record;
    v_at timestamptz := now();
    v_selected timestamptz := v_at;
    preferred bigint;
    v_kind text;
    v_chosen bigint;
    v_payout numeric := 0;
    v_refusal text := '';
    v_trace jsonb := '{}';
BEGIN
    repeated := false;
    over_cap := false;
    SELECT c.campaign_type, c.status, c.distribution, c.overflow_id, c.repeat_caller, c.payout INTO b
    FROM campaigns_campaign c WHERE c.id = p_campaign AND c.network_id = p_network;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;

    IF p_external IS NOT NULL THEN
        SELECT true, c.outcome, c.id, c.refusal, c.trace, l.id, l.destination_id, l.kind, l.selected_at, l.expires_at, l.over_cap
        INTO repeated, outcome, call_id, refusal, trace, leg_id, destination_id, kind, selected_at, expires_at, over_cap
        FROM campaigns_call c
        LEFT JOIN LATERAL (SELECT * FROM campaigns_callleg WHERE call_id = c.id ORDER BY id LIMIT 1) l ON true
        WHERE c.network_id = p_network AND c.external_id = p_external;
        IF FOUND THEN
            RETURN;
        END IF;
        repeated := false;
        over_cap := false;
    END IF;

    IF b.status NOT IN ('Live', 'LivePending') THEN
        v_refusal := 'not_in_service';
        v_trace := jsonb_build_object('status', b.status);
    ELSIF b.campaign_type <> 'Bundled' THEN
        v_chosen := p_campaign;
        v_kind := 'direct';
        v_payout := b.payout;
    ELSE
        IF b.repeat_caller AND p_caller IS NOT NULL THEN
            preferred := campaigns_repeat_destination(p_campaign, p_caller, v_at);
        END IF;
        s := campaigns_select(p_campaign, b.distribution, b.overflow_id, p_caller_key, preferred, v_at, NULL, NULL);
        IF s.again THEN
            outcome := 'again';
            RETURN;
        END IF;
        v_kind := s.kind;
        v_chosen := s.destination;
        v_payout := s.payout;
        over_cap := s.over_cap;
        v_selected := s.selected_at;
        v_refusal := s.refusal;
        v_trace := s.trace;
    END IF;

    outcome := CASE v_kind WHEN 'direct' THEN 'direct' WHEN 'overflow' THEN 'overflow' WHEN 'bundle' THEN 'destination'
                           WHEN 'repeat' THEN 'destination' ELSE 'refused' END;
    refusal := v_refusal;
    trace := v_trace;
    selected_at := v_selected;
    IF v_kind IN ('direct', 'overflow') THEN
        -- Before the call is written: two calls of the same external id wait for each other in one order only.
        PERFORM campaigns_count_uncapped(v_chosen, v_payout, v_at);
    END IF;
    INSERT INTO campaigns_call (network_id, campaign_id, promo_number, caller, caller_given, external_id, started_at,
                                outcome, refusal, trace)
    VALUES (p_network, p_campaign, p_number, p_caller, p_caller_given, p_external, v_at, outcome, v_refusal, v_trace)
    RETURNING id INTO call_id;
    IF v_chosen IS NULL THEN
        RETURN;
    END IF;
    destination_id := v_chosen;
    kind := v_kind;
    expires_at := v_selected + p_setup;
    INSERT INTO campaigns_callleg (call_id, destination_id, kind, holds_slot, over_cap, reserved, selected_at, expires_at,
                                   end_reason, end_detail)
    VALUES (call_id, v_chosen, v_kind, v_kind IN ('bundle', 'repeat'), over_cap, v_payout, v_selected, expires_at,
            '', '')
    RETURNING id INTO leg_id;
END $$;

-- Move a call on: its leg `p_leg` was busy, was not answered or failed (`p_cause`), so that leg ends and the next destination
-- is selected for the same call, those already tried left out. One transaction: the slot moves, it is never held twice and
-- never lost on the way.
--
-- outcome: destination | overflow | refused (nobody is left: the leg has ended, no new one); unknown: no such leg of that
-- call; finished: the leg was answered, so the call is over; again: call again, nothing was done. `repeated`: this leg was
-- moved before, and the leg that came of it is given again.
CREATE FUNCTION campaigns_move_call(
    p_network bigint, p_call bigint, p_leg bigint, p_cause text, p_detail text, p_setup interval,
    OUT outcome text, OUT call_id bigint, OUT leg_id bigint, OUT destination_id bigint, OUT kind text,
    OUT selected_at timestamptz, OUT expires_at timestamptz, OUT refusal text, OUT over_cap boolean, OUT repeated boolean
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    c record;
    leg campaigns_callleg;
    s record;
    tried bigint[];
    preferred bigint;
BEGIN
    repeated := false;
    over_cap := false;
    refusal := '';
    call_id := p_call;
    selected_at := now();
    SELECT l.* INTO leg FROM campaigns_callleg l WHERE l.id = p_leg AND l.call_id = p_call FOR NO KEY UPDATE;
    IF FOUND THEN
        SELECT x.campaign_id, x.caller, b.campaign_type, b.status, b.distribution, b.overflow_id, b.repeat_caller INTO c
        FROM campaigns_call x JOIN campaigns_campaign b ON b.id = x.campaign_id
        WHERE x.id = p_call AND x.network_id = p_network;
    END IF;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    -- The newest leg is locked by whoever moves the call on, so a later one is there only if this was moved before.
    SELECT true, l.id, l.destination_id, l.kind, l.selected_at, l.expires_at, l.over_cap
    INTO repeated, leg_id, destination_id, kind, selected_at, expires_at, over_cap
    FROM campaigns_callleg l WHERE l.call_id = p_call AND l.id > p_leg ORDER BY l.id LIMIT 1;
    IF FOUND THEN
        outcome := CASE kind WHEN 'overflow' THEN 'overflow' ELSE 'destination' END;
        RETURN;
    END IF;
    repeated := false;
    over_cap := false;
    selected_at := now();
    IF leg.answered_at IS NOT NULL THEN
        outcome := 'finished';
        RETURN;
    END IF;
    IF c.campaign_type = 'Bundled' AND c.status IN ('Live', 'LivePending') AND leg.kind IN ('bundle', 'repeat') THEN
        SELECT array_agg(DISTINCT l.destination_id) INTO tried FROM campaigns_callleg l WHERE l.call_id = p_call;
        IF c.repeat_caller AND c.caller IS NOT NULL THEN
            preferred := campaigns_repeat_destination(c.campaign_id, c.caller, selected_at);
        END IF;
        s := campaigns_select(
            c.campaign_id, c.distribution, c.overflow_id, rpad(substr(c.caller, 2, 15), 15, '0')::bigint, preferred,
            selected_at, tried, CASE WHEN leg.ended_at IS NULL THEN leg.destination_id END);
        IF s.again THEN
            outcome := 'again';
            RETURN;
        END IF;
        kind := s.kind;
        -- Where the bundle has no other destination, what became of the last one says more than that.
        refusal := CASE WHEN s.kind IS NOT NULL THEN '' WHEN s.refusal = 'no_destination' THEN p_cause ELSE s.refusal END;
    ELSE
        refusal := p_cause;
    END IF;
    PERFORM campaigns_leg_end(p_leg, p_cause, p_detail, now());
    outcome := CASE kind WHEN 'overflow' THEN 'overflow' WHEN 'bundle' THEN 'destination' WHEN 'repeat' THEN 'destination'
                         ELSE 'refused' END;
    IF kind IS NULL THEN
        RETURN;
    END IF;
    IF kind = 'overflow' THEN
        PERFORM campaigns_count_uncapped(s.destination, s.payout, selected_at);
    END IF;
    destination_id := s.destination;
    over_cap := s.over_cap;
    selected_at := s.selected_at;
    expires_at := s.selected_at + p_setup;
    INSERT INTO campaigns_callleg (call_id, destination_id, kind, holds_slot, over_cap, reserved, selected_at, expires_at,
                                   end_reason, end_detail, trace)
    VALUES (p_call, s.destination, s.kind, s.kind IN ('bundle', 'repeat'), s.over_cap, s.payout, s.selected_at, expires_at,
            '', '', s.trace)
    RETURNING id INTO leg_id;
END $$;

DROP FUNCTION campaigns_call_event(bigint, bigint, text, timestamptz, text, text, interval, interval);
-- Apply one event of a call: ringing, answered, heartbeat, ended. Safe to repeat and in any order. p_leg: of that leg;
-- NULL = of the newest (a switch that never moves a call has only one).
--
-- result: applied; unchanged (a repeat, or news that is no longer news); finished (the call has ended without this
-- switch's doing - its lease ran out, it was released or refused - so a sign of life cannot be taken); unknown.
CREATE FUNCTION campaigns_call_event(
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

-- Back to one selection per call: the functions as 0002 and 0003 made them.
DROP FUNCTION campaigns_move_call(bigint, bigint, bigint, text, text, interval);
DROP FUNCTION campaigns_call_event(bigint, bigint, text, timestamptz, text, text, interval, interval, bigint);

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
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    b record;
    v_at timestamptz := now();
    v_selected timestamptz := v_at;
    ids bigint[];
    masks integer[];
    payouts numeric[];
    entries text;
    any_stale boolean;
    preferred bigint;
    v_kind text;
    v_chosen bigint;
    v_payout numeric := 0;
    v_live integer;
    v_cap integer;
    v_refusal text := '';
    v_trace jsonb := '{}';
    o_mask integer;
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
        SELECT array_agg(e.destination), array_agg(e.mask), array_agg(e.payout), string_agg(e.entry, ','),
               bool_or(e.stale)
        INTO ids, masks, payouts, entries, any_stale
        FROM (
            SELECT * FROM campaigns_evaluate(p_campaign, p_caller_key, v_at) v
            ORDER BY v.destination IS NOT DISTINCT FROM preferred DESC, v.priority,
                     CASE b.distribution
                         WHEN 'Weighted' THEN -ln(1 - random()) / nullif(v.weight, 0)
                         WHEN 'MostFree' THEN v.live - coalesce(v.live_cap, 1000000000)
                         ELSE 0 END,
                     v.place
        ) e;
        IF any_stale THEN
            -- Sorted, and nothing else is locked: two calls that meet here cannot deadlock.
            PERFORM campaigns_state_refresh(s.destination)
            FROM (SELECT v.destination FROM campaigns_evaluate(p_campaign, p_caller_key, v_at) v
                  WHERE v.stale ORDER BY v.destination) s;
            outcome := 'again';
            RETURN;
        END IF;
        v_trace := concat('{"entries":[', entries, ']', ',"repeat":' || preferred, '}');
        FOR i IN 1 .. coalesce(cardinality(ids), 0) LOOP
            IF masks[i] = 0 THEN
                v_kind := CASE WHEN ids[i] = preferred THEN 'repeat' ELSE 'bundle' END;
            ELSIF ids[i] = preferred AND masks[i] & ~96 = 0 THEN
                v_kind := 'repeat';
            ELSE
                CONTINUE;
            END IF;
            UPDATE campaigns_destinationstate s
            SET live = s.live + 1,
                calls_used = s.calls_used + CASE WHEN s.calls_since IS NULL THEN 0 ELSE 1 END,
                spend_used = s.spend_used + CASE WHEN s.spend_since IS NULL THEN 0 ELSE payouts[i] END
            WHERE s.campaign_id = ids[i]
              AND (s.live < s.live_cap OR s.live_cap IS NULL OR v_kind = 'repeat')
              AND (s.calls_used < s.calls_cap OR s.calls_cap IS NULL)
              AND (s.spend_cap IS NULL OR (s.spend_used < s.spend_cap AND s.spend_used + payouts[i] <= s.spend_cap))
              AND (s.calls_since IS NULL OR s.calls_since <= v_at)
              AND (s.calls_until IS NULL OR clock_timestamp() < s.calls_until)
              AND (s.spend_since IS NULL OR s.spend_since <= v_at)
              AND (s.spend_until IS NULL OR clock_timestamp() < s.spend_until)
            -- The slot is held from now on, not from when we began to wait for it.
            RETURNING s.live, s.live_cap, clock_timestamp() INTO v_live, v_cap, v_selected;
            IF NOT FOUND THEN
                -- Somebody took the last slot between reading and locking. The failed update may hold the row's lock,
                -- and waiting for a second row with it could deadlock: give up and evaluate afresh.
                RAISE EXCEPTION 'the slot on campaign % was just taken; call again', ids[i] USING ERRCODE = '40001';
            END IF;
            v_chosen := ids[i];
            v_payout := payouts[i];
            over_cap := coalesce(v_live > v_cap, false);
            EXIT;
        END LOOP;

        IF v_chosen IS NULL THEN
            v_kind := NULL;
            v_refusal := campaigns_refusal(masks);
            IF b.overflow_id IS NOT NULL THEN
                o_mask := campaigns_overflow_mask(b.overflow_id, v_at);
                v_trace := v_trace || jsonb_build_object('overflow', jsonb_build_array(b.overflow_id, o_mask));
                IF o_mask = 0 THEN
                    v_chosen := b.overflow_id;
                    v_kind := 'overflow';
                    SELECT p.payout INTO v_payout FROM campaigns_routingprofile p WHERE p.campaign_id = b.overflow_id;
                    v_refusal := '';
                END IF;
            END IF;
        END IF;
    END IF;

    outcome := CASE v_kind WHEN 'direct' THEN 'direct' WHEN 'overflow' THEN 'overflow' WHEN 'bundle' THEN 'destination'
                           WHEN 'repeat' THEN 'destination' ELSE 'refused' END;
    refusal := v_refusal;
    trace := v_trace;
    selected_at := v_selected;
    IF v_kind IN ('direct', 'overflow') THEN
        -- Outside the bundle's node no cap stops a call, but it counts as used (domain/call-capacity.md). Before the
        -- call is written: two calls of the same external id wait for each other in one order only.
        UPDATE campaigns_destinationstate s
        SET calls_used = s.calls_used
                + CASE WHEN s.calls_since <= v_at AND (v_at < s.calls_until) IS NOT FALSE THEN 1 ELSE 0 END,
            spend_used = s.spend_used
                + CASE WHEN s.spend_since <= v_at AND (v_at < s.spend_until) IS NOT FALSE THEN v_payout ELSE 0 END
        WHERE s.campaign_id = v_chosen AND (s.calls_since IS NOT NULL OR s.spend_since IS NOT NULL);
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

-- As 0004 left them.
ALTER FUNCTION campaigns_route_call(bigint, bigint, text, text, bigint, text, text, interval) SET enable_seqscan = off;
ALTER FUNCTION campaigns_call_event(bigint, bigint, text, timestamptz, text, text, interval, interval) SET enable_seqscan = off;
DROP FUNCTION campaigns_select(bigint, text, bigint, bigint, bigint, timestamptz, bigint[], bigint),
    campaigns_count_uncapped(bigint, numeric, timestamptz);

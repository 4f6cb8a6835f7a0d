-- Routing: one function selects a destination and takes its slot.
-- The bits of a mask are campaigns.choices.Passed. Errors 40001 mean: a race was lost, call again (nothing was written).
-- Locking: a route takes exactly one row lock (the hot row of the destination that it chose) and holds nothing else while
-- it waits. See docs/locking.md.

-- The figures behind the bits 1, 4, 8 and 16 of a mask, as the last element of a trace entry. A function of its own (and
-- not SQL, which would be merged into the query) because most destinations have none: measured.
CREATE FUNCTION campaigns_passed_details(
    mask integer, status text, hours int4multirange, zone text, at timestamptz,
    spend_used numeric, spend_cap numeric, payout numeric, calls_used integer, calls_cap integer
) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ',' || jsonb_strip_nulls(jsonb_build_object(
        'status', CASE WHEN mask & 1 > 0 THEN status END,
        'opens', CASE WHEN mask & 4 > 0 THEN extract(epoch FROM campaigns_next_opening(hours, zone, at))::bigint END,
        'spend', CASE WHEN mask & 8 > 0 THEN jsonb_build_array(spend_used, spend_cap, payout) END,
        'calls', CASE WHEN mask & 16 > 0 THEN jsonb_build_array(calls_used, calls_cap) END))::text;
END $$;

-- Every destination of a bundle with all the reasons that speak against it for this caller at this instant.
-- Routing and Simulate both read this, so they cannot disagree. `stale`: a period has passed, its counter is void.
-- `entry` is JSON as text: to build each as jsonb costs three times as much.
CREATE FUNCTION campaigns_evaluate(bundle bigint, caller_key bigint, at timestamptz)
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

-- The destination that a repeat caller goes back to; NULL if the bundle does not ask for it or he is no repeat caller.
CREATE FUNCTION campaigns_repeat_destination(bundle bigint, caller text, at timestamptz)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT r.destination_id
    FROM campaigns_campaign b
    JOIN campaigns_repeatcaller r ON r.bundle_id = b.id
    WHERE b.id = bundle AND b.repeat_caller AND r.caller = campaigns_repeat_destination.caller
      AND r.connected_at > at - make_interval(days => b.repeat_window_days)
$$;

-- Why a bundle's overflow campaign could not take a call now (bits as above); 0 = it can. It is outside the bundle's node:
-- no caps and no regions, but it must be live and open, or the call would be lost there.
CREATE FUNCTION campaigns_overflow_mask(overflow bigint, at timestamptz) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p.routable THEN 0 ELSE 1 END
           | CASE WHEN p.hours IS NULL OR p.hours @> campaigns_week_second(at, p.time_zone) THEN 0 ELSE 4 END
    FROM campaigns_routingprofile p WHERE p.campaign_id = overflow
$$;

-- What a refusal is called: the nearest miss of the destinations' masks, capped before closed before out of region.
CREATE FUNCTION campaigns_refusal(masks integer[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN bool_or(m & ~56 = 0) THEN 'capped'
                WHEN bool_or(m & ~60 = 0) THEN 'closed'
                WHEN bool_or(m & ~62 = 0) THEN 'out_of_region'
                ELSE 'no_destination' END
    FROM unnest(masks) m
$$;

-- Route one call: select the destination, take its slot, write the call and its leg. One transaction of its own.
--
-- outcome: destination | overflow | direct | refused (see campaigns.choices.Outcome); unknown: no such campaign in the
-- network, nothing written; again: a cap's period had passed and was renewed, call again. `repeated` is true when the
-- switch's own id was seen before: then the first answer is given again.
CREATE FUNCTION campaigns_route_call(
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

-- What a caller's hang-up and a hand on a counter do to the counters; and why a call that was to move on was taken by nobody.

-- Move a call on: its leg `p_leg` was busy, was not answered or failed (`p_cause`), so that leg ends and the next destination
-- is selected for the same call, those already tried left out. One transaction: the slot moves, it is never held twice and
-- never lost on the way.
--
-- outcome: destination | overflow | refused (nobody is left: the leg has ended, no new one, and its `left_trace` says why);
-- unknown: no such leg of that call; finished: the leg was answered or its caller has hung up, so the call is over; again: call
-- again, nothing was done. `repeated`: this leg was moved before, and the leg that came of it is given again.
CREATE OR REPLACE FUNCTION campaigns_move_call(
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
    v_trace jsonb := '{}';
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
    IF leg.answered_at IS NOT NULL OR leg.end_reason = 'caller_hangup' THEN
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
        v_trace := s.trace;
        -- Where the bundle has no other destination, what became of the last one says more than that.
        refusal := CASE WHEN s.kind IS NOT NULL THEN '' WHEN s.refusal = 'no_destination' THEN p_cause ELSE s.refusal END;
    ELSE
        refusal := p_cause;
    END IF;
    PERFORM campaigns_leg_end(p_leg, p_cause, p_detail, now());
    outcome := CASE kind WHEN 'overflow' THEN 'overflow' WHEN 'bundle' THEN 'destination' WHEN 'repeat' THEN 'destination'
                         ELSE 'refused' END;
    IF kind IS NULL THEN
        -- Why nobody else took it stands with the leg that it could not leave.
        UPDATE campaigns_callleg SET left_trace = v_trace || jsonb_build_object('refusal', refusal) WHERE id = p_leg;
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

-- Set a counter by hand: writes what differs as an adjustment, so that recounting comes to the same. Returns what it was;
-- NULL where nothing is counted (no such cap in force). What is not settled yet - calls in progress, and legs that wait for
-- their price - counts on top: it may still be given back, and would otherwise be given back from what was set.
CREATE OR REPLACE FUNCTION campaigns_usage_set(p_campaign bigint, p_kind text, p_used numeric) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    s campaigns_destinationstate;
    was numeric;
    pending numeric;
BEGIN
    PERFORM campaigns_state_refresh(p_campaign);
    SELECT * INTO s FROM campaigns_destinationstate WHERE campaign_id = p_campaign FOR NO KEY UPDATE;
    IF NOT FOUND OR (p_kind = 'budget' AND s.spend_since IS NULL) OR (p_kind = 'periodic_calls' AND s.calls_since IS NULL) THEN
        RETURN NULL;
    END IF;
    was := CASE p_kind WHEN 'budget' THEN s.spend_used ELSE s.calls_used END;
    IF p_kind = 'budget' THEN
        SELECT coalesce(sum(l.reserved), 0) INTO pending
        FROM (SELECT o.reserved, o.selected_at FROM campaigns_callleg o
              WHERE o.destination_id = p_campaign AND o.ended_at IS NULL
              UNION ALL
              SELECT o.reserved, o.selected_at FROM campaigns_unpricedleg q JOIN campaigns_callleg o ON o.id = q.leg_id
              WHERE o.destination_id = p_campaign AND o.ended_at IS NOT NULL AND o.cost IS NULL) l
        WHERE l.selected_at >= s.spend_since AND (l.selected_at < s.spend_until) IS NOT FALSE;
    ELSE
        SELECT count(*) INTO pending FROM campaigns_callleg l
        WHERE l.destination_id = p_campaign AND l.ended_at IS NULL
          AND l.selected_at >= s.calls_since AND (l.selected_at < s.calls_until) IS NOT FALSE;
    END IF;
    INSERT INTO campaigns_usageadjustment (campaign_id, kind, amount, at)
    VALUES (p_campaign, p_kind, p_used + pending - was, now());
    IF p_kind = 'budget' THEN
        UPDATE campaigns_destinationstate SET spend_used = p_used + pending WHERE campaign_id = p_campaign;
    ELSE
        UPDATE campaigns_destinationstate SET calls_used = p_used + pending WHERE campaign_id = p_campaign;
    END IF;
    RETURN was;
END $$;

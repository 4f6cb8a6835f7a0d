-- The queue: whom to dial next. Locking (docs/locking.md): the pace row, then a batch's hot row, its carrier's, and
-- recipients by SKIP LOCKED. Whoever writes results goes recipients, attempts, batches' hot rows, carrier's hot row.

-- The do-not-call patterns that would forbid a number: itself, and its prefixes of the given lengths.
CREATE FUNCTION outbound_patterns(p_number text, p_lengths smallint[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_append(ARRAY(SELECT left(p_number, n) || '*' FROM unnest(p_lengths) n), p_number)
$$;

-- The do-not-call lists that bind a batch, and the prefix lengths that stand in them.
CREATE FUNCTION outbound_lists(p_batch bigint, OUT lists bigint[], OUT lengths smallint[]) LANGUAGE sql STABLE AS $$
    WITH binding AS (
        SELECT l.id, l.prefix_lengths
        FROM outbound_batch b JOIN outbound_donotcalllist l ON l.network_id = b.network_id
        WHERE b.id = p_batch AND (l.applies_to_all OR EXISTS (
            SELECT 1 FROM outbound_batchdonotcall c WHERE c.batch_id = b.id AND c.list_id = l.id))
          AND EXISTS (SELECT 1 FROM outbound_donotcallentry e WHERE e.list_id = l.id)
    )
    SELECT (SELECT array_agg(id) FROM binding),
           ARRAY(SELECT DISTINCT n FROM binding, unnest(prefix_lengths) n)
$$;

-- Claim calls of one batch whose hot row this transaction has locked. Returns those to be dialed; their attempts are
-- written. p_room: at most so many. p_slot, p_step: the first one's moment and the distance of the next.
CREATE FUNCTION outbound_claim_batch(
    p_batch bigint, p_carrier bigint, p_room integer, p_now timestamptz, p_slot timestamptz, p_step interval,
    p_until timestamptz, p_expires timestamptz, p_lease interval, p_worker text
) RETURNS TABLE (
    attempt_id uuid, recipient_id bigint, batch_id bigint, carrier_id bigint, number text, ani text, attempt_no smallint,
    parameters jsonb, dial_at timestamptz, not_after timestamptz
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_lists bigint[];
    v_lengths smallint[];
BEGIN
    SELECT l.lists, l.lengths INTO v_lists, v_lengths FROM outbound_lists(p_batch) l;
    RETURN QUERY
    WITH due AS MATERIALIZED (
        -- Zones that close first come first; within them, who has waited longest.
        SELECT r.id, w.open_until, v_lists IS NOT NULL AND EXISTS (
                   SELECT 1 FROM outbound_donotcallentry e
                   WHERE e.list_id = ANY (v_lists) AND e.pattern = ANY (outbound_patterns(r.number, v_lengths))
               ) AS forbidden
        FROM (SELECT * FROM outbound_window o
              WHERE o.batch_id = p_batch AND o.open_from <= p_now AND o.open_until > p_until
              ORDER BY o.open_until, o.id) w
        CROSS JOIN LATERAL (
            -- Who was promised another try before who was never called.
            SELECT * FROM (SELECT c.id, c.number FROM outbound_recipient c
             WHERE c.batch_id = p_batch AND c.zones_id = w.zones_id AND c.state = 'pending' AND c.dialed > 0
               AND c.due_at <= p_now
             ORDER BY c.due_at LIMIT p_room FOR NO KEY UPDATE SKIP LOCKED) again
            UNION ALL
            SELECT * FROM (SELECT c.id, c.number FROM outbound_recipient c
             WHERE c.batch_id = p_batch AND c.zones_id = w.zones_id AND c.state = 'pending' AND c.dialed = 0
               AND c.due_at <= p_now
             ORDER BY c.due_at LIMIT p_room FOR NO KEY UPDATE SKIP LOCKED) fresh
        ) r
        LIMIT p_room
    ), slots AS (
        SELECT d.id, d.open_until, d.forbidden,
               p_slot + p_step * (row_number() OVER (PARTITION BY d.forbidden ORDER BY d.open_until, d.id) - 1) AS dial_at
        FROM due d
    ), moved AS (
        UPDATE outbound_recipient r
        SET state = CASE WHEN s.forbidden THEN 'suppressed' ELSE 'queued' END,
            reason = CASE WHEN s.forbidden THEN 'do_not_call' ELSE r.reason END,
            attempts = r.attempts + CASE WHEN s.forbidden THEN 0 ELSE 1 END,
            dialed = r.dialed + CASE WHEN s.forbidden THEN 0 ELSE 1 END
        FROM slots s WHERE r.id = s.id
        RETURNING r.id, r.number, r.ani, r.attempts, r.parameters, r.state, s.dial_at, s.open_until
    ), made AS (
        INSERT INTO outbound_attempt (id, recipient_id, batch_id, carrier_id, number, state, claimed_at, dial_at, outcome,
                                      cause, callee_type, carrier_call_id, worker, look_at, looks)
        SELECT gen_random_uuid(), m.id, p_batch, p_carrier, m.attempts, 'queued', p_now, greatest(m.dial_at, p_now), '',
               '', '', '', p_worker, greatest(m.dial_at, p_now) + p_lease, 0
        FROM moved m WHERE m.state = 'queued'
        RETURNING id, recipient_id, dial_at, number
    )
    SELECT a.id, m.id, p_batch, p_carrier, m.number::text, m.ani::text, a.number, m.parameters, a.dial_at,
           -- Half of the lease is left for the carrier's answer before anybody calls the attempt lost.
           least(m.open_until, p_expires, a.dial_at + p_lease / 2)
    FROM made a JOIN moved m ON m.id = a.recipient_id
    ORDER BY a.dial_at;
END $$;

-- Claim up to p_limit calls of all batches, fairly: the batch that was served least for its priority comes first.
-- Nothing is claimed that would be dialed after p_now + p_horizon; the paces of batch, carrier and portal hold together,
-- so any number of workers keeps them. Commits with the caller; dial only after that.
CREATE FUNCTION outbound_claim(
    p_worker text, p_limit integer, p_horizon interval, p_lease interval, p_portal_pace numeric, p_portal_lines integer,
    p_burst interval DEFAULT '0.2 s', p_now timestamptz DEFAULT NULL
) RETURNS TABLE (
    attempt_id uuid, recipient_id bigint, batch_id bigint, carrier_id bigint, number text, ani text, attempt_no smallint,
    parameters jsonb, dial_at timestamptz, not_after timestamptz
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    g record;
    candidate record;
    b record;
    c record;
    v_now timestamptz;
    v_until timestamptz;
    v_slot timestamptz;
    v_earliest timestamptz;
    v_left integer := p_limit;
    v_room integer;
    v_count integer;
    v_portal_live bigint;
    v_carrier_live bigint;
    v_carrier_pace numeric;
    v_step interval;
    v_steps interval[];
BEGIN
    -- Claims take turns here: what they give out together can be counted.
    SELECT p.next_slot_at, p.turn INTO g FROM outbound_pace p WHERE p.id = 1 FOR NO KEY UPDATE;
    v_now := coalesce(p_now, clock_timestamp());
    v_until := v_now + p_horizon;
    v_earliest := v_now - p_burst;
    v_portal_live := 0;
    IF p_portal_lines IS NOT NULL THEN
        SELECT coalesce(sum(s.queued + s.dialing + s.connected), 0) INTO v_portal_live
        FROM outbound_batch x JOIN outbound_batchstate s ON s.batch_id = x.id
        WHERE x.status IN ('scheduled', 'running', 'paused', 'stopping');
    END IF;
    FOR candidate IN
        SELECT s.batch_id FROM outbound_batchstate s JOIN outbound_batch x ON x.id = s.batch_id
        WHERE x.status = 'running' AND s.pending > 0 AND s.look_at <= v_now
        ORDER BY s.turn, s.batch_id
    LOOP
        EXIT WHEN v_left <= 0;
        -- One that somebody writes to just now is passed over: waiting with the pace row in hand would stop everybody.
        PERFORM 1 FROM outbound_batchstate s WHERE s.batch_id = candidate.batch_id FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        -- Read again, now that nobody can stop or pause it before we are done.
        SELECT x.id, x.carrier_id, x.priority, x.calls_per_second, x.lines, x.expires_at, s.next_slot_at, s.turn,
               s.queued + s.dialing + s.connected AS live INTO b
        FROM outbound_batch x JOIN outbound_batchstate s ON s.batch_id = x.id
        WHERE x.id = candidate.batch_id AND x.status = 'running' AND coalesce(x.starts_at, v_now) <= v_now
          AND (x.expires_at IS NULL OR x.expires_at > v_until);
        CONTINUE WHEN NOT FOUND;
        PERFORM 1 FROM outbound_carrierstate k WHERE k.carrier_id = b.carrier_id FOR NO KEY UPDATE;
        SELECT k.next_slot_at, k.slowed, r.calls_per_second, r.lines INTO c
        FROM outbound_carrier r JOIN outbound_carrierstate k ON k.carrier_id = r.id
        WHERE r.id = b.carrier_id AND r.is_enabled AND (k.backoff_until IS NULL OR k.backoff_until <= v_now);
        CONTINUE WHEN NOT FOUND;

        v_room := v_left;
        IF p_portal_lines IS NOT NULL THEN
            v_room := least(v_room, p_portal_lines - v_portal_live);
        END IF;
        IF b.lines IS NOT NULL THEN
            v_room := least(v_room, b.lines - b.live);
        END IF;
        IF c.lines IS NOT NULL THEN
            SELECT coalesce(sum(s.queued + s.dialing + s.connected), 0) INTO v_carrier_live
            FROM outbound_batch x JOIN outbound_batchstate s ON s.batch_id = x.id
            WHERE x.carrier_id = b.carrier_id AND x.status IN ('scheduled', 'running', 'paused', 'stopping');
            v_room := least(v_room, c.lines - v_carrier_live);
        END IF;
        CONTINUE WHEN v_room <= 0;
        -- A carrier that refused is tried gently: a pace without a limit of its own starts from 64 a second.
        v_carrier_pace := CASE WHEN c.slowed = 0 THEN c.calls_per_second
                               ELSE coalesce(c.calls_per_second, 64) / power(2, c.slowed) END;
        v_steps := ARRAY[coalesce('1 s'::interval / b.calls_per_second::float8, '0'),
                         coalesce('1 s'::interval / v_carrier_pace::float8, '0'),
                         coalesce('1 s'::interval / p_portal_pace::float8, '0')];
        v_step := greatest(v_steps[1], v_steps[2], v_steps[3]);
        v_slot := greatest(b.next_slot_at, c.next_slot_at, g.next_slot_at, v_earliest);
        CONTINUE WHEN v_slot > v_until;
        IF v_step > '0' THEN
            v_room := least(v_room, 1 + floor(extract(epoch FROM v_until - v_slot) / extract(epoch FROM v_step))::integer);
        END IF;

        RETURN QUERY SELECT * FROM outbound_claim_batch(
            b.id, b.carrier_id, v_room, v_now, v_slot, v_step, v_until, b.expires_at, p_lease, p_worker);
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_left := v_left - v_count;
        v_portal_live := v_portal_live + v_count;
        IF v_count > 0 THEN
            g.turn := greatest(g.turn, b.turn);
        END IF;
        UPDATE outbound_batchstate s
        SET next_slot_at = greatest(s.next_slot_at, v_earliest) + v_steps[1] * v_count,
            turn = CASE WHEN v_count = 0 THEN s.turn ELSE greatest(s.turn, g.turn) + v_count::float8 / b.priority END,
            attempts = s.attempts + v_count,
            claimed_at = CASE WHEN v_count = 0 THEN s.claimed_at ELSE v_now END,
            look_at = CASE WHEN v_count = 0 THEN v_now + interval '0.3 s' ELSE s.look_at END
        WHERE s.batch_id = b.id;
        IF v_count > 0 THEN
            UPDATE outbound_carrierstate k
            SET next_slot_at = greatest(k.next_slot_at, v_earliest) + v_steps[2] * v_count
            WHERE k.carrier_id = b.carrier_id AND v_steps[2] > '0';
            g.next_slot_at := greatest(g.next_slot_at, v_earliest) + v_steps[3] * v_count;
        END IF;
    END LOOP;
    UPDATE outbound_pace p SET next_slot_at = g.next_slot_at, turn = g.turn
    WHERE p.id = 1 AND (p.next_slot_at, p.turn) IS DISTINCT FROM (g.next_slot_at, g.turn);
END $$;

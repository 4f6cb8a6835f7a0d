-- Care of the queue: ends that no call brings, and counters compared with the rows.

-- End up to p_limit waiting recipients of a batch that is stopping or has expired. Returns how many; 0 = none is left
-- (or all that are left are locked just now).
CREATE FUNCTION outbound_drain(p_batch bigint, p_state text, p_reason text, p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_count integer;
BEGIN
    UPDATE outbound_recipient r SET state = p_state, reason = p_reason
    FROM (SELECT id FROM outbound_recipient WHERE batch_id = p_batch AND state = 'pending'
          LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED) w
    WHERE r.id = w.id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- How long a start within five minutes after a full hour waits: 2 to 14 minutes, others for each batch.
CREATE FUNCTION outbound_start_delay(p_batch bigint, p_starts timestamptz) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN extract(minute FROM p_starts AT TIME ZONE 'UTC') < 5
                THEN make_interval(secs => 120 + p_batch * 7919 % 720) ELSE interval '0' END
$$;

-- Bring batches to their next status where nothing but time or the last call is needed: start what is due, and end what
-- has its last status and result. Returns what moved.
CREATE FUNCTION outbound_settle(p_now timestamptz DEFAULT NULL) RETURNS TABLE (batch_id bigint, became text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    candidate record;
    v_status text;
    v_expired boolean;
    v_open bigint;
    v_becomes text;
BEGIN
    FOR candidate IN SELECT b.id FROM outbound_batch b
                     WHERE b.status IN ('scheduled', 'running', 'paused', 'stopping') ORDER BY b.id LOOP
        -- One that is busy is looked at the next time; waiting here would hold those before it.
        SELECT s.pending + s.queued + s.dialing + s.connected INTO v_open
        FROM outbound_batchstate s WHERE s.batch_id = candidate.id FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        SELECT b.status, coalesce(b.expires_at <= v_now, false) INTO v_status, v_expired
        FROM outbound_batch b WHERE b.id = candidate.id;
        v_becomes := NULL;
        IF v_status = 'scheduled' AND NOT v_expired THEN
            -- Calls of everybody begin at the full hour: a start there is spread over the minutes after it.
            UPDATE outbound_batch b SET status = 'running', started_at = coalesce(b.started_at, v_now)
            WHERE b.id = candidate.id AND b.status = 'scheduled'
              AND (b.starts_at IS NULL OR b.starts_at + outbound_start_delay(b.id, b.starts_at) <= v_now);
            IF FOUND THEN
                v_becomes := 'running';
            END IF;
        ELSIF v_open = 0 AND (v_status IN ('running', 'stopping') OR v_expired)
              AND NOT EXISTS (SELECT 1 FROM outbound_attempt a WHERE a.batch_id = candidate.id AND a.state = 'unknown'
                                                                AND a.look_at IS NOT NULL)
              AND NOT EXISTS (SELECT 1 FROM outbound_resultdelivery d WHERE d.batch_id = candidate.id
                                                                AND d.state = 'pending' AND d.tries < 3)
              AND NOT EXISTS (SELECT 1 FROM outbound_batchimport i WHERE i.batch_id = candidate.id
                                                                AND i.state IN ('waiting', 'running')) THEN
            v_becomes := CASE WHEN v_status = 'stopping' THEN 'stopped'
                              WHEN EXISTS (SELECT 1 FROM outbound_batchstate s WHERE s.batch_id = candidate.id
                                                                               AND s.expired > 0) OR v_status <> 'running'
                              THEN 'expired' ELSE 'completed' END;
            UPDATE outbound_batch b SET status = v_becomes, finished_at = v_now, pause_reason = ''
            WHERE b.id = candidate.id AND b.status = v_status;
        END IF;
        IF v_becomes IS NOT NULL THEN
            batch_id := candidate.id;
            became := v_becomes;
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

-- Compare a batch's counters with its rows and set them right. Returns both; they differ only after a drift.
CREATE FUNCTION outbound_reconcile(p_batch bigint, OUT was jsonb, OUT is_now jsonb) LANGUAGE plpgsql AS $$
DECLARE
    s outbound_batchstate;
BEGIN
    -- Under the hot row's lock every mover of recipients has committed or has not counted yet.
    SELECT * INTO s FROM outbound_batchstate WHERE batch_id = p_batch FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT jsonb_object_agg(states.state, coalesce(c.n, 0)) INTO is_now
    FROM unnest(ARRAY['pending', 'queued', 'dialing', 'connected', 'completed', 'failed', 'canceled', 'expired',
                      'suppressed', 'unknown']) AS states (state)
    LEFT JOIN (SELECT state, count(*) AS n FROM outbound_recipient WHERE batch_id = p_batch GROUP BY state) c
        ON c.state = states.state;
    was := jsonb_build_object('pending', s.pending, 'queued', s.queued, 'dialing', s.dialing, 'connected', s.connected,
                              'completed', s.completed, 'failed', s.failed, 'canceled', s.canceled, 'expired', s.expired,
                              'suppressed', s.suppressed, 'unknown', s.unknown);
    IF was <> is_now THEN
        UPDATE outbound_batchstate
        SET pending = (is_now ->> 'pending')::integer, queued = (is_now ->> 'queued')::integer,
            dialing = (is_now ->> 'dialing')::integer, connected = (is_now ->> 'connected')::integer,
            completed = (is_now ->> 'completed')::integer, failed = (is_now ->> 'failed')::integer,
            canceled = (is_now ->> 'canceled')::integer, expired = (is_now ->> 'expired')::integer,
            suppressed = (is_now ->> 'suppressed')::integer, unknown = (is_now ->> 'unknown')::integer
        WHERE batch_id = p_batch;
    END IF;
END $$;

-- Take deliveries that are due, for p_lease: whoever dies with them lets them be taken again. Of one recipient only the
-- oldest that is not settled, so results of a call arrive in order.
CREATE FUNCTION outbound_take_deliveries(p_limit integer, p_lease interval, p_now timestamptz DEFAULT NULL)
RETURNS SETOF bigint LANGUAGE sql AS $$
    UPDATE outbound_resultdelivery d
    SET next_at = coalesce(p_now, clock_timestamp()) + p_lease, tries = d.tries + 1
    FROM (
        SELECT w.id FROM outbound_resultdelivery w
        WHERE w.state = 'pending' AND w.next_at <= coalesce(p_now, clock_timestamp())
          AND NOT EXISTS (SELECT 1 FROM outbound_resultdelivery e
                          WHERE e.recipient_id = w.recipient_id AND e.id < w.id AND e.state = 'pending')
        ORDER BY w.next_at LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
    ) due
    WHERE d.id = due.id
    RETURNING d.id
$$;

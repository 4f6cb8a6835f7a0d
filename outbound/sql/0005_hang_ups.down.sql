CREATE OR REPLACE FUNCTION outbound_recipients_follow(p_news outbound_news[], p_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    UPDATE outbound_recipient r
    SET state = d.becomes,
        dialed = r.dialed - CASE WHEN d.became = 'not_sent' THEN 1 ELSE 0 END,
        outcome = CASE WHEN d.became IN ('completed', 'failed') THEN d.outcome ELSE r.outcome END,
        reason = CASE d.becomes WHEN 'canceled' THEN CASE WHEN d.outcome = 'canceled' THEN 'by_hand' ELSE 'batch_stopped' END
                                WHEN 'expired' THEN 'batch_expired' ELSE r.reason END,
        due_at = CASE WHEN d.becomes = 'pending' AND d.became <> 'not_sent' THEN d.next_at ELSE r.due_at END
    FROM (
        SELECT n.recipient_id, n.became, n.outcome, t.next_at,
               CASE
                   WHEN n.became IN ('dialing', 'connected', 'unknown') THEN n.became
                   WHEN n.became = 'not_sent' THEN
                       CASE WHEN b.status IN ('stopping', 'stopped') THEN 'canceled'
                            WHEN b.expires_at <= p_now THEN 'expired' ELSE 'pending' END
                   WHEN t.again THEN 'pending'
                   WHEN n.became = 'completed' THEN 'completed'
                   WHEN n.outcome = 'canceled' THEN 'canceled'
                   ELSE 'failed'
               END AS becomes
        FROM unnest(p_news) n
        JOIN outbound_batch b ON b.id = n.batch_id
        JOIN outbound_recipient x ON x.id = n.recipient_id
        JOIN outbound_attempt a ON a.id = n.id AND a.number = x.attempts
        CROSS JOIN LATERAL (
            SELECT coalesce((b.retries -> n.outcome ->> 'delay')::integer, b.retry_interval) AS delay,
                   coalesce((b.retries -> n.outcome ->> 'count')::integer,
                            CASE WHEN n.outcome IN ('busy', 'no_answer', 'carrier_error') THEN b.max_attempts ELSE 0 END)
                       AS allowed
        ) rule
        CROSS JOIN LATERAL (
            SELECT greatest(n.claimed_at + make_interval(secs => rule.delay), p_now) AS next_at,
                   n.became IN ('completed', 'failed') AND rule.allowed > 0 AND x.dialed < b.max_attempts
                   AND b.status IN ('running', 'paused')
                   AND coalesce(n.claimed_at + make_interval(secs => rule.delay) < b.expires_at, true)
                   AND (SELECT count(*) FROM outbound_attempt y
                        WHERE y.recipient_id = n.recipient_id AND y.outcome = n.outcome) <= rule.allowed AS again
        ) t
        WHERE n.was <> n.became
          AND (x.state IN ('queued', 'dialing', 'connected', 'unknown')
               -- Asked to be redialed, not yet claimed, and now the first call is heard of after all.
               OR x.state = 'pending' AND n.became IN ('dialing', 'connected', 'completed'))
    ) d
    WHERE r.id = d.recipient_id;
END $$;

CREATE OR REPLACE FUNCTION outbound_settle(p_now timestamptz DEFAULT NULL) RETURNS TABLE (batch_id bigint, became text)
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

-- What is heard about attempts, and what follows from it. Idempotent, and the same in any order.

-- What became of one attempt by some news.
CREATE TYPE outbound_news AS (
    id uuid, recipient_id bigint, batch_id bigint, was text, became text, outcome text, claimed_at timestamptz,
    settled boolean, failing boolean
);

-- Apply events of one carrier's attempts, many at once: [{attempt, kind, key, source, at, carrier_call_id, outcome,
-- cause, callee, duration, data}]. Returns how many attempts moved. p_ring, p_talk: seconds of silence after which the
-- carrier is asked; p_burst: carrier errors in a row that pause a batch; p_backoff: seconds the carrier asked for.
CREATE FUNCTION outbound_apply(
    p_carrier bigint, p_events jsonb, p_ring integer, p_talk integer, p_burst integer, p_backoff integer DEFAULT 0,
    p_now timestamptz DEFAULT NULL
) RETURNS integer LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := coalesce(p_now, clock_timestamp());
    v_ids uuid[];
    v_recipients bigint[];
    v_news outbound_news[];
    v_moved integer;
    v_errors integer;
    v_good integer;
    v_error text;
BEGIN
    SELECT array_agg(a.id), array_agg(DISTINCT a.recipient_id) INTO v_ids, v_recipients
    FROM outbound_attempt a
    WHERE a.carrier_id = p_carrier
      AND a.id IN (SELECT e.attempt FROM jsonb_to_recordset(p_events) AS e (attempt uuid));
    IF v_ids IS NULL THEN
        RETURN 0;
    END IF;
    -- Parents first, in one order: two appliers of the same calls take turns.
    PERFORM 1 FROM outbound_recipient r WHERE r.id = ANY (v_recipients) ORDER BY r.id FOR NO KEY UPDATE;

    INSERT INTO outbound_attemptevent AS k (attempt_id, kind, key, source, at, heard_at, heard, data)
    SELECT e.attempt, min(e.kind), e.key, min(e.source), min(coalesce(e.at, v_now)), v_now, count(*), (array_agg(e.data))[1]
    FROM jsonb_to_recordset(p_events) AS e (attempt uuid, kind text, key text, source text, at timestamptz, data jsonb)
    WHERE e.attempt = ANY (v_ids)
    GROUP BY e.attempt, e.key
    ORDER BY e.attempt, e.key
    ON CONFLICT (attempt_id, key) DO UPDATE SET heard = least(k.heard + excluded.heard, 30000);

    WITH news AS (
        SELECT e.attempt,
               bool_or(e.kind = 'accepted') AS accepted, bool_or(e.kind = 'not_sent') AS not_sent,
               bool_or(e.kind = 'lost') AS lost, bool_or(e.kind = 'lost' AND e.source = 'place') AS unanswered, bool_or(e.kind = 'absent') AS absent,
               bool_or(e.kind = 'ended') AS ended,
               min(coalesce(e.at, v_now)) FILTER (WHERE e.kind = 'accepted') AS placed_at,
               min(coalesce(e.at, v_now)) FILTER (WHERE e.kind = 'ringing') AS ringing_at,
               min(coalesce(e.at, v_now)) FILTER (WHERE e.kind = 'answered') AS answered_at,
               min(coalesce(e.at, v_now)) FILTER (WHERE e.kind = 'ended') AS ended_at,
               min(coalesce(e.at, v_now)) FILTER (WHERE e.kind = 'hangup_asked') AS hangup_asked_at,
               (array_agg(e.outcome) FILTER (WHERE e.kind = 'ended'))[1] AS outcome,
               max(nullif(e.cause, '')) AS cause, max(nullif(e.cause, '')) FILTER (WHERE e.kind = 'ended') AS end_cause,
               max(e.carrier_call_id) AS carrier_call_id,
               max(nullif(e.callee, '')) AS callee, max(e.duration) AS duration
        FROM jsonb_to_recordset(p_events) AS e (
            attempt uuid, kind text, source text, at timestamptz, outcome text, cause text, carrier_call_id text, callee text,
            duration integer)
        WHERE e.attempt = ANY (v_ids)
        GROUP BY e.attempt
    ), decided AS (
        SELECT a.id, a.state AS was, a.look_at AS was_look_at, n.*, coalesce(n.callee, nullif(a.callee_type, '')) AS callee_now,
               CASE
                   WHEN a.state IN ('completed', 'failed', 'not_sent') THEN a.state
                   WHEN n.ended THEN CASE WHEN n.outcome IN ('answered', 'machine', 'fax') THEN 'completed' ELSE 'failed' END
                   WHEN n.not_sent THEN CASE WHEN a.state = 'queued' THEN 'not_sent' ELSE a.state END
                   -- Given up and dialed anew: the old one waits for its end, or two would be open.
                   WHEN a.number < r.attempts THEN a.state
                   WHEN n.answered_at IS NOT NULL THEN 'connected'
                   WHEN a.state = 'connected' AND NOT n.absent THEN 'connected'
                   WHEN n.accepted OR n.ringing_at IS NOT NULL THEN 'dialing'
                   WHEN n.lost AND a.state = 'queued' OR n.absent THEN 'unknown'
                   ELSE a.state
               END AS became
        FROM news n JOIN outbound_attempt a ON a.id = n.attempt JOIN outbound_recipient r ON r.id = a.recipient_id
    ), moved AS (
        UPDATE outbound_attempt a
        SET state = d.became,
            placed_at = coalesce(a.placed_at, d.placed_at),
            ringing_at = coalesce(a.ringing_at, d.ringing_at),
            answered_at = coalesce(a.answered_at, d.answered_at),
            ended_at = CASE WHEN d.became IN ('completed', 'failed', 'not_sent')
                            THEN coalesce(a.ended_at, d.ended_at, v_now) END,
            outcome = CASE WHEN a.outcome <> '' THEN a.outcome WHEN d.became NOT IN ('completed', 'failed') THEN ''
                           WHEN d.outcome = 'answered' AND d.callee_now = 'answeringmachine' THEN 'machine'
                           WHEN d.outcome = 'answered' AND d.callee_now = 'fax' THEN 'fax'
                           ELSE coalesce(nullif(d.outcome, ''), 'carrier_error') END,
            -- The end's own cause before that of an answer which did not come.
            cause = CASE WHEN d.end_cause IS NOT NULL AND a.state NOT IN ('completed', 'failed', 'not_sent')
                             THEN left(d.end_cause, 100)
                         WHEN a.cause <> '' THEN a.cause ELSE coalesce(left(d.cause, 100), '') END,
            callee_type = coalesce(d.callee_now, CASE WHEN d.became = 'connected' THEN 'processing' ELSE '' END),
            duration = coalesce(a.duration, d.duration, CASE WHEN d.became = 'completed' THEN greatest(0, extract(
                epoch FROM d.ended_at - coalesce(a.answered_at, d.answered_at)))::integer END),
            carrier_call_id = coalesce(nullif(a.carrier_call_id, ''), left(d.carrier_call_id, 64), ''),
            hangup_asked_at = coalesce(a.hangup_asked_at, d.hangup_asked_at),
            looks = a.looks + CASE WHEN d.absent THEN 1 ELSE 0 END,
            look_at = CASE
                WHEN d.became IN ('completed', 'failed', 'not_sent') THEN NULL
                WHEN d.became = 'unknown' AND d.was = 'unknown' THEN
                    CASE WHEN d.absent AND a.looks >= 2 OR a.look_at IS NULL THEN NULL
                         WHEN d.absent THEN v_now + make_interval(secs => 5 * power(3, a.looks)) ELSE a.look_at END
                WHEN d.became = 'unknown' THEN v_now + interval '2 s'
                WHEN d.became = 'connected' THEN v_now + make_interval(secs => p_talk)
                ELSE v_now + make_interval(secs => p_ring) END
        FROM decided d WHERE a.id = d.id
        RETURNING a.id, a.recipient_id, a.batch_id, d.was, d.became, a.outcome, a.claimed_at,
                  a.state = 'unknown' AND a.look_at IS NULL AND d.was_look_at IS NOT NULL AS settled,
                  d.was = 'queued' AND (d.not_sent AND d.cause IS NOT NULL OR d.unanswered) OR d.became = 'failed'
                      AND d.was <> 'failed' AND a.outcome = 'carrier_error' AS failing
    )
    SELECT array_agg(ROW (m.id, m.recipient_id, m.batch_id, m.was, m.became, m.outcome, m.claimed_at, m.settled,
                          m.failing)::outbound_news) INTO v_news
    FROM moved m;

    SELECT count(*) FILTER (WHERE was <> became), count(*) FILTER (WHERE failing),
           -- Only answers to placing tell of its health: calls that it took before go on while it refuses new ones.
           count(*) FILTER (WHERE was = 'queued' AND NOT coalesce(failing, false)
                                  AND became IN ('dialing', 'connected', 'completed', 'failed'))
    INTO v_moved, v_errors, v_good FROM unnest(v_news);

    PERFORM outbound_recipients_follow(v_news, v_now);

    -- A call whose end nobody will ever hear of is told as such, once the carrier was asked often enough.
    INSERT INTO outbound_resultdelivery (message_id, batch_id, recipient_id, attempt_id, state, tries, next_at, last_error,
                                         created_at)
    SELECT gen_random_uuid(), n.batch_id, n.recipient_id, n.id,
           CASE WHEN b.result_disabled_at IS NULL THEN 'pending' ELSE 'disabled' END, 0, v_now, '', v_now
    FROM unnest(v_news) n JOIN outbound_batch b ON b.id = n.batch_id
    WHERE n.settled AND b.result_url <> '';

    UPDATE outbound_batchstate s
    SET errors_in_row = CASE WHEN d.errors > 0 THEN s.errors_in_row + d.errors ELSE 0 END
    FROM (SELECT batch_id, count(*) FILTER (WHERE failing) AS errors,
                 count(*) FILTER (WHERE NOT coalesce(failing, false) AND was <> became) AS good
          FROM unnest(v_news) GROUP BY batch_id) d
    WHERE s.batch_id = d.batch_id AND (d.errors > 0 AND d.good = 0 OR d.good > 0 AND s.errors_in_row <> 0);
    IF v_errors > 0 OR EXISTS (SELECT 1 FROM outbound_carrierstate WHERE carrier_id = p_carrier
                                AND (errors_in_row <> 0 OR slowed <> 0 OR last_success_at IS NULL
                                     OR last_success_at < v_now - interval '10 s')) THEN
        SELECT e.cause INTO v_error FROM jsonb_to_recordset(p_events) AS e (kind text, cause text, outcome text)
        WHERE e.cause <> '' AND (e.kind IN ('not_sent', 'lost') OR e.outcome = 'carrier_error') LIMIT 1;
        PERFORM outbound_carrier_health(p_carrier, v_errors, v_good, coalesce(v_error, ''), p_backoff, v_now);
    END IF;
    IF v_errors > 0 THEN
        UPDATE outbound_batch b
        SET status = 'paused', pause_reason = left(format(
            'The carrier failed %s times in a row (%s). Resume when it is well again.', s.errors_in_row,
            coalesce(nullif(v_error, ''), 'no answer')), 250)
        FROM outbound_batchstate s
        WHERE s.batch_id = b.id AND b.status = 'running' AND s.errors_in_row >= p_burst
          AND b.id IN (SELECT n.batch_id FROM unnest(v_news) n);
    END IF;
    RETURN v_moved;
END $$;

-- Move the recipients after their attempts: live states follow; an end is final or waits for the next
-- try, whichever the batch's rules say. Clock from dispatch; one maximum for the person, one count per outcome.
CREATE FUNCTION outbound_recipients_follow(p_news outbound_news[], p_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
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

-- A carrier's health after some answers to calls that were placed. It is slowed when it fails, not when it fails now and
-- then: three errors in a row, or most of what came at once, halve its pace (at most once a second) and leave it alone for 1,
-- 2, 4 ... 60 seconds; p_backoff, the seconds it asked for itself, are kept to each time. Every five seconds with good answers
-- and without a new slowing give one step back.
CREATE FUNCTION outbound_carrier_health(
    p_carrier bigint, p_errors integer, p_good integer, p_error text, p_backoff integer, p_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    k outbound_carrierstate;
    v_failing boolean;
    v_slowed smallint;
BEGIN
    SELECT * INTO k FROM outbound_carrierstate s WHERE s.carrier_id = p_carrier FOR NO KEY UPDATE;
    v_failing := p_errors > p_good AND p_errors + CASE WHEN p_good > 0 THEN 0 ELSE k.errors_in_row END >= 3;
    v_slowed := CASE
        WHEN v_failing AND coalesce(k.slowed_at <= p_now - interval '1 s', true) THEN least(6, k.slowed + 1)
        WHEN k.slowed > 0 AND p_good > 0 AND p_errors = 0 AND k.slowed_at <= p_now - interval '5 s' THEN k.slowed - 1
        ELSE k.slowed END;
    UPDATE outbound_carrierstate s
    SET errors_in_row = CASE WHEN p_good > 0 THEN 0 ELSE k.errors_in_row + p_errors END,
        slowed = v_slowed,
        slowed_at = CASE WHEN v_slowed <> k.slowed THEN p_now ELSE k.slowed_at END,
        backoff_until = CASE
            WHEN p_backoff > 0 THEN greatest(k.backoff_until, p_now + make_interval(secs => least(p_backoff, 3600)))
            WHEN v_failing THEN greatest(k.backoff_until, p_now + make_interval(secs => least(60, power(2, k.slowed))))
            ELSE k.backoff_until END,
        last_error = CASE WHEN p_errors > 0 THEN left(p_error, 250) ELSE k.last_error END,
        last_error_at = CASE WHEN p_errors > 0 THEN p_now ELSE k.last_error_at END,
        last_success_at = CASE WHEN p_good > 0 THEN p_now ELSE k.last_success_at END
    WHERE s.carrier_id = p_carrier;
END $$;

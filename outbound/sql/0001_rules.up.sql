-- What the tables themselves hold, whoever writes to them. Frozen once landed: change by a new file.

-- Claims walk over rows that have just left the index of due ones: vacuum comes early.
ALTER TABLE outbound_recipient SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE outbound_attempt SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE outbound_batchstate SET (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE outbound_carrierstate SET (fillfactor = 40);
ALTER TABLE outbound_pace SET (fillfactor = 20);
INSERT INTO outbound_pace (id, next_slot_at, turn, beat_at) VALUES (1, now(), 0, now());

-- The allowed moves, as choices.py has them (a test compares). One text "from>to" each.
CREATE FUNCTION outbound_batch_moves() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY['draft>scheduled', 'scheduled>draft', 'scheduled>running', 'scheduled>stopping', 'scheduled>expired',
                 'running>paused', 'running>stopping', 'running>completed', 'running>expired', 'paused>running',
                 'paused>stopping', 'paused>expired', 'stopping>stopped', 'completed>running']
$$;
CREATE FUNCTION outbound_recipient_moves() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY['pending>queued', 'pending>suppressed', 'pending>completed', 'pending>failed', 'pending>canceled',
                 'pending>expired', 'pending>dialing', 'pending>connected', 'queued>pending', 'queued>dialing', 'queued>connected', 'queued>unknown',
                 'queued>suppressed', 'queued>completed', 'queued>failed', 'queued>canceled', 'queued>expired',
                 'dialing>pending', 'dialing>connected', 'dialing>unknown', 'dialing>completed', 'dialing>failed',
                 'dialing>canceled', 'dialing>expired', 'connected>pending', 'connected>unknown',
                 'connected>completed', 'connected>failed', 'connected>canceled', 'connected>expired',
                 'unknown>pending', 'unknown>dialing', 'unknown>connected', 'unknown>completed', 'unknown>failed',
                 'unknown>canceled', 'unknown>expired']
$$;
CREATE FUNCTION outbound_attempt_moves() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY['queued>dialing', 'queued>connected', 'queued>completed', 'queued>failed', 'queued>unknown',
                 'queued>not_sent', 'dialing>connected', 'dialing>completed', 'dialing>failed', 'dialing>unknown',
                 'connected>completed', 'connected>failed', 'connected>unknown', 'unknown>dialing',
                 'unknown>connected', 'unknown>completed', 'unknown>failed']
$$;

CREATE FUNCTION outbound_refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % cannot move', TG_TABLE_NAME, OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER batch_moves_as_allowed BEFORE UPDATE OF status ON outbound_batch FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND NOT (OLD.status || '>' || NEW.status) = ANY (outbound_batch_moves()))
    EXECUTE FUNCTION outbound_refuse_move();
CREATE TRIGGER recipient_moves_as_allowed BEFORE UPDATE OF state ON outbound_recipient FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NOT (OLD.state || '>' || NEW.state) = ANY (outbound_recipient_moves()))
    EXECUTE FUNCTION outbound_refuse_move();
CREATE TRIGGER attempt_moves_as_allowed BEFORE UPDATE OF state ON outbound_attempt FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NOT (OLD.state || '>' || NEW.state) = ANY (outbound_attempt_moves()))
    EXECUTE FUNCTION outbound_refuse_move();

-- Recipients carry no foreign-key constraint: a batch that has any stays, and so do the rows of attempts.
CREATE FUNCTION outbound_batch_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM outbound_recipient WHERE batch_id = OLD.id) THEN
        RAISE EXCEPTION 'batch % has recipients: it stays', OLD.id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'batch_with_recipients_stays';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER batch_keep BEFORE DELETE ON outbound_batch FOR EACH ROW EXECUTE FUNCTION outbound_batch_keep();

-- Every batch and every carrier has its hot row from the beginning.
CREATE FUNCTION outbound_batch_state_make() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbound_batchstate (batch_id, pending, queued, dialing, connected, completed, failed, canceled, expired,
                                     suppressed, unknown, attempts, next_slot_at, look_at, turn, errors_in_row)
    VALUES (NEW.id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '2000-01-01Z', '2000-01-01Z', 0, 0);
    RETURN NULL;
END $$;
CREATE TRIGGER batch_state_make AFTER INSERT ON outbound_batch
    FOR EACH ROW EXECUTE FUNCTION outbound_batch_state_make();
CREATE FUNCTION outbound_carrier_state_make() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbound_carrierstate (carrier_id, next_slot_at, errors_in_row, slowed, last_error)
    VALUES (NEW.id, '2000-01-01Z', 0, 0, '');
    RETURN NULL;
END $$;
CREATE TRIGGER carrier_state_make AFTER INSERT ON outbound_carrier
    FOR EACH ROW EXECUTE FUNCTION outbound_carrier_state_make();

-- The claim asks only for prefix lengths that exist.
CREATE FUNCTION outbound_prefix_lengths() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE outbound_donotcalllist l
    SET prefix_lengths = lengths.found
    FROM (
        SELECT c.list_id, coalesce((SELECT array_agg(DISTINCT (length(e.pattern) - 1)::smallint)
                                    FROM outbound_donotcallentry e
                                    WHERE e.list_id = c.list_id AND e.pattern LIKE '%*'), '{}'::smallint[]) AS found
        FROM (SELECT DISTINCT list_id FROM changed WHERE pattern LIKE '%*') c
    ) lengths
    WHERE l.id = lengths.list_id AND l.prefix_lengths IS DISTINCT FROM lengths.found;
    RETURN NULL;
END $$;
CREATE TRIGGER do_not_call_prefixes_added AFTER INSERT ON outbound_donotcallentry
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION outbound_prefix_lengths();
CREATE TRIGGER do_not_call_prefixes_removed AFTER DELETE ON outbound_donotcallentry
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION outbound_prefix_lengths();

-- Counters. Rows of several batches are locked in the order of their ids, so two statements cannot deadlock.
CREATE FUNCTION outbound_count(p_batches bigint[], p_states text[], p_steps integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(p_batches) IS NULL OR cardinality(p_batches) = 0 THEN
        RETURN;
    END IF;
    PERFORM 1 FROM outbound_batchstate WHERE batch_id = ANY (p_batches) ORDER BY batch_id FOR NO KEY UPDATE;
    UPDATE outbound_batchstate s
    SET pending = s.pending + d.pending, queued = s.queued + d.queued, dialing = s.dialing + d.dialing,
        connected = s.connected + d.connected, completed = s.completed + d.completed, failed = s.failed + d.failed,
        canceled = s.canceled + d.canceled, expired = s.expired + d.expired,
        suppressed = s.suppressed + d.suppressed, unknown = s.unknown + d.unknown
    FROM (
        SELECT batch,
               coalesce(sum(step) FILTER (WHERE state = 'pending'), 0) AS pending,
               coalesce(sum(step) FILTER (WHERE state = 'queued'), 0) AS queued,
               coalesce(sum(step) FILTER (WHERE state = 'dialing'), 0) AS dialing,
               coalesce(sum(step) FILTER (WHERE state = 'connected'), 0) AS connected,
               coalesce(sum(step) FILTER (WHERE state = 'completed'), 0) AS completed,
               coalesce(sum(step) FILTER (WHERE state = 'failed'), 0) AS failed,
               coalesce(sum(step) FILTER (WHERE state = 'canceled'), 0) AS canceled,
               coalesce(sum(step) FILTER (WHERE state = 'expired'), 0) AS expired,
               coalesce(sum(step) FILTER (WHERE state = 'suppressed'), 0) AS suppressed,
               coalesce(sum(step) FILTER (WHERE state = 'unknown'), 0) AS unknown
        FROM unnest(p_batches, p_states, p_steps) AS u (batch, state, step) GROUP BY batch
    ) d
    WHERE s.batch_id = d.batch;
END $$;

CREATE FUNCTION outbound_recipient_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM outbound_count(array_agg(batch_id), array_agg(state::text), array_agg(n::integer))
    FROM (SELECT batch_id, state, count(*) AS n FROM added GROUP BY batch_id, state) c;
    RETURN NULL;
END $$;
CREATE TRIGGER recipient_added AFTER INSERT ON outbound_recipient
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION outbound_recipient_added();

CREATE FUNCTION outbound_recipient_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM outbound_count(array_agg(batch_id), array_agg(state::text), array_agg(n::integer))
    FROM (SELECT batch_id, state, -count(*) AS n FROM removed GROUP BY batch_id, state) c;
    RETURN NULL;
END $$;
CREATE TRIGGER recipient_removed AFTER DELETE ON outbound_recipient
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION outbound_recipient_removed();

-- Counters, and the result of whoever reached his end after his batch was started.
CREATE FUNCTION outbound_recipient_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbound_resultdelivery (message_id, batch_id, recipient_id, state, tries, next_at, last_error, created_at)
    SELECT gen_random_uuid(), n.batch_id, n.id, CASE WHEN b.result_disabled_at IS NULL THEN 'pending' ELSE 'disabled' END,
           0, clock_timestamp(), '', clock_timestamp()
    FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN outbound_batch b ON b.id = n.batch_id
    WHERE n.state <> o.state AND n.state IN ('completed', 'failed', 'canceled', 'expired', 'suppressed')
      AND b.result_url <> '' AND b.started_at IS NOT NULL
    ORDER BY n.id;
    PERFORM outbound_count(array_agg(batch_id), array_agg(state::text), array_agg(n::integer))
    FROM (
        SELECT batch_id, state, sum(step) AS n
        FROM (
            SELECT n.batch_id, n.state, 1 AS step FROM new_rows n JOIN old_rows o ON o.id = n.id
            WHERE n.state <> o.state
            UNION ALL
            SELECT o.batch_id, o.state, -1 FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.state <> o.state
        ) steps
        GROUP BY batch_id, state
    ) c;
    RETURN NULL;
END $$;
CREATE TRIGGER recipient_moved AFTER UPDATE ON outbound_recipient
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION outbound_recipient_moved();

-- A result per attempt, where the batch wants it: before the recipient's own, since attempts are written first.
CREATE FUNCTION outbound_attempt_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbound_resultdelivery (message_id, batch_id, recipient_id, attempt_id, state, tries, next_at,
                                         last_error, created_at)
    SELECT gen_random_uuid(), n.batch_id, n.recipient_id, n.id,
           CASE WHEN b.result_disabled_at IS NULL THEN 'pending' ELSE 'disabled' END, 0, clock_timestamp(), '',
           clock_timestamp()
    FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN outbound_batch b ON b.id = n.batch_id
    WHERE n.state <> o.state AND n.state IN ('completed', 'failed') AND b.result_url <> '' AND b.result_each_attempt
    ORDER BY n.recipient_id, n.number;
    RETURN NULL;
END $$;
CREATE TRIGGER attempt_moved AFTER UPDATE ON outbound_attempt
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION outbound_attempt_moved();

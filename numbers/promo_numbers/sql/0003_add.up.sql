-- Add a static number of the stock to a campaign, with its audit line, in one statement. Returns no row when the stock has
-- none that is as wanted: then nothing was written. p_event: an audit event's columns as JSON; the number is put into its
-- changes here. p_early: let the counters go at the commit without waiting for the disk; the caller must then make it
-- durable before he tells anybody (docs/locking.md).
CREATE FUNCTION numbers_add(
    p_network bigint, p_campaign bigint, p_kind text, p_area_codes text[], p_locality text, p_region text,
    p_number jsonb, p_event jsonb, p_early boolean
) RETURNS TABLE (id bigint, number text, supplier text, created_at timestamptz) LANGUAGE plpgsql
-- A plan that a session made while the stock was empty would read all of it for as long as the session lives.
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_number text;
    v_supplier text;
    v_now timestamptz := clock_timestamp();
BEGIN
    SELECT p.number, p.supplier INTO v_number, v_supplier
    FROM numbers_pick(p_network, 1, p_kind, p_area_codes, p_locality, p_region) p;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- The audit line first, the counters (by trigger) last: their rows are locked only until the commit that follows.
    INSERT INTO audit_auditevent (at, network_id, actor_id, token_id, event, object_type, object_id, object_label, changes,
                                  reason, request_id)
    VALUES (v_now, p_network, (p_event ->> 'actor_id')::bigint, (p_event ->> 'token_id')::bigint, p_event ->> 'event',
            p_event ->> 'object_type', p_event ->> 'object_id', p_event ->> 'object_label',
            (p_event -> 'changes') || jsonb_build_object('promo_number', jsonb_build_array(NULL, v_number)),
            p_event ->> 'reason', p_event ->> 'request_id');
    IF p_early THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    RETURN QUERY
    INSERT INTO numbers_promonumber (network_id, campaign_id, is_overflow, number, state, id_from_network, description,
                                     media_type, promo_type, custom_data, supplier, extra, created_at)
    VALUES (p_network, p_campaign, false, v_number, 'active', '', p_number ->> 'description', p_number ->> 'media_type',
            p_number ->> 'promo_type', p_number -> 'custom_data', v_supplier, p_number -> 'extra', v_now)
    RETURNING id, number::text, supplier::text, created_at;
END $$;

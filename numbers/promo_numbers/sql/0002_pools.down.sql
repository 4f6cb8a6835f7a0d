DROP FUNCTION numbers_pools_sum_up();
DROP FUNCTION numbers_allocate(bigint, text, text, jsonb);
ALTER TABLE numbers_poolslot RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE numbers_poolslot SET (autovacuum_vacuum_scale_factor = 0.05);
DROP FUNCTION numbers_pick(bigint, integer, text, text[], text, text);
CREATE FUNCTION numbers_pick(
    p_network bigint, p_count integer, p_kind text, p_area_codes text[], p_locality text, p_region text
) RETURNS TABLE (number text, supplier text) LANGUAGE sql AS $$
    UPDATE numbers_stocknumber s SET state = 'used'
    FROM (
        SELECT f.id FROM numbers_stocknumber f
        WHERE f.state = 'free' AND f.kind = p_kind AND (f.network_id IS NULL OR f.network_id = p_network)
          AND (p_area_codes IS NULL OR f.area_code = ANY(p_area_codes))
          AND (p_locality IS NULL OR lower(f.locality) = lower(p_locality))
          AND (p_region IS NULL OR f.region = p_region)
        ORDER BY f.id
        LIMIT p_count
        FOR UPDATE SKIP LOCKED
    ) free
    WHERE s.id = free.id
    RETURNING s.number, s.supplier
$$;

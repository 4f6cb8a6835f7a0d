-- RingPools: one visitor, one number, for its lifetime. Locking: docs/locking.md.
ALTER TABLE numbers_poolslot SET (autovacuum_vacuum_scale_factor = 0.02);

-- Give a visitor of a pool his number; one statement of the client, one transaction.
--   kept        he has one still: it is his for another lifetime
--   taken       one that nobody holds is his from now on: the one that he had before, or the one that was free longest
--   overflow    all are held: the pool's overflow number, which is nobody's
--   destination all are held, no overflow number: the number that is not tracked; digits may be empty
--   unknown     no such pool with this key, or it is archived
-- A number's time is renewed by its visitor alone and passes to another one only after it has run out.
CREATE FUNCTION numbers_allocate(p_pool bigint, p_key text, p_visitor text, p_params jsonb)
RETURNS TABLE (outcome text, number_id bigint, digits text, held_until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    pool record;
    moment timestamptz := clock_timestamp();
    lives boolean;
BEGIN
    SELECT make_interval(secs => r.lifetime_seconds) AS lifetime, r.allow_overflow, r.destination_phone_number, r.campaign_id
    INTO pool FROM numbers_ringpool r WHERE r.id = p_pool AND r.api_key = p_key AND r.archived_at IS NULL;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown', NULL::bigint, NULL::text, NULL::timestamptz;
        RETURN;
    END IF;

    -- By far the most frequent: the visitor's next page.
    UPDATE numbers_poolslot s SET until = moment + pool.lifetime
    WHERE s.pool_id = p_pool AND s.visitor = p_visitor AND s.until > moment
    RETURNING s.promo_number_id, s.until INTO number_id, held_until;
    IF FOUND THEN
        outcome := 'kept';
    ELSE
        -- Two requests of one new visitor: the second waits here and then finds what the first took.
        PERFORM pg_advisory_xact_lock(hashtextextended(p_visitor, p_pool));
        moment := clock_timestamp();
        SELECT s.promo_number_id, s.until > moment INTO number_id, lives FROM numbers_poolslot s
        WHERE s.pool_id = p_pool AND s.visitor = p_visitor FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            SELECT s.promo_number_id INTO number_id FROM numbers_poolslot s
            WHERE s.pool_id = p_pool AND s.until <= moment
            ORDER BY s.until LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
        END IF;
        IF FOUND THEN
            UPDATE numbers_poolslot s SET visitor = p_visitor, until = moment + pool.lifetime
            WHERE s.promo_number_id = number_id RETURNING s.until INTO held_until;
            outcome := CASE WHEN lives THEN 'kept' ELSE 'taken' END;
            IF outcome = 'taken' THEN
                INSERT INTO numbers_allocation (pool_id, promo_number_id, visitor, params, started_at)
                VALUES (p_pool, number_id, p_visitor, p_params, moment);
            END IF;
        END IF;
    END IF;

    IF outcome IS NOT NULL THEN
        SELECT n.number INTO digits FROM numbers_promonumber n WHERE n.id = number_id;
        RETURN NEXT;
        RETURN;
    END IF;

    INSERT INTO numbers_poolmiss (pool_id, at) VALUES (p_pool, moment);
    IF pool.allow_overflow THEN
        SELECT n.id, n.number INTO number_id, digits FROM numbers_promonumber n
        WHERE n.ring_pool_id = p_pool AND n.is_overflow AND n.state = 'active';
        outcome := 'overflow';
    END IF;
    IF digits IS NULL THEN
        outcome := 'destination';
        digits := pool.destination_phone_number;
        IF digits = '' THEN
            SELECT c.destination_phone_number INTO digits FROM campaigns_campaign c WHERE c.id = pool.campaign_id;
        END IF;
    END IF;
    RETURN NEXT;
END $$;

-- Sum up what happened in the pools, five minutes by five minutes. May run at any time, twice, or after a pause of up to a
-- day; false when another one is running.
--   misses are moved: each is counted once, whenever it comes
--   allocations are counted again, from the window before the last one summed up
--   the peak is the most that were held at any of the moments at which this ran, or all when somebody found none
CREATE FUNCTION numbers_pools_sum_up() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    step CONSTANT interval := '5 minutes';
    origin CONSTANT timestamptz := '2000-01-01 00:00+00';
    this timestamptz := date_bin('5 minutes', clock_timestamp(), '2000-01-01 00:00+00');
    since timestamptz;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('numbers_pools_sum_up', 0)) THEN
        RETURN false;
    END IF;
    SELECT greatest(coalesce(max(u.at), this) - step, this - interval '1 day') INTO since
    FROM numbers_ringpool p
    CROSS JOIN LATERAL (SELECT x.at FROM numbers_poolusage x WHERE x.pool_id = p.id ORDER BY x.at DESC LIMIT 1) u;

    INSERT INTO numbers_poolusage AS u (pool_id, at, size, peak, allocations, exhausted)
    SELECT p.id, this, count(s.promo_number_id), count(s.promo_number_id) FILTER (WHERE s.until > clock_timestamp()), 0, 0
    FROM numbers_ringpool p LEFT JOIN numbers_poolslot s ON s.pool_id = p.id
    WHERE p.archived_at IS NULL
    GROUP BY p.id ORDER BY p.id
    ON CONFLICT (pool_id, at) DO UPDATE SET size = excluded.size, peak = greatest(u.peak, excluded.peak);

    INSERT INTO numbers_poolusage AS u (pool_id, at, size, peak, allocations, exhausted)
    SELECT a.pool_id, a.at, c.size, 0, a.allocations, 0
    FROM (
        SELECT x.pool_id, date_bin(step, x.started_at, origin) AS at, count(*) AS allocations
        FROM numbers_allocation x WHERE x.started_at >= date_bin(step, since, origin) GROUP BY 1, 2
    ) a
    JOIN numbers_ringpool p ON p.id = a.pool_id
    CROSS JOIN LATERAL (SELECT count(*) AS size FROM numbers_poolslot x WHERE x.pool_id = a.pool_id) c
    ORDER BY a.pool_id, a.at
    ON CONFLICT (pool_id, at) DO UPDATE SET allocations = excluded.allocations;

    WITH gone AS (
        DELETE FROM numbers_poolmiss RETURNING pool_id, at
    ), summed AS (
        SELECT g.pool_id, date_bin(step, g.at, origin) AS at, count(*) AS misses, max(g.at) AS last
        FROM gone g JOIN numbers_ringpool p ON p.id = g.pool_id GROUP BY 1, 2
    ), noted AS (
        UPDATE numbers_ringpool p SET exhausted_at = greatest(p.exhausted_at, m.last)
        FROM (SELECT s.pool_id, max(s.last) AS last FROM summed s GROUP BY s.pool_id) m WHERE p.id = m.pool_id
    )
    INSERT INTO numbers_poolusage AS u (pool_id, at, size, peak, allocations, exhausted)
    SELECT s.pool_id, s.at, c.size, c.size, 0, s.misses
    FROM summed s CROSS JOIN LATERAL (SELECT count(*) AS size FROM numbers_poolslot x WHERE x.pool_id = s.pool_id) c
    ORDER BY s.pool_id, s.at
    ON CONFLICT (pool_id, at) DO UPDATE
    SET exhausted = u.exhausted + excluded.exhausted, peak = greatest(u.size, u.peak);
    RETURN true;
END $$;

-- The same picking as before, told so that its price does not grow with the numbers that are in use: ordered by id alone,
-- the planner went through the primary key, past all of those, for every number taken. Kind and area code before the id are
-- an order that only the indexes of free numbers have.
CREATE OR REPLACE FUNCTION numbers_pick(
    p_network bigint, p_count integer, p_kind text, p_area_codes text[], p_locality text, p_region text
) RETURNS TABLE (number text, supplier text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    picked bigint[];
BEGIN
    IF p_area_codes IS NULL THEN
        picked := ARRAY(
            SELECT f.id FROM numbers_stocknumber f
            WHERE f.state = 'free' AND f.kind = p_kind AND (f.network_id IS NULL OR f.network_id = p_network)
              AND (p_locality IS NULL OR lower(f.locality) = lower(p_locality))
              AND (p_region IS NULL OR f.region = p_region)
            ORDER BY f.kind, f.area_code, f.id
            LIMIT p_count
            FOR UPDATE SKIP LOCKED
        );
    ELSE
        picked := ARRAY(
            SELECT f.id FROM numbers_stocknumber f
            WHERE f.state = 'free' AND f.kind = p_kind AND f.area_code = ANY (p_area_codes)
              AND (f.network_id IS NULL OR f.network_id = p_network)
              AND (p_locality IS NULL OR lower(f.locality) = lower(p_locality))
              AND (p_region IS NULL OR f.region = p_region)
            ORDER BY f.area_code, f.id
            LIMIT p_count
            FOR UPDATE SKIP LOCKED
        );
    END IF;
    RETURN QUERY
    UPDATE numbers_stocknumber s SET state = 'used' WHERE s.id = ANY (picked) RETURNING s.number::text, s.supplier::text;
END $$;

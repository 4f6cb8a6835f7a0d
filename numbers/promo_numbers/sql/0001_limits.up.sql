-- The three limits. Triggers keep the counters equal to the rows in use, whatever writes; checks on the counters hold the
-- limits. The name of the check that refused says which ceiling was reached. Locking: docs/locking.md.
ALTER TABLE numbers_networknumbers SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE numbers_campaignnumbers SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE numbers_poolslot SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- A row for every network and every campaign, so that nobody has to ask whether there is one.
CREATE FUNCTION numbers_of_network() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO numbers_networknumbers (network_id, campaign_default, total_used, dynamic_used)
    VALUES (NEW.id, 10, 0, 0) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER numbers_of_network AFTER INSERT ON accounts_network
FOR EACH ROW EXECUTE FUNCTION numbers_of_network();

CREATE FUNCTION numbers_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO numbers_campaignnumbers (campaign_id, allowed, used)
    SELECT NEW.id, coalesce((SELECT n.campaign_default FROM numbers_networknumbers n WHERE n.network_id = NEW.network_id), 10), 0
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER numbers_of_campaign AFTER INSERT ON campaigns_campaign
FOR EACH ROW EXECUTE FUNCTION numbers_of_campaign();

INSERT INTO numbers_networknumbers (network_id, campaign_default, total_used, dynamic_used)
SELECT id, 10, 0, 0 FROM accounts_network ON CONFLICT DO NOTHING;
INSERT INTO numbers_campaignnumbers (campaign_id, allowed, used)
SELECT id, 10, 0 FROM campaigns_campaign ON CONFLICT DO NOTHING;

-- A number's network is its campaign's, and its pool's campaign is its own; a static number knows no pool.
CREATE FUNCTION numbers_belong() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM campaigns_campaign c WHERE c.id = NEW.campaign_id AND c.network_id = NEW.network_id) THEN
        RAISE EXCEPTION 'a promo number belongs to the network of its campaign' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'number_network_of_campaign';
    END IF;
    IF NEW.ring_pool_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM numbers_ringpool p WHERE p.id = NEW.ring_pool_id AND p.campaign_id = NEW.campaign_id
    ) THEN
        RAISE EXCEPTION 'a dynamic number belongs to the campaign of its RingPool' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'number_campaign_of_pool';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER numbers_belong AFTER INSERT OR UPDATE OF network_id, campaign_id, ring_pool_id ON numbers_promonumber
FOR EACH ROW EXECUTE FUNCTION numbers_belong();

-- Add what a statement changed to the counters: the networks' rows first, sorted, then the campaigns', sorted. Whoever
-- holds a network's row may do any number of statements in it without meeting anybody who waits the other way round.
CREATE TYPE numbers_change AS (network bigint, campaign bigint, total integer, dynamic integer);

CREATE FUNCTION numbers_count(changes numbers_change[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT x.network, sum(x.total) AS total, sum(x.dynamic) AS dynamic FROM unnest(changes) x
        GROUP BY x.network HAVING sum(x.total) <> 0 OR sum(x.dynamic) <> 0 ORDER BY x.network
    LOOP
        UPDATE numbers_networknumbers n
        SET total_used = n.total_used + c.total, dynamic_used = n.dynamic_used + c.dynamic
        WHERE n.network_id = c.network;
    END LOOP;
    FOR c IN
        SELECT x.campaign, sum(x.total - x.dynamic) AS static FROM unnest(changes) x
        GROUP BY x.campaign HAVING sum(x.total - x.dynamic) <> 0 ORDER BY x.campaign
    LOOP
        UPDATE numbers_campaignnumbers n SET used = n.used + c.static WHERE n.campaign_id = c.campaign;
    END LOOP;
END $$;

-- What a row counts for: nothing once it is released.
CREATE FUNCTION numbers_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM numbers_count(array_agg(ROW(
        n.network_id, n.campaign_id, 1, CASE WHEN n.ring_pool_id IS NULL THEN 0 ELSE 1 END)::numbers_change))
    FROM fresh n WHERE n.state <> 'released' HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER numbers_inserted AFTER INSERT ON numbers_promonumber REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION numbers_inserted();

CREATE FUNCTION numbers_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM numbers_count(array_agg(ROW(
        n.network_id, n.campaign_id, -1, CASE WHEN n.ring_pool_id IS NULL THEN 0 ELSE -1 END)::numbers_change))
    FROM gone n WHERE n.state <> 'released' HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER numbers_deleted AFTER DELETE ON numbers_promonumber REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION numbers_deleted();

CREATE FUNCTION numbers_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only what changed its place or its state: a new description must not touch the hot rows.
    PERFORM numbers_count(array_agg(ROW(x.network, x.campaign, x.total, x.dynamic)::numbers_change))
    FROM (
        SELECT n.network_id AS network, n.campaign_id AS campaign, 1 AS total,
               CASE WHEN n.ring_pool_id IS NULL THEN 0 ELSE 1 END AS dynamic
        FROM fresh n WHERE n.state <> 'released'
        UNION ALL
        SELECT n.network_id, n.campaign_id, -1, CASE WHEN n.ring_pool_id IS NULL THEN 0 ELSE -1 END
        FROM gone n WHERE n.state <> 'released'
    ) x HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER numbers_updated AFTER UPDATE ON numbers_promonumber REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION numbers_updated();

-- Every number of a pool that visitors can get has its slot, free at first; a released one has none.
CREATE FUNCTION numbers_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ring_pool_id IS NOT NULL AND NEW.state = 'active' AND NOT NEW.is_overflow THEN
        INSERT INTO numbers_poolslot (promo_number_id, pool_id, until) VALUES (NEW.id, NEW.ring_pool_id, now())
        ON CONFLICT (promo_number_id) DO NOTHING;
    ELSIF TG_OP = 'UPDATE' AND OLD.ring_pool_id IS NOT NULL THEN
        DELETE FROM numbers_poolslot WHERE promo_number_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER numbers_slot AFTER INSERT OR UPDATE OF state, ring_pool_id, is_overflow ON numbers_promonumber
FOR EACH ROW EXECUTE FUNCTION numbers_slot();

-- Take free numbers from the stock: those of the network itself first, then anybody's; of the given kind, and of the given
-- area codes, place and region where there are any. Returns at most p_count; never one that somebody else is taking.
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

-- Count again; what differs is what the triggers or somebody's hand got wrong. Nothing should ever come back.
CREATE FUNCTION numbers_reconcile(repair boolean)
RETURNS TABLE (what text, id bigint, was integer, is_now integer) LANGUAGE plpgsql AS $$
BEGIN
    -- The networks' rows hold everybody who counts; nothing is in between.
    PERFORM 1 FROM numbers_networknumbers n ORDER BY n.network_id FOR NO KEY UPDATE;
    RETURN QUERY
    SELECT 'network_total', n.network_id, n.total_used, c.total::integer
    FROM numbers_networknumbers n
    CROSS JOIN LATERAL (SELECT count(*) AS total FROM numbers_promonumber p
                        WHERE p.network_id = n.network_id AND p.state <> 'released') c
    WHERE n.total_used <> c.total
    UNION ALL
    SELECT 'network_dynamic', n.network_id, n.dynamic_used, c.dynamic::integer
    FROM numbers_networknumbers n
    CROSS JOIN LATERAL (SELECT count(*) AS dynamic FROM numbers_promonumber p
                        WHERE p.network_id = n.network_id AND p.state <> 'released' AND p.ring_pool_id IS NOT NULL) c
    WHERE n.dynamic_used <> c.dynamic
    UNION ALL
    SELECT 'campaign', n.campaign_id, n.used, coalesce(c.used, 0)::integer
    FROM numbers_campaignnumbers n
    LEFT JOIN (SELECT p.campaign_id, count(*) AS used FROM numbers_promonumber p
               WHERE p.state <> 'released' AND p.ring_pool_id IS NULL GROUP BY p.campaign_id) c
        ON c.campaign_id = n.campaign_id
    WHERE n.used <> coalesce(c.used, 0);
    IF repair THEN
        UPDATE numbers_networknumbers n SET total_used = c.total, dynamic_used = c.dynamic
        FROM (SELECT k.network_id, count(p.id) AS total, count(p.ring_pool_id) AS dynamic
              FROM numbers_networknumbers k
              LEFT JOIN numbers_promonumber p ON p.network_id = k.network_id AND p.state <> 'released'
              GROUP BY k.network_id) c
        WHERE c.network_id = n.network_id AND (n.total_used, n.dynamic_used) <> (c.total, c.dynamic);
        UPDATE numbers_campaignnumbers n SET used = c.used
        FROM (SELECT k.campaign_id, count(p.id) AS used
              FROM numbers_campaignnumbers k
              LEFT JOIN numbers_promonumber p
                  ON p.campaign_id = k.campaign_id AND p.state <> 'released' AND p.ring_pool_id IS NULL
              GROUP BY k.campaign_id) c
        WHERE c.campaign_id = n.campaign_id AND n.used <> c.used;
    END IF;
END $$;

-- What was there before the counters.
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT n.campaign_id AS id, count(*) AS used FROM numbers_promonumber n GROUP BY n.campaign_id LOOP
        UPDATE numbers_campaignnumbers n SET used = c.used, allowed = greatest(n.allowed, c.used) WHERE n.campaign_id = c.id;
    END LOOP;
    FOR c IN SELECT n.network_id AS id, count(*) AS used FROM numbers_promonumber n GROUP BY n.network_id LOOP
        UPDATE numbers_networknumbers n SET total_used = c.used WHERE n.network_id = c.id;
    END LOOP;
END $$;

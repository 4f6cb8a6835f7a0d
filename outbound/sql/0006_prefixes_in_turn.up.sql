-- The lengths of a do-not-call list's prefixes, exact also when several people add to it at once.
CREATE OR REPLACE FUNCTION outbound_prefix_lengths() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Who adds to the same list at once takes turns: counted before the other has committed, his lengths would be lost, and
    -- with them every prefix of such a length.
    PERFORM 1 FROM outbound_donotcalllist l
    WHERE l.id IN (SELECT c.list_id FROM changed c WHERE c.pattern LIKE '%*') ORDER BY l.id FOR NO KEY UPDATE;
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

-- What may have been lost before.
UPDATE outbound_donotcalllist l
SET prefix_lengths = coalesce((SELECT array_agg(DISTINCT (length(e.pattern) - 1)::smallint)
                               FROM outbound_donotcallentry e WHERE e.list_id = l.id AND e.pattern LIKE '%*'), '{}'::smallint[]);

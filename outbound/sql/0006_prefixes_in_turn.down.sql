CREATE OR REPLACE FUNCTION outbound_prefix_lengths() RETURNS trigger LANGUAGE plpgsql AS $$
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

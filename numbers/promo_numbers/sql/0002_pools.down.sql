DROP FUNCTION numbers_pools_sum_up();
DROP FUNCTION numbers_allocate(bigint, text, text, jsonb);
ALTER TABLE numbers_poolslot RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE numbers_poolslot SET (autovacuum_vacuum_scale_factor = 0.05);

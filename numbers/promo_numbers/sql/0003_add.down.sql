DROP FUNCTION numbers_add(bigint, bigint, text, text[], text, text, jsonb, jsonb, boolean);

DROP FUNCTION outbound_carrier_health(bigint, integer, integer, text, integer, timestamptz);
DROP FUNCTION outbound_recipients_follow(outbound_news[], timestamptz);
DROP FUNCTION outbound_apply(bigint, jsonb, integer, integer, integer, integer, timestamptz);
DROP TYPE outbound_news;

"""SQL functions and triggers: frozen files, each run by the migration of the same meaning."""

from portal.sql import sql_of

run_sql = sql_of(__file__)

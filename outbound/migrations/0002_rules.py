from django.db import migrations

from outbound.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("outbound", "0001_initial")]

    operations = [run_sql("0001_rules"), run_sql("0002_claim"), run_sql("0003_events"), run_sql("0004_care")]

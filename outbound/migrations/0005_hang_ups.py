from django.db import migrations

from outbound.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("outbound", "0004_row_too_long")]

    operations = [run_sql("0005_hang_ups")]

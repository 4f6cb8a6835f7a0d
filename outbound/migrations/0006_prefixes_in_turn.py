from django.db import migrations

from outbound.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("outbound", "0005_hang_ups")]

    operations = [run_sql("0006_prefixes_in_turn")]

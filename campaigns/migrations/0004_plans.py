"""What every call runs uses its indexes, whatever the tables' size was when it was planned."""

from django.db import migrations

from campaigns.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_area_prefixes")]

    operations = [run_sql("0004_plans")]

"""The counters behind the three limits, kept and held by the database."""

from django.db import migrations

from promo_numbers.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("numbers", "0002_limits_pools_supply"), ("campaigns", "0002_rules"), ("accounts", "0001_initial")]

    operations = [run_sql("0001_limits")]

"""Adding a number of the stock in one statement, so that a network's counters are held as briefly as can be."""

from django.db import migrations

from promo_numbers.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("numbers", "0007_foreign_keys_once"),
    ]

    operations = [
        run_sql("0003_add"),
    ]

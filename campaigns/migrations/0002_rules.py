from django.db import migrations

from campaigns.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial"), ("accounts", "0001_initial")]

    operations = [run_sql("0001_rules"), run_sql("0002_routing"), run_sql("0003_legs")]

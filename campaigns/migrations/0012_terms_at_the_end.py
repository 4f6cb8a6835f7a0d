from django.db import migrations

from campaigns.sql import run_sql


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0011_keys_kept'),
    ]

    operations = [run_sql("0008_terms_at_the_end")]

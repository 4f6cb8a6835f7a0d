from django.db import migrations, models

from campaigns.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0013_newest_first"),
    ]

    operations = [
        migrations.AddField(
            model_name="callleg",
            name="left_trace",
            field=models.JSONField(
                help_text="The decision, where the call was to move on from here and nobody was left; else NULL.", null=True
            ),
        ),
        run_sql("0009_moves_told"),
    ]

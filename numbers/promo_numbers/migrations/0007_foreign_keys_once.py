"""Indexes of foreign keys that other indexes begin with go: every number added paid for each."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("campaigns", "0010_advertiser_users"),
        ("numbers", "0006_supply"),
    ]

    operations = [
        migrations.AlterField(
            model_name="promonumber",
            name="campaign",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="promo_numbers",
                to="campaigns.campaign",
            ),
        ),
        migrations.AlterField(
            model_name="promonumber",
            name="network",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="promo_numbers",
                to="accounts.network",
            ),
        ),
        migrations.AlterField(
            model_name="promonumber",
            name="ring_pool",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Of a dynamic number only.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="numbers",
                to="numbers.ringpool",
            ),
        ),
        migrations.AlterField(
            model_name="stocknumber",
            name="network",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.network",
            ),
        ),
    ]

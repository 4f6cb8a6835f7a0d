"""RingPools: visitors' numbers, what is summed up of them, and how they grow and shrink."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from promo_numbers.sql import run_sql


class Migration(migrations.Migration):
    dependencies = [
        ("numbers", "0004_number_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="PoolMiss",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name_plural": "pool misses",
            },
        ),
        migrations.AddField(
            model_name="ringpool",
            name="cleaned_for",
            field=models.DateField(
                blank=True,
                editable=False,
                help_text="First day of the last month whose unused numbers were dropped.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="ringpool",
            name="customer_phone_numbers",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="The customer's own numbers, taken into the pool before any of the stock.",
            ),
        ),
        migrations.AddField(
            model_name="ringpool",
            name="scale_refusal",
            field=models.TextField(blank=True, editable=False, help_text="Why it could not grow by itself."),
        ),
        migrations.AddField(
            model_name="ringpool",
            name="scale_refused_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="ringpool",
            name="scaled_at",
            field=models.DateTimeField(blank=True, editable=False, help_text="Last time it grew by itself.", null=True),
        ),
        migrations.AddField(
            model_name="ringpool",
            name="shrink_to",
            field=models.PositiveIntegerField(
                blank=True,
                editable=False,
                help_text="Numbers go back down to this size as visitors leave them.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="allocation",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["started_at"], name="allocation_by_time", pages_per_range=16
            ),
        ),
        migrations.AddField(
            model_name="poolmiss",
            name="pool",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="numbers.ringpool",
            ),
        ),
        migrations.RemoveIndex(model_name="stocknumber", name="stock_free"),
        migrations.AddIndex(
            model_name="stocknumber",
            index=models.Index(
                fields=["kind", "area_code", "id"], condition=models.Q(("state", "free")), name="stock_free_kind"
            ),
        ),
        run_sql("0002_pools"),
    ]

"""Orders know who asked; the stock knows what its supplier misses; how far a roll-up has come."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("numbers", "0005_ring_pools"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RollUpMark",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("until", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="numberorder",
            name="asked_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Told when its answer comes late.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="stocknumber",
            name="missing_since",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="Since when its supplier says that it is not ours any more.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="stocknumber",
            index=models.Index(fields=["area_code", "state"], name="stock_by_area"),
        ),
        migrations.AddIndex(
            model_name="stocknumber",
            index=models.Index(
                condition=models.Q(("missing_since__isnull", False)), fields=["id"], name="stock_missing"
            ),
        ),
    ]

"""Seal what was stored readable: the secrets that results are signed with, and carriers' keys of before they were sealed."""

from typing import Any

from django.db import migrations, models

import outbound.models.batch
from portal.sealing import seal, unseal

# How everything that is sealed begins (a Fernet token: its version, then a time before the year 2106).
SEALED = "gAAAAA"


def seal_existing(apps: Any, schema_editor: Any) -> None:
    """Safe to run again: what is sealed already stays."""
    batches = apps.get_model("outbound", "Batch").objects
    for pk, secret in batches.exclude(result_secret__startswith=SEALED).values_list("pk", "result_secret").iterator():
        batches.filter(pk=pk).update(result_secret=seal(secret))
    carriers = apps.get_model("outbound", "Carrier").objects
    for pk, keys in carriers.exclude(secrets={}).values_list("pk", "secrets"):
        sealed = {name: key if str(key).startswith(SEALED) else seal(str(key)) for name, key in keys.items()}
        carriers.filter(pk=pk).update(secrets=sealed)


def unseal_secrets(apps: Any, schema_editor: Any) -> None:
    """Back to what the version before reads: it knows carriers' keys sealed, and batches' secrets readable."""
    batches = apps.get_model("outbound", "Batch").objects
    for pk, secret in batches.filter(result_secret__startswith=SEALED).values_list("pk", "result_secret").iterator():
        batches.filter(pk=pk).update(result_secret=unseal(secret))


class Migration(migrations.Migration):
    dependencies = [("outbound", "0002_rules")]

    operations = [
        migrations.AlterField(
            model_name="batch",
            name="result_secret",
            field=models.CharField(
                default=outbound.models.batch.new_sealed_secret, editable=False,
                help_text="Sealed; see `signing_secret`.", max_length=250,
            ),
        ),
        migrations.RunPython(seal_existing, unseal_secrets),
    ]  # fmt: skip

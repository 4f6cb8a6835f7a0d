from django.db import migrations

from campaigns.area_data import refresh


def fill(apps, schema_editor):
    refresh(apps.get_model("campaigns", "AreaPrefix"))


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_rules")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=False)]

"""An index of the words by which a number is found."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0003_limits")]

    operations = [
        migrations.AddIndex(
            model_name="promonumber",
            index=GinIndex(
                SearchVector(
                    models.Func(
                        models.F("description"),
                        models.Value(" "),
                        models.F("id_from_network"),
                        arg_joiner=" || ",
                        output_field=models.TextField(),
                        template="regexp_replace(%(expressions)s, '[!-/:-@[-`{-~]+', ' ', 'g')",
                    ),
                    config="simple",
                ),
                name="number_words",
            ),
        )
    ]

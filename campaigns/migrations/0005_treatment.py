import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from campaigns.sql import run_sql


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('campaigns', '0004_plans'),
    ]

    operations = [
        migrations.AddField(
            model_name='callleg',
            name='trace',
            field=models.JSONField(help_text="The decision, where the call's slot moved here from another destination; else NULL.", null=True),
        ),
        migrations.AddField(
            model_name='campaign',
            name='ivr_tree',
            field=models.JSONField(blank=True, editable=False, help_text='The call treatment as stored (campaigns.treatment.bundles); NULL = the implied one.', null=True),
        ),
        migrations.AlterField(
            model_name='call',
            name='outcome',
            field=models.CharField(choices=[('destination', 'Sent to a destination'), ('overflow', 'Sent to overflow'), ('direct', 'Direct'), ('refused', 'Refused'), ('treatment', 'Ended in the call treatment')], max_length=12),
        ),
        migrations.CreateModel(
            name='VoiceAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('twilio', 'Twilio')], default='twilio', max_length=10)),
                ('account_sid', models.CharField(help_text="The carrier's own id of the account.", max_length=64)),
                ('secret', models.TextField(editable=False, help_text='Encrypted with a key that SECRET_KEY gives.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('network', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='voice_accounts', to='accounts.network')),
            ],
            options={
                'ordering': ['network_id', 'kind', 'id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='CallFlow',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('external_id', models.CharField(help_text="The switch's own id for the call.", max_length=100)),
                ('call_id', models.BigIntegerField(help_text='The `Call`, once one is written.', null=True, unique=True)),
                ('promo_number', models.CharField(blank=True, max_length=16)),
                ('caller', models.CharField(help_text='As the switch sent it.', max_length=64, null=True)),
                ('tree', models.JSONField(help_text='The treatment as it was when the call came.')),
                ('facts', models.JSONField(default=dict, help_text='What conditions may ask, as far as it does not change in a call.')),
                ('state', models.JSONField(default=dict)),
                ('actions', models.JSONField(default=list, help_text='What was answered last; a repeated webhook is answered the same.')),
                ('history', models.JSONField(default=list, help_text='What came in and what was done, one short entry each.')),
                ('version', models.IntegerField(default=0)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answered_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.campaign')),
                ('network', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.network')),
                ('account', models.ForeignKey(db_index=False, help_text="The carrier's account that brought the call; NULL for the generic webhook.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='campaigns.voiceaccount')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddConstraint(
            model_name='voiceaccount',
            constraint=models.UniqueConstraint(fields=('network', 'kind', 'account_sid'), name='voice_account_once_per_network'),
        ),
        migrations.AddIndex(
            model_name='callflow',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['account', 'started_at'], name='call_flow_open'),
        ),
        migrations.AddConstraint(
            model_name='callflow',
            constraint=models.UniqueConstraint(fields=('network', 'external_id'), name='call_flow_once_per_call'),
        ),
        run_sql("0005_moves"),
    ]

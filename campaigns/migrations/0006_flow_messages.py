import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('campaigns', '0005_treatment'),
    ]

    operations = [
        migrations.CreateModel(
            name='FlowMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sender', models.CharField(help_text='The promo number called.', max_length=16)),
                ('to', models.CharField(max_length=16)),
                ('text', models.TextField()),
                ('due_at', models.DateTimeField()),
                ('claimed_at', models.DateTimeField(help_text='When sending began: a message is sent once or not at all.', null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('problem', models.CharField(blank=True, max_length=250)),
                ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='campaigns.voiceaccount')),
                ('flow', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='message', to='campaigns.callflow')),
                ('network', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.network')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('claimed_at', None)), fields=['due_at'], name='flow_message_due')],
            },
        ),
    ]

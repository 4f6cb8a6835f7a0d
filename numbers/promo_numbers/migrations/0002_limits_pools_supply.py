import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import promo_numbers.models.pools
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('campaigns', '0004_plans'),
        ('numbers', '0001_initial'),
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
        migrations.CreateModel(
            name='Contract',
            fields=[
                ('network', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='numbers_contract', serialize=False, to='accounts.network')),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(help_text='The last day.')),
                ('numbers', models.PositiveIntegerField(help_text='Numbers included.')),
                ('period', models.CharField(choices=[('Month', 'a month'), ('Year', 'a year')], default='Year', max_length=5)),
                ('overage_price', models.DecimalField(decimal_places=4, default=0, help_text='Of one number above them, for a month.', max_digits=10)),
                ('currency', models.CharField(default='USD', max_length=3)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('csm', models.ForeignKey(blank=True, help_text='The customer success manager: told of every raise and request.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='contract_ends_after_start'), models.CheckConstraint(condition=models.Q(('overage_price__gte', 0)), name='contract_price_not_negative'), models.CheckConstraint(condition=models.Q(('period__in', ['Month', 'Year'])), name='contract_known_period')],
            },
        ),
        migrations.CreateModel(
            name='ContractEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(help_text='The last day.')),
                ('numbers', models.PositiveIntegerField(help_text='Numbers included.')),
                ('period', models.CharField(choices=[('Month', 'a month'), ('Year', 'a year')], default='Year', max_length=5)),
                ('overage_price', models.DecimalField(decimal_places=4, default=0, help_text='Of one number above them, for a month.', max_digits=10)),
                ('currency', models.CharField(default='USD', max_length=3)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('csm', models.ForeignKey(blank=True, db_constraint=False, help_text='The customer success manager: told of every raise and request.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('network', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', serialize=False, to='accounts.network')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='numbers.contract')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='LimitRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ceiling', models.CharField(choices=[('campaign', 'Promo Numbers Allowed on the campaign'), ('network_total', 'All numbers of the network'), ('network_dynamic', 'Dynamic numbers of the network')], max_length=20)),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('more', models.PositiveIntegerField(help_text='How many more numbers.')),
                ('reason', models.TextField()),
                ('visitors_per_hour', models.PositiveIntegerField(blank=True, help_text='Expected at the busiest time.', null=True)),
                ('lifetime_seconds', models.PositiveIntegerField(blank=True, help_text='How long each keeps his number.', null=True)),
                ('limit_then', models.PositiveIntegerField(blank=True, help_text='The limit when it was asked.', null=True)),
                ('used_then', models.PositiveIntegerField(default=0)),
                ('state', models.CharField(choices=[('open', 'Waiting for a decision'), ('approved', 'Approved'), ('changed', 'Approved with another figure'), ('declined', 'Declined'), ('withdrawn', 'Withdrawn')], default='open', max_length=10)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('granted', models.PositiveIntegerField(blank=True, help_text='How many more were granted.', null=True)),
                ('note', models.TextField(blank=True)),
                ('working', models.JSONField(blank=True, default=dict, help_text='The figures that the decision was made on.')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('campaign', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.campaign')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('network', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='limit_requests', to='accounts.network')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['network', '-id'], name='request_of_network'), models.Index(condition=models.Q(('state', 'open')), fields=['id'], name='request_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ceiling__in', ['campaign', 'network_total', 'network_dynamic'])), name='request_known_ceiling'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'approved', 'changed', 'declined', 'withdrawn'])), name='request_known_state'), models.CheckConstraint(condition=models.Q(models.Q(('campaign__isnull', False), ('ceiling', 'campaign')), models.Q(models.Q(('ceiling', 'campaign'), _negated=True), ('campaign', None)), _connector='OR'), name='request_campaign_of_ceiling'), models.CheckConstraint(condition=models.Q(('more__gte', 1)), name='request_asks_for_some'), models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('network', 'ceiling', 'campaign', 'asked_by'), name='request_open_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='NetworkNumbers',
            fields=[
                ('network', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='numbers_limits', serialize=False, to='accounts.network')),
                ('total_limit', models.PositiveIntegerField(blank=True, help_text='Static and dynamic numbers.', null=True)),
                ('dynamic_limit', models.PositiveIntegerField(blank=True, help_text='Numbers in RingPools.', null=True)),
                ('campaign_default', models.PositiveIntegerField(default=10, help_text='Promo Numbers Allowed on a new campaign.')),
                ('total_used', models.PositiveIntegerField(default=0, editable=False)),
                ('dynamic_used', models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                'verbose_name': 'network number limits',
                'verbose_name_plural': 'network number limits',
                'constraints': [models.CheckConstraint(condition=models.Q(('total_limit', None), ('total_used__lte', models.F('total_limit')), _connector='OR'), name='numbers_network_total'), models.CheckConstraint(condition=models.Q(('dynamic_limit', None), ('dynamic_used__lte', models.F('dynamic_limit')), _connector='OR'), name='numbers_network_dynamic'), models.CheckConstraint(condition=models.Q(('total_used__gte', models.F('dynamic_used'))), name='numbers_network_dynamic_within_total')],
            },
        ),
        migrations.CreateModel(
            name='NetworkNumbersEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('total_limit', models.PositiveIntegerField(blank=True, help_text='Static and dynamic numbers.', null=True)),
                ('dynamic_limit', models.PositiveIntegerField(blank=True, help_text='Numbers in RingPools.', null=True)),
                ('campaign_default', models.PositiveIntegerField(default=10, help_text='Promo Numbers Allowed on a new campaign.')),
                ('network', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', serialize=False, to='accounts.network')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='numbers.networknumbers')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='NumberDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('static_used', models.PositiveIntegerField(default=0)),
                ('dynamic_used', models.PositiveIntegerField(default=0)),
                ('added', models.PositiveIntegerField(default=0)),
                ('released', models.PositiveIntegerField(default=0)),
                ('network', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='number_days', to='accounts.network')),
            ],
            options={
                'ordering': ['network_id', 'day'],
                'constraints': [models.UniqueConstraint(fields=('network', 'day'), name='number_day_once')],
            },
        ),
        migrations.CreateModel(
            name='NumberImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('into_stock', models.BooleanField(default=False)),
                ('file_name', models.CharField(max_length=200)),
                ('content', models.BinaryField(help_text='The file; dropped when the job ends.')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('canceled', 'Canceled'), ('failed', 'Failed')], default='waiting', max_length=10)),
                ('rows', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0, help_text='Rows dealt with; a worker goes on from here.')),
                ('added', models.PositiveIntegerField(default=0)),
                ('refused', models.PositiveIntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=250)),
                ('cancel_asked_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now, help_text='Last sign of life of the worker.')),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('campaign', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                ('network', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='number_imports', to='accounts.network')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['seen_at'], name='number_import_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running', 'done', 'canceled', 'failed'])), name='number_import_known_state')],
            },
        ),
        migrations.CreateModel(
            name='NumberImportRefusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField()),
                ('row', models.TextField()),
                ('code', models.CharField(max_length=60)),
                ('reason', models.TextField()),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refusals', to='numbers.numberimport')),
            ],
            options={
                'ordering': ['job_id', 'line'],
                'constraints': [models.UniqueConstraint(fields=('job', 'line'), name='number_refusal_once_per_line')],
            },
        ),
        migrations.CreateModel(
            name='NumberOrder',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('supplier', models.CharField(max_length=20)),
                ('wanted', models.JSONField(default=dict, help_text='What was asked for: area code, locality, kind, ...')),
                ('state', models.CharField(choices=[('placing', 'Being placed'), ('unknown', 'Being looked up'), ('done', 'Bought'), ('failed', 'Failed')], default='placing', max_length=10)),
                ('number', models.CharField(blank=True, max_length=16)),
                ('supplier_reference', models.CharField(blank=True, max_length=64)),
                ('error', models.CharField(blank=True, max_length=250)),
                ('looked_up', models.PositiveSmallIntegerField(default=0, help_text='How often it was looked up.')),
                ('look_up_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('promo_number', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='order', to='numbers.promonumber')),
            ],
            options={
                'ordering': ['-created_at'],
                'indexes': [models.Index(condition=models.Q(('state__in', ['placing', 'unknown'])), fields=['look_up_at'], name='order_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['placing', 'unknown', 'done', 'failed'])), name='order_known_state')],
            },
        ),
        migrations.CreateModel(
            name='ReclaimProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('proposed_on', models.DateField()),
                ('reclaim_on', models.DateField()),
                ('reminded_at', models.DateTimeField(blank=True, null=True)),
                ('state', models.CharField(choices=[('proposed', 'Will be reclaimed'), ('kept', 'Kept'), ('called', 'Called again'), ('reclaimed', 'Reclaimed')], default='proposed', max_length=10)),
                ('note', models.CharField(blank=True, max_length=250)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('promo_number', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reclaims', to='numbers.promonumber')),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['proposed', 'kept', 'called', 'reclaimed'])), name='reclaim_known_state'), models.UniqueConstraint(condition=models.Q(('state', 'proposed')), fields=('promo_number',), name='reclaim_open_once')],
            },
        ),
        migrations.CreateModel(
            name='RingPool',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('id_from_network', models.CharField(help_text="The customer's own id, unique in the network.", max_length=100)),
                ('name', models.CharField(max_length=200)),
                ('lifetime_seconds', models.PositiveIntegerField(default=1800, help_text='How long a visitor keeps his number.')),
                ('max_pool_size', models.PositiveIntegerField(default=2, help_text='Numbers that visitors share.')),
                ('preferred', models.BooleanField(default=False, help_text="The campaign's pool where none is named.")),
                ('destination_phone_number', models.CharField(blank=True, help_text='Shown, untracked, when the pool is exhausted and has no overflow number.', max_length=16)),
                ('fill_immediately', models.BooleanField(default=True, help_text='Off: starts at 10 % of its size.')),
                ('allow_overflow', models.BooleanField(default=True, help_text='An overflow number, tracked but not attributed.')),
                ('api_key', models.CharField(default=promo_numbers.models.pools.new_key, editable=False, max_length=40, unique=True)),
                ('promo_type', models.CharField(default='Local', max_length=10)),
                ('local_center', models.JSONField(blank=True, default=dict)),
                ('local_number_preferences', models.JSONField(blank=True, default=dict)),
                ('tn_prefix_whitelist', models.JSONField(blank=True, default=list, help_text='Area codes or longer prefixes.')),
                ('auto_scale', models.BooleanField(default=False)),
                ('growth_percent', models.PositiveSmallIntegerField(default=10, help_text='How much it grows at a time.')),
                ('growth_ceiling', models.PositiveSmallIntegerField(default=10, help_text='At most so many numbers at a time.')),
                ('scale_max', models.PositiveIntegerField(blank=True, help_text='Never larger than this by itself.', null=True)),
                ('exhausted_at', models.DateTimeField(blank=True, editable=False, help_text='Last time it ran out.', null=True)),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('extra', models.JSONField(blank=True, default=dict, editable=False, help_text='API fields kept and given back unchanged.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ring_pools', to='campaigns.campaign')),
                ('network', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ring_pools', to='accounts.network')),
            ],
            options={
                'verbose_name': 'RingPool',
                'ordering': ['name', 'id'],
                'indexes': [models.Index(fields=['campaign', 'id'], name='pool_of_campaign')],
                'constraints': [models.UniqueConstraint(fields=('network', 'id_from_network'), name='pool_id_once_per_network'), models.UniqueConstraint(condition=models.Q(('archived_at', None), ('preferred', True)), fields=('campaign',), name='pool_one_preferred'), models.CheckConstraint(condition=models.Q(('lifetime_seconds__range', (60, 2592000))), name='pool_lifetime_in_range'), models.CheckConstraint(condition=models.Q(('max_pool_size__range', (1, 100000))), name='pool_size_in_range'), models.CheckConstraint(condition=models.Q(('growth_percent__range', (1, 100))), name='pool_growth_in_range'), models.CheckConstraint(condition=models.Q(('growth_ceiling__gte', 1)), name='pool_ceiling_in_range')],
            },
        ),
        migrations.CreateModel(
            name='PoolSlot',
            fields=[
                ('promo_number', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='slot', serialize=False, to='numbers.promonumber')),
                ('visitor', models.CharField(blank=True, help_text='Digest of who he is.', max_length=64, null=True)),
                ('until', models.DateTimeField(help_text='The number is his until then; the past = free.')),
                ('pool', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='slots', to='numbers.ringpool')),
            ],
            options={
                'indexes': [models.Index(fields=['pool', 'until'], name='slot_free_first')],
                'constraints': [models.UniqueConstraint(fields=('pool', 'visitor'), name='slot_one_number_per_visitor')],
            },
        ),
        migrations.CreateModel(
            name='PoolUsage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(help_text='Start of the five minutes.')),
                ('size', models.PositiveIntegerField(default=0)),
                ('peak', models.PositiveIntegerField(default=0)),
                ('allocations', models.PositiveIntegerField(default=0)),
                ('exhausted', models.PositiveIntegerField(default=0, help_text='Visitors who found no free number.')),
                ('pool', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='usage', to='numbers.ringpool')),
            ],
            options={
                'ordering': ['pool_id', 'at'],
                'constraints': [models.UniqueConstraint(fields=('pool', 'at'), name='pool_usage_once')],
            },
        ),
        migrations.CreateModel(
            name='StockNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(help_text='E.164.', max_length=16, unique=True)),
                ('kind', models.CharField(choices=[('Local', 'Local'), ('Mobile', 'Mobile'), ('TollFree', 'Toll-free')], default='Local', max_length=10)),
                ('country', models.CharField(default='US', max_length=2)),
                ('area_code', models.CharField(blank=True, max_length=6)),
                ('locality', models.CharField(blank=True, max_length=100)),
                ('region', models.CharField(blank=True, help_text='State or province, such as CA.', max_length=10)),
                ('supplier', models.CharField(default='stock', max_length=20)),
                ('supplier_reference', models.CharField(blank=True, help_text="The supplier's own id of it.", max_length=64)),
                ('state', models.CharField(choices=[('free', 'Free'), ('used', 'In use'), ('resting', 'Resting'), ('gone', 'Given back')], default='free', max_length=10)),
                ('rests_until', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('network', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.network')),
            ],
            options={
                'ordering': ['number'],
                'indexes': [models.Index(condition=models.Q(('state', 'free')), fields=['kind', 'id'], name='stock_free'), models.Index(condition=models.Q(('state', 'free')), fields=['area_code', 'id'], name='stock_free_by_area'), models.Index(condition=models.Q(('state', 'resting')), fields=['rests_until'], name='stock_resting')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['free', 'used', 'resting', 'gone'])), name='stock_known_state'), models.CheckConstraint(condition=models.Q(models.Q(('rests_until__isnull', False), ('state', 'resting')), models.Q(models.Q(('state', 'resting'), _negated=True), ('rests_until', None)), _connector='OR'), name='stock_rests_until')],
            },
        ),
        migrations.CreateModel(
            name='Allocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('visitor', models.CharField(max_length=64)),
                ('params', models.JSONField(default=dict, help_text='What the page said of the visit.')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('promo_number', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='numbers.promonumber')),
                ('pool', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='numbers.ringpool')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['promo_number', '-started_at'], name='allocation_of_number')],
            },
        ),
        migrations.CreateModel(
            name='CampaignNumbers',
            fields=[
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='numbers_limit', serialize=False, to='campaigns.campaign')),
                ('allowed', models.PositiveIntegerField(default=10)),
                ('used', models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                'verbose_name': 'campaign number limit',
                'constraints': [models.CheckConstraint(condition=models.Q(('used__lte', models.F('allowed'))), name='numbers_campaign_allowed')],
            },
        ),
        migrations.CreateModel(
            name='CampaignNumbersEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('allowed', models.PositiveIntegerField(default=10)),
                ('campaign', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', serialize=False, to='campaigns.campaign')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='numbers.campaignnumbers')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AlterModelOptions(
            name='promonumber',
            options={'ordering': ['id']},
        ),
        migrations.AddField(
            model_name='promonumber',
            name='custom_data',
            field=models.JSONField(blank=True, default=dict, help_text='{name: value}'),
        ),
        migrations.AddField(
            model_name='promonumber',
            name='extra',
            field=models.JSONField(blank=True, default=dict, editable=False, help_text='API fields kept and given back unchanged.'),
        ),
        migrations.AddField(
            model_name='promonumber',
            name='id_from_network',
            field=models.CharField(blank=True, help_text="The customer's own id.", max_length=100),
        ),
        migrations.AddField(
            model_name='promonumber',
            name='is_overflow',
            field=models.BooleanField(default=False, help_text='Shown when its RingPool is exhausted.'),
        ),
        migrations.AddField(
            model_name='promonumber',
            name='last_called_on',
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='promonumber',
            name='promo_type',
            field=models.CharField(choices=[('Local', 'Local'), ('Mobile', 'Mobile'), ('TollFree', 'Toll-free')], default='Local', max_length=10),
        ),
        migrations.AddField(
            model_name='promonumber',
            name='released_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='promonumber',
            name='state',
            field=models.CharField(choices=[('ordered', 'Being bought'), ('active', 'In use'), ('released', 'Released')], default='active', max_length=10),
        ),
        migrations.AddField(
            model_name='promonumber',
            name='supplier',
            field=models.CharField(default='stock', help_text="Where it came from; own = the customer's.", max_length=20),
        ),
        migrations.AlterField(
            model_name='promonumber',
            name='media_type',
            field=models.CharField(choices=[('Online: Display', 'Online: Display'), ('Online: Search', 'Online: Search'), ('Online: Email', 'Online: Email'), ('Online: Social', 'Online: Social'), ('Online: Video', 'Online: Video'), ('Online: Directory', 'Online: Directory'), ('Online: Website', 'Online: Website'), ('Online: Other', 'Online: Other'), ('Mobile: App', 'Mobile: App'), ('Mobile: Search', 'Mobile: Search'), ('Offline: TV', 'Offline: TV'), ('Offline: Radio', 'Offline: Radio'), ('Offline: Print', 'Offline: Print'), ('Offline: Direct Mail', 'Offline: Direct Mail'), ('Offline: Billboard', 'Offline: Billboard'), ('Offline: Event', 'Offline: Event'), ('Offline: Other', 'Offline: Other')], default='Online: Display', max_length=60),
        ),
        migrations.AlterField(
            model_name='promonumber',
            name='number',
            field=models.CharField(blank=True, help_text='E.164; empty while it is being bought.', max_length=16),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='campaignnumbers',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."allowed" IS DISTINCT FROM (NEW."allowed"))', func='INSERT INTO "numbers_campaignnumbersevent" ("allowed", "campaign_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."allowed", NEW."campaign_id", _pgh_attach_context(), NOW(), \'update\', NEW."campaign_id"); RETURN NULL;', hash='e1397d17bd151e4201b6f48182c7a9c60b4c017d', operation='UPDATE', pgid='pgtrigger_update_update_42719', table='numbers_campaignnumbers', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='networknumbers',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "numbers_networknumbersevent" ("campaign_default", "dynamic_limit", "network_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "total_limit") VALUES (NEW."campaign_default", NEW."dynamic_limit", NEW."network_id", _pgh_attach_context(), NOW(), \'insert\', NEW."network_id", NEW."total_limit"); RETURN NULL;', hash='76252b9c8e00a475cbf6f73de04c9802ecd378b1', operation='INSERT', pgid='pgtrigger_insert_insert_fa031', table='numbers_networknumbers', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='networknumbers',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."campaign_default" IS DISTINCT FROM (NEW."campaign_default") OR OLD."dynamic_limit" IS DISTINCT FROM (NEW."dynamic_limit") OR OLD."total_limit" IS DISTINCT FROM (NEW."total_limit"))', func='INSERT INTO "numbers_networknumbersevent" ("campaign_default", "dynamic_limit", "network_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "total_limit") VALUES (NEW."campaign_default", NEW."dynamic_limit", NEW."network_id", _pgh_attach_context(), NOW(), \'update\', NEW."network_id", NEW."total_limit"); RETURN NULL;', hash='9578ffbae83161baf9899f37acece43be7209002', operation='UPDATE', pgid='pgtrigger_update_update_c770c', table='numbers_networknumbers', when='AFTER')),
        ),
        migrations.AddField(
            model_name='promonumber',
            name='ring_pool',
            field=models.ForeignKey(blank=True, help_text='Of a dynamic number only.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='numbers', to='numbers.ringpool'),
        ),
        migrations.AddIndex(
            model_name='promonumber',
            index=models.Index(fields=['network', 'number'], name='number_of_network'),
        ),
        migrations.AddIndex(
            model_name='promonumber',
            index=models.Index(fields=['network', '-id'], name='number_newest'),
        ),
        migrations.AddIndex(
            model_name='promonumber',
            index=models.Index(fields=['campaign', 'id'], name='number_of_campaign'),
        ),
        migrations.AddIndex(
            model_name='promonumber',
            index=models.Index(condition=models.Q(('ring_pool__isnull', False)), fields=['ring_pool', 'id'], name='number_of_pool'),
        ),
        migrations.AddIndex(
            model_name='promonumber',
            index=models.Index(models.F('network'), django.db.models.functions.text.Reverse('number'), name='number_backwards'),
        ),
        migrations.AddConstraint(
            model_name='promonumber',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'active')), fields=('number',), name='number_active_once'),
        ),
        migrations.AddConstraint(
            model_name='promonumber',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('id_from_network', ''), _negated=True), models.Q(('state', 'released'), _negated=True)), fields=('network', 'id_from_network'), name='number_own_id_once_per_network'),
        ),
        migrations.AddConstraint(
            model_name='promonumber',
            constraint=models.UniqueConstraint(condition=models.Q(('is_overflow', True), ('state', 'active')), fields=('ring_pool',), name='number_one_overflow'),
        ),
        migrations.AddConstraint(
            model_name='promonumber',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['ordered', 'active', 'released'])), name='number_known_state'),
        ),
        migrations.AddConstraint(
            model_name='promonumber',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('number', ''), _negated=True), ('state__in', ['ordered', 'released']), _connector='OR'), name='number_in_use_has_digits'),
        ),
        migrations.AddConstraint(
            model_name='promonumber',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('released_at__isnull', False), ('state', 'released')), models.Q(models.Q(('state', 'released'), _negated=True), ('released_at', None)), _connector='OR'), name='number_released_when'),
        ),
        migrations.AddConstraint(
            model_name='promonumber',
            constraint=models.CheckConstraint(condition=models.Q(('is_overflow', False), ('ring_pool__isnull', False), _connector='OR'), name='number_overflow_in_pool'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contract',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "numbers_contractevent" ("csm_id", "currency", "ends_on", "network_id", "numbers", "overage_price", "period", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "updated_at") VALUES (NEW."csm_id", NEW."currency", NEW."ends_on", NEW."network_id", NEW."numbers", NEW."overage_price", NEW."period", _pgh_attach_context(), NOW(), \'insert\', NEW."network_id", NEW."starts_on", NEW."updated_at"); RETURN NULL;', hash='111cd6134eeab23369e0cc36e51aea15880fc4aa', operation='INSERT', pgid='pgtrigger_insert_insert_efdd0', table='numbers_contract', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contract',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "numbers_contractevent" ("csm_id", "currency", "ends_on", "network_id", "numbers", "overage_price", "period", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "updated_at") VALUES (NEW."csm_id", NEW."currency", NEW."ends_on", NEW."network_id", NEW."numbers", NEW."overage_price", NEW."period", _pgh_attach_context(), NOW(), \'update\', NEW."network_id", NEW."starts_on", NEW."updated_at"); RETURN NULL;', hash='a084edbd671fdf9abba5d39115963ee86e5e5ff6', operation='UPDATE', pgid='pgtrigger_update_update_a1798', table='numbers_contract', when='AFTER')),
        ),
    ]

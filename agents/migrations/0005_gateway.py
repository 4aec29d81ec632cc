
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0009_hostile'),
        ('portal', '0002_under_fire'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='asked_by',
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name='run',
            name='cost_micros',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='run',
            name='most_micros',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='run',
            name='model_version',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=120)),
                ('money', models.BigIntegerField(default=0)),
                ('tokens', models.BigIntegerField(default=0)),
                ('model_calls', models.BigIntegerField(default=0)),
                ('tool_calls', models.BigIntegerField(default=0)),
                ('wall_ms', models.BigIntegerField(default=0)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'key'), name='account_once'), models.CheckConstraint(condition=models.Q(('model_calls__gte', 0), ('money__gte', 0), ('tokens__gte', 0), ('tool_calls__gte', 0), ('wall_ms__gte', 0)), name='account_owes_nothing')],
            },
        ),
        migrations.CreateModel(
            name='BackendHealth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('backend', models.CharField(max_length=40)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('rest_until', models.DateTimeField(null=True)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace')),
            ],
            options={
                'verbose_name_plural': 'backend health',
                'constraints': [models.UniqueConstraint(fields=('workspace', 'backend'), name='health_once')],
            },
        ),
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('series', models.CharField(max_length=32)),
                ('version', models.PositiveIntegerField(default=1)),
                ('scope', models.CharField(choices=[('run', 'each run'), ('agent', 'an agent'), ('person', 'a person who asks'), ('workspace', 'the workspace'), ('tool', 'a tool')], max_length=10)),
                ('holder', models.CharField(blank=True, max_length=40)),
                ('kind', models.CharField(choices=[('money', 'money (micro-dollars)'), ('tokens', 'tokens'), ('model_calls', 'model calls'), ('tool_calls', 'tool calls'), ('wall_ms', 'time waited for models (ms)'), ('one_call', "money of one call without a person's word (micro-dollars)")], max_length=12)),
                ('per', models.CharField(choices=[('run', 'run'), ('day', 'day (UTC)')], max_length=3)),
                ('most', models.PositiveBigIntegerField()),
                ('retired', models.BooleanField(default=False)),
                ('made_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'series', 'version'), name='budget_version_once'), models.CheckConstraint(condition=models.Q(models.Q(('scope', 'run'), _negated=True), models.Q(('holder', ''), ('per', 'run')), _connector='OR'), name='budget_of_a_run'), models.CheckConstraint(condition=models.Q(models.Q(('scope', 'tool'), _negated=True), ('kind', 'tool_calls'), _connector='OR'), name='budget_of_a_tool'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'one_call'), _negated=True), ('per', 'run'), _connector='OR'), name='budget_of_one_call')],
            },
        ),
        migrations.CreateModel(
            name='ConfidenceBar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(max_length=20)),
                ('version', models.PositiveIntegerField(default=1)),
                ('percent', models.PositiveSmallIntegerField(default=80)),
                ('made_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'step', 'version'), name='bar_version_once'), models.CheckConstraint(condition=models.Q(('percent__lte', 100)), name='bar_is_a_share')],
            },
        ),
        migrations.CreateModel(
            name='ModelBackend',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(db_index=False, max_length=40)),
                ('version', models.PositiveIntegerField(default=1)),
                ('base_url', models.CharField(max_length=200)),
                ('allow_private', models.BooleanField(default=False)),
                ('small_model', models.CharField(blank=True, max_length=80)),
                ('large_model', models.CharField(blank=True, max_length=80)),
                ('verifier_model', models.CharField(blank=True, max_length=80)),
                ('rank', models.PositiveSmallIntegerField(default=10)),
                ('deadline_seconds', models.PositiveSmallIntegerField(default=25)),
                ('retired', models.BooleanField(default=False)),
                ('made_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name', 'version'), name='backend_version_once'), models.CheckConstraint(condition=models.Q(('deadline_seconds__gte', 1), ('deadline_seconds__lte', 30)), name='backend_ends')],
            },
        ),
        migrations.CreateModel(
            name='ModelCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(max_length=20)),
                ('request_digest', models.CharField(max_length=64)),
                ('tier', models.PositiveSmallIntegerField()),
                ('backend', models.CharField(max_length=40)),
                ('backend_version', models.PositiveIntegerField()),
                ('model', models.CharField(max_length=80)),
                ('input_price', models.PositiveBigIntegerField()),
                ('output_price', models.PositiveBigIntegerField()),
                ('fence', models.PositiveIntegerField()),
                ('accounts', models.JSONField(default=list)),
                ('most_money', models.PositiveBigIntegerField()),
                ('most_tokens', models.PositiveBigIntegerField()),
                ('most_wall_ms', models.PositiveBigIntegerField()),
                ('outcome', models.CharField(default='open', max_length=12)),
                ('cost_micros', models.PositiveBigIntegerField(default=0)),
                ('input_tokens', models.BigIntegerField(default=-1)),
                ('output_tokens', models.BigIntegerField(default=-1)),
                ('micros', models.PositiveBigIntegerField(default=0)),
                ('request_id', models.CharField(blank=True, max_length=120)),
                ('served_by', models.CharField(blank=True, max_length=80)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('value', models.JSONField(blank=True, null=True)),
                ('answer_digest', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('settled_at', models.DateTimeField(null=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='model_calls', to='agents.run')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['run', 'step', 'id'], name='model_call_of_run')],
            },
        ),
        migrations.CreateModel(
            name='ModelKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('backend', models.SlugField(db_index=False, max_length=40)),
                ('version', models.PositiveIntegerField(default=1)),
                ('sealed', models.BinaryField(max_length=4096)),
                ('key_id', models.CharField(max_length=16)),
                ('made_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'backend', 'version'), name='model_key_version_once')],
            },
        ),
        migrations.CreateModel(
            name='ModelPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=80)),
                ('since', models.DateField()),
                ('input_micros', models.PositiveBigIntegerField()),
                ('output_micros', models.PositiveBigIntegerField()),
                ('made_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', 'model', '-since', '-id'], name='model_price_newest')],
            },
        ),
    ]

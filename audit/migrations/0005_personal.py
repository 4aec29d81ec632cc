"""Keys of data subjects, and personal values sealed under them. What was kept before stays as it is, and readable."""

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """The columns of values in the open keep their place under other names and may be empty."""

    dependencies: ClassVar = [("audit", "0004_verification")]

    operations: ClassVar = [
        migrations.AlterField("payload", "salt", models.BinaryField(db_column="salt", max_length=32, null=True)),
        migrations.AlterField("payload", "value", models.JSONField(db_column="value", null=True)),
        migrations.RenameField("payload", "salt", "plain_salt"),
        migrations.RenameField("payload", "value", "plain_value"),
        migrations.AddField("payload", "sealed", models.BinaryField(null=True)),
        migrations.CreateModel(
            name="SubjectKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("workspace_id", models.BigIntegerField()),
                ("about", models.CharField(max_length=120)),
                ("public", models.BinaryField(max_length=32)),
                ("wrapped", models.BinaryField(max_length=200)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["workspace_id", "about"], name="subject_key_once")]
            },
        ),
        migrations.AddField(
            "payload",
            "key",
            models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="payloads",
                to="audit.subjectkey",
            ),
        ),
        migrations.AddIndex(
            "payload", models.Index(condition=Q(key__isnull=False), fields=["key"], name="payload_by_key")
        ),
        migrations.AddConstraint(
            "payload",
            models.CheckConstraint(
                condition=Q(sealed=None, key=None, plain_salt__isnull=False)
                | Q(sealed__isnull=False, key__isnull=False, plain_salt=None, plain_value=None),
                name="payload_sealed_or_old",
            ),
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('workspace_id', models.BigIntegerField()),
                ('about', models.CharField(blank=True, max_length=120)),
                ('placed', models.BooleanField()),
                ('reason', models.CharField(max_length=300)),
                ('made_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'indexes': [models.Index(fields=['workspace_id', 'about', '-id'], name='hold_newest')],
            },
        ),
        migrations.CreateModel(
            name='Retention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('workspace_id', models.BigIntegerField()),
                ('kind', models.CharField(choices=[('full_transcripts', 'full transcripts (the vault)'), ('transcripts', 'redacted transcripts'), ('traces', 'steps and tool calls')], max_length=20)),
                ('version', models.PositiveIntegerField(default=1)),
                ('days', models.PositiveIntegerField()),
                ('made_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': 'retention period',
                'constraints': [models.UniqueConstraint(fields=('workspace_id', 'kind', 'version'), name='retention_version_once'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'full_transcripts'), _negated=True), models.Q(('days__gte', 30), ('days__lte', 90)), _connector='OR'), name='retention_of_the_vault'), models.CheckConstraint(condition=models.Q(('days__gte', 1), ('days__lte', 3650)), name='retention_is_some_time')],
            },
        ),
    ]  # fmt: skip

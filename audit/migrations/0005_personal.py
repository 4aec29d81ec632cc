"""Keys of data subjects, and personal values sealed under them. What was kept before stays as it is, and readable."""

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """The columns of values in the open keep their place under other names and may be empty."""

    dependencies: ClassVar = [("audit", "0002_seal")]

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
    ]  # fmt: skip

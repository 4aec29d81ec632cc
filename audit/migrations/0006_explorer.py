"""What the explorer searches by: time, who, what happened. Each ends with (at, id), the order of its pages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_personal")]

    operations = [
        migrations.AddIndex("entry", models.Index(fields=["workspace_id", "at", "id"], name="entry_by_time")),
        migrations.AddIndex("entry", models.Index(fields=["workspace_id", "actor", "at", "id"], name="entry_by_actor")),
        migrations.AddIndex("entry", models.Index(fields=["workspace_id", "event", "at", "id"], name="entry_by_event")),
    ]

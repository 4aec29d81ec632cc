"""Names of the log and of what is kept, as the admin shows them."""

from django.db import migrations

from audit.naming import Named


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_explorer")]

    operations = [
        Named(
            entry=("entry", "entries"),
            hold=("hold", "holds"),
            retention=("retention period", "retention periods"),
        ),
    ]

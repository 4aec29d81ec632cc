"""Names of the door's tables, as the admin shows them."""

from django.db import migrations

from audit.naming import Named


class Migration(migrations.Migration):
    dependencies = [("approvals", "0012_second_look")]

    operations = [
        Named(
            threshold=("threshold", "thresholds"),
            dailycap=("daily cap", "daily caps"),
            loosening=("loosening", "loosenings"),
            submission=("submission", "submissions"),
            proposal=("proposal", "proposals"),
            handoff=("handoff", "handoffs"),
            decision=("decision", "decisions"),
        ),
    ]

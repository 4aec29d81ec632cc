"""Names of the books and of who works here, as the admin shows them."""

from django.db import migrations

from audit.naming import Named


class Migration(migrations.Migration):
    dependencies = [("portal", "0007_language")]

    operations = [
        Named(
            workspace=("workspace", "workspaces"),
            membership=("membership", "memberships"),
            queue=("queue", "queues"),
            page=("page", "pages"),
            connection=("connection", "connections"),
            credential=("credential", "credentials"),
            slackhook=("Slack channel", "Slack channels"),
        ),
    ]

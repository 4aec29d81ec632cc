"""Names of the runs and of the gateway, as the admin shows them."""

from django.db import migrations

from audit.naming import Named


class Migration(migrations.Migration):
    dependencies = [("agents", "0013_embedding")]

    operations = [
        Named(
            run=("run", "runs"),
            step=("step", "steps"),
            toolcall=("tool call", "tool calls"),
            transcript=("transcript", "transcripts"),
            sweep=("sweep", "sweeps"),
            sweepplan=("sweep plan", "sweep plans"),
            modelbackend=("model backend", "model backends"),
            modelkey=("model key", "model keys"),
            modelprice=("model price", "model prices"),
            budget=("budget", "budgets"),
            confidencebar=("confidence bar", "confidence bars"),
            account=("account", "accounts"),
            modelcall=("model call", "model calls"),
            backendhealth=("backend health", "backend health"),
        ),
    ]

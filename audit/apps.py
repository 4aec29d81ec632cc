"""App of the log."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """What happened: append-only entries."""

    name = "audit"

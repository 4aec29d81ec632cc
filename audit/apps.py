"""App of the log."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _lazy


class AuditConfig(AppConfig):
    """What happened: append-only entries."""

    name = "audit"
    verbose_name = _lazy("Audit")

"""App configuration of `portal`. Loads the Celery app, so that every message goes to our broker."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _lazy

from portal import checks
from portal.celery import app as celery_app

__all__ = ["PortalConfig", "celery_app"]


class PortalConfig(AppConfig):
    """See the package's modules; the arrows between apps are held by tests."""

    name = "portal"
    verbose_name = _lazy("Portal")

    def ready(self) -> None:
        """Register the checks of the installation; those that ask models can be imported only now."""
        from portal.systems import checks as system_checks

        for check, tag in (*checks.ALL, *system_checks.ALL):
            register(check, tag)

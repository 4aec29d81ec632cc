"""App configuration of `portal`. Loads the Celery app, so that whoever sends a message sends it to our broker."""

from django.apps import AppConfig

from portal.celery import app as celery_app

__all__ = ["PortalConfig", "celery_app"]


class PortalConfig(AppConfig):
    """See the package's modules; the arrows between apps are held by tests."""

    name = "portal"

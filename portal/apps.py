"""App configuration of `portal`."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """See the package's modules; the arrows between apps are held by tests."""

    name = "portal"

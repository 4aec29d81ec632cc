"""App configuration of `approvals`."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """See the package's modules; the arrows between apps are held by tests."""

    name = "approvals"

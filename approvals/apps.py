"""App configuration of `approvals`."""

from django.apps import AppConfig
from django.core.checks import Tags, register

from approvals import checks


class ApprovalsConfig(AppConfig):
    """See the package's modules; the arrows between apps are held by tests."""

    name = "approvals"

    def ready(self) -> None:
        """Register the check of the policy files."""
        register(checks.policies, Tags.security)

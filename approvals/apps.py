"""App configuration of `approvals`."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _lazy

from approvals import checks

# Who writes sentences that are kept, with all they rest on: whoever shows one must know it in other languages.
WRITERS = ("gate", "execution", "reconciliation", "following", "conversations", "waiting", "resolving", "manual")


class ApprovalsConfig(AppConfig):
    """See the package's modules; the arrows between apps are held by tests."""

    name = "approvals"
    verbose_name = _lazy("Approvals")

    def ready(self) -> None:
        """Register the check of the policy files, and the sentences that are kept; agents show nobody anything."""
        register(checks.policies, Tags.security)
        if settings.PROCESS_ROLE != "agents":
            for name in WRITERS:
                import_module(f"approvals.{name}")

"""App configuration of `agents`."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _lazy

# They register sentences that any process may have to tell again, and are else loaded by an agents process alone.
REGISTERING = ("agents.vault", "agents.workflow", "agents.sweeps.working")


class AgentsConfig(AppConfig):
    """See the package's modules; the arrows between apps are held by tests."""

    name = "agents"
    verbose_name = _lazy("Agents")

    def ready(self) -> None:
        """Know every sentence that agents hand in."""
        for module in REGISTERING:
            import_module(module)

"""App configuration of `agents`."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """See the package's modules; the arrows between apps are held by tests."""

    name = "agents"

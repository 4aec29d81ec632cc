"""Which agents there are. A new one is a module in `agents/steps/` and one line here."""

from agents.steps import contacts, refunds, triage
from agents.steps.base import Agent

AGENTS: tuple[Agent, ...] = (
    triage.AGENT,
    refunds.AGENT,
    contacts.AGENT,
)
NAMES: tuple[str, ...] = tuple(agent.name for agent in AGENTS)


class NoSuchAgent(LookupError):
    """Nobody of that name is on the roster; the message lists who is."""


def find(name: str) -> Agent:
    """The agent of a name.

    Raises:
        NoSuchAgent.
    """
    for agent in AGENTS:
        if agent.name == name:
            return agent
    raise NoSuchAgent(f"there is no agent {name!r}; there are {', '.join(NAMES)}")

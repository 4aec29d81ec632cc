"""The suites there are. A new one is a module here and one line in the list."""

from agents.evals.suites import contacts, counterfactuals, dedupe, injections, refunds, triage
from agents.evals.suites.base import Suite

SUITES: tuple[Suite, ...] = (
    triage.SUITE,
    refunds.SUITE,
    contacts.CONTACTS,
    contacts.PHONES,
    contacts.EMAILS,
    contacts.COUNTRIES,
    dedupe.SUITE,
    injections.SUITE,
    counterfactuals.SUITE,
)


def find(name: str) -> Suite:
    """The suite of a name, which must be one of the list."""
    return next(suite for suite in SUITES if suite.name == name)

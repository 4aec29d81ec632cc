"""The views beside the queue: what each is called, where it leads, and how many stand behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import counting, saving, wording
from approvals.searching import TIERS, VIEWS, Filters
from portal import figures

WORDS = {
    "pending": noop("Waiting"), "mine": noop("Mine"), "free": noop("Unclaimed"), "overdue": noop("Overdue"),
    "escalated": noop("Escalated"), "snoozed": noop("Snoozed"),
}  # fmt: skip
OPEN = ("approved", "applying", "stale", "unknown")
ENDED = ("applied", "rejected", "failed", "denied", "expired", "withdrawn")


@dataclass(frozen=True, slots=True)
class View:
    """One line: `query` is its address, `count` '12' or '1,000+' or "", `own` the number of a saved one of theirs."""

    label: str
    query: str
    count: str
    current: bool
    own: int | None = None
    whose: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Views under one heading, "" for the first ones."""

    title: str
    rows: tuple[View, ...]


def groups(
    *, workspace: int, person: int, filters: Filters, now: datetime, anew: bool = False
) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """All of them, and the names of the agents there are."""
    counted = counting.counters(workspace=workspace, now=now, anew=anew)
    saved = tuple(saving.known(workspace=workspace, person=person))
    mine = {"mine": Filters(mine=True), "handoffs:mine": Filters(state="handoffs", mine=True)}
    asked = {**mine, **{f"saved:{one.pk}": one.filters for one in saved}}
    own = counting.count(asked, workspace=workspace, person=person, now=now)
    agents = tuple(name.removeprefix("agent:") for name in counted if name.startswith("agent:"))
    return _groups(tuple({**counted, **own}.items()), saved, agents, filters, figures.manner()), agents


@lru_cache(maxsize=1_024)
def _groups(
    counted: tuple[tuple[str, str], ...],
    saved: tuple[saving.Saved, ...],
    agents: tuple[str, ...],
    filters: Filters,
    _manner: str,
) -> tuple[Group, ...]:
    """In the language and the numbers in force; kept, since counters change less often than pages are looked at."""
    known = dict(counted)
    return (
        Group("", _waiting("pending", "", known, filters)),
        Group(wording.state("handoffs"), (
            *_waiting("handoffs", "handoffs:", known, filters), *_states(("resolved",), known, filters)
        )),
        Group(_("Under way"), _states(OPEN, known, filters)),
        Group(_("By tier"), tuple(
            _view(wording.tier(tier).capitalize(), Filters(tier=tier), known[f"tier:{tier}"], filters)
            for tier in reversed(TIERS)
        )),
        Group(_("By agent"), tuple(
            _view(wording.actor(f"agent:{name}", {}), Filters(agent=name), known[f"agent:{name}"], filters)
            for name in agents
        )),
        Group(_("Saved"), tuple(
            replace(_view(one.name, one.filters, known[f"saved:{one.pk}"], filters), own=one.pk if one.own else None,
                    whose=one.whose)
            for one in saved
        )),
        Group(_("Ended"), _states(ENDED, known, filters)),
    )  # fmt: skip


def _waiting(state: str, prefix: str, known: Mapping[str, str], filters: Filters) -> tuple[View, ...]:
    """What waits, of proposals or of hand-offs: all of it, one's own, and each view of it."""
    asked = {
        "pending": (state, Filters(state=state)), "mine": (f"{prefix}mine", Filters(state=state, mine=True)),
        **{view: (f"{prefix}{view}", Filters(state=state, view=view)) for view in VIEWS},
    }  # fmt: skip
    return tuple(_view(_(WORDS[name]), one, known[key], filters) for name, (key, one) in asked.items())


def _states(names: tuple[str, ...], counted: Mapping[str, str], filters: Filters) -> tuple[View, ...]:
    return tuple(_view(wording.state(name), Filters(state=name), counted.get(name, ""), filters) for name in names)


def _view(label: str, leads: Filters, count: str, now: Filters) -> View:
    return View(label, leads.query, figures.counted(count), leads.query == now.lasting)

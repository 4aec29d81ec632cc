"""The views beside the queue: what each is called, where it leads, and how many stand behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from approvals import counting, saving, wording
from approvals.searching import TIERS, VIEWS, Filters

WORDS = {"free": "Unclaimed", "overdue": "Overdue", "escalated": "Escalated", "snoozed": "Snoozed"}
OPEN = ("approved", "stale", "unknown", "handoffs")
ENDED = ("applied", "rejected", "failed", "denied")


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
) -> tuple[tuple[Group, ...], list[str]]:
    """All of them, and the names of the agents there are."""
    counted = counting.counters(workspace=workspace, now=now, anew=anew)
    saved = {f"saved:{one.pk}": one for one in saving.known(workspace=workspace, person=person)}
    asked = {"mine": Filters(mine=True), **{name: saving.filters(one) for name, one in saved.items()}}
    own = counting.count(asked, workspace=workspace, person=person, now=now)
    agents = [name.removeprefix("agent:") for name in counted if name.startswith("agent:")]
    waiting: dict[str, Filters] = {
        "Waiting": Filters(), "Mine": Filters(mine=True), **{WORDS[view]: Filters(view=view) for view in VIEWS}
    }  # fmt: skip
    keys = dict(zip(waiting, ["pending", "mine", *VIEWS], strict=True))
    known = {**counted, **own}
    return (
        Group("", tuple(_view(label, one, known[keys[label]], filters) for label, one in waiting.items())),
        Group("Under way", _states(OPEN, known, filters)),
        Group("By tier", tuple(
            _view(tier.capitalize(), Filters(tier=tier), known[f"tier:{tier}"], filters) for tier in reversed(TIERS)
        )),
        Group("By agent", tuple(
            _view(wording.actor(f"agent:{name}", {}), Filters(agent=name), known[f"agent:{name}"], filters)
            for name in agents
        )),
        Group("Saved", tuple(
            replace(_view(one.name, asked[name], known[name], filters), own=one.pk if one.person_id == person else None,
                    whose="" if one.person_id == person else one.person.name)
            for name, one in saved.items()
        )),
        Group("Ended", _states(ENDED, known, filters)),
    ), agents  # fmt: skip


def _states(names: tuple[str, ...], counted: Mapping[str, str], filters: Filters) -> tuple[View, ...]:
    return tuple(_view(wording.state(name), Filters(state=name), counted.get(name, ""), filters) for name in names)


def _view(label: str, leads: Filters, count: str, now: Filters) -> View:
    return View(label, leads.query, count, leads.query == now.lasting)

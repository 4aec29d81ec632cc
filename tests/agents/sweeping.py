"""Short ways for tests of sweeps: people who are there twice, a sweep worked as the agents process, its proposals."""

import random
from datetime import datetime

from django.db.models.functions import Now

from agents import intake, workflow
from agents.models import Sweep
from agents.sweeps import planning, working
from approvals import gate
from approvals.models import Proposal
from portal import workspace
from tests.cast import Cast
from tests.conftest import signed_in


def person(number: int, **changed: str) -> dict[str, str]:
    """Somebody with values that nobody else has, clean as they are."""
    pick = random.Random(number)

    def word() -> str:
        return "".join(pick.choices("bdfgklmnprst", k=3) + pick.choices("aeiou", k=1) + pick.choices("lnrst", k=2))

    name = f"{word().capitalize()} {word().capitalize()}"
    own = {"full_name": name, "email": f"{word()}{pick.randrange(100)}@example.com", "city": word().capitalize()}
    return own | {"address": f"{pick.randrange(1, 99)} {word().capitalize()} Street"} | changed


def take_in(cast: Cast, records: dict[str, dict[str, str]], *, locked: tuple[str, ...] = (), work: bool = True) -> None:
    """As they come in, with the runs of their intake worked."""
    with workspace.within(cast.ws) as now:
        for key, record in records.items():
            line = {"id": key, "record": record, "locked_fields": list(locked)}
            intake.take_in(workspace=cast.ws, agent="contacts", line=line, actor="system:test", now=now)
    if work:
        work_runs(cast)


def twins(count: int, *, strangers: int = 30) -> dict[str, dict[str, str]]:
    """`count` people who are there twice, among strangers."""
    found = {f"s-{n:04}": person(n) for n in range(strangers)}
    for n in range(count):
        one = person(10_000 + n)
        found |= {f"t-{n:04}-a": one, f"t-{n:04}-b": {**one, "address": one["address"].replace(" Street", " Stret")}}
    return found


def begin(cast: Cast) -> Sweep:
    """As a manager does."""
    with workspace.within(cast.ws, cast.id("mara")) as now:
        return planning.begin(workspace=cast.ws, actor=f"person:{cast.id('mara')}", now=now)


def work(cast: Cast, sweep: Sweep) -> Sweep:
    """As a worker does with a message for it."""
    with signed_in("agents"):
        working.work(workspace=cast.ws, sweep=sweep.pk)
    return fresh(cast, sweep)


def work_runs(cast: Cast) -> list[Proposal]:
    """All runs that are due and all they hand in; the open merges that came of it."""
    with signed_in("agents"):
        while workflow.advance_due(workspace=cast.ws):
            pass
    with signed_in("apply"):
        while gate.pass_due(workspace=cast.ws):
            pass
    return merges(cast)


def merges(cast: Cast) -> list[Proposal]:
    with workspace.within(cast.ws):
        return list(Proposal.objects.filter(action="contact.merge", state="pending").order_by("pk"))


def fresh(cast: Cast, sweep: Sweep) -> Sweep:
    with workspace.within(cast.ws):
        return Sweep.objects.get(pk=sweep.pk)


def at(cast: Cast) -> datetime:
    with workspace.within(cast.ws) as now:
        return now


def models_now() -> Now:
    """The database's clock, in an update."""
    return Now()

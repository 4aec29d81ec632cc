"""Case 56: a sweep that finds a thousand at once puts no more before people than its caps, and others go on."""

import random

from agents.models import Finding, Run, Sweep
from agents.sweeps import planning
from approvals.models import Case, Handoff, Proposal
from audit import log
from portal import workspace
from portal.models import Contact
from tests.cast import Cast
from tests.faults import work
from tests.faults.conftest import Figures
from tests.faults.ground import WORKERS, Ground, until

PAIRS = 1_000
OTHERS = 20


def fill(cast: Cast) -> None:
    """People who are there twice, a letter apart."""
    pick = random.Random(56)

    def word() -> str:
        return "".join(pick.choices("bcdfghklmnprstvwz", k=5) + pick.choices("aeiou", k=2))

    rows = []
    for number in range(PAIRS):
        one = {"full_name": f"{word()} {word()}", "email": f"{word()}@example.com", "city": word(), "address": word()}
        for letter in "ab":
            rows.append((f"p-{number:04}-{letter}", {**one, "address": one["address"] + letter}))
    with workspace.within(cast.ws):
        log.attribute("test")
        Contact.objects.bulk_create(Contact(workspace_id=cast.ws, contact_id=k, fields=f) for k, f in rows)
        Case.objects.bulk_create(Case(workspace_id=cast.ws, subject=f"contact:{k}", title=k) for k, _ in rows)
        log.attribute("")


def ended(cast: Cast, sweep: int) -> bool:
    with workspace.within(cast.ws):
        open_runs = Run.objects.filter(sweep=sweep).exclude(state="done").exists()
        return Sweep.objects.get(pk=sweep).state == "done" and not open_runs


def test_56_a_thousand_findings_at_once_are_throttled_and_others_go_on(
    ground: Ground, cast: Cast, figures: Figures
) -> None:
    fill(cast)
    ground.up(*WORKERS, "worker-agents", "beat")
    with workspace.within(cast.ws, cast.id("mara")) as now:
        sweep = planning.begin(workspace=cast.ws, actor=f"person:{cast.id('mara')}", now=now)
    submissions = [work.submit_update(cast) for _ in range(OTHERS)]  # in the middle of it
    ids = work.gated(cast, submissions)
    work.in_threads(lambda one: work.approve(cast, one), ids)
    figures.took(work.applied(cast, ids, 60))
    until(lambda: ended(cast, sweep.pk), 120)
    with workspace.within(cast.ws):
        row = Sweep.objects.get(pk=sweep.pk)
        found = Finding.objects.filter(sweep=row).exclude(run=None).count()
        put = Proposal.objects.filter(proposer="agent:contacts").count() + Handoff.objects.count()
    until(lambda: not work.queued(), 30)
    assert row.found == PAIRS
    assert put <= row.per_sweep
    assert row.proposed + row.repairs == row.per_sweep
    assert found == row.proposed
    assert row.left >= PAIRS - row.per_sweep  # what is held back is told
    figures.tried += PAIRS

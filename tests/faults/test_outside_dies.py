"""Cases 1, 2, 13, 14, 16, 18 and 19 with an outside provider: its own ledger says how often a thing happened."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from approvals import sealed, switches
from approvals.models import Attempt, Outbox
from audit.events import Event
from audit.models import Checkpoint, Entry
from portal import workspace
from portal.systems import connections
from tests.approvals import outside, steps
from tests.approvals.desk import sit_down, text
from tests.audit.seals import seal
from tests.cast import Cast, gather
from tests.faults import work
from tests.faults.conftest import Figures
from tests.faults.ground import WORKERS, Ground, until
from tests.faults.test_sealer_dies import grows
from tests.provider.process import STRIPE_KEY, Provider

CALL = (
    "apply.before_write", "apply.before_commit", "apply.after_commit", "apply.after_sent", "apply.after_call",
    "apply.before_outcome", "apply.after_outcome",
)  # fmt: skip
LEASE_SECONDS, RECOVERED_SECONDS = 60, 90
APPROVED, IN_FLIGHT, SILENT_SECONDS = 200, 20, 5


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(Path(tmp_path_factory.mktemp("provider")) / "ledger.jsonl") as running:
        yield running


@pytest.fixture
def cast(figures: Figures, provider: Provider) -> Cast:
    """A fresh workspace on the ground whose payments the provider serves by signed HTTP."""
    return served(figures, provider)


def served(figures: Figures, provider: Provider, **config: Any) -> Cast:
    provider.clear()
    made = gather()
    outside.serve(made, provider, calls_per_second=200, **config)
    figures.casts.append((made, provider.effects))
    return made


def served_by_stripe(figures: Figures, provider: Provider) -> Cast:
    made = gather()
    with workspace.within(made.ws) as now:
        common = {"workspace": made.ws, "part": "payments", "actor": f"person:{made.id('ada')}", "now": now}
        connections.choose(**common, system="stripe", config={"api_base": provider.url, "allow_private": True})
        connections.set_credential(**common, secret=STRIPE_KEY)
    figures.casts.append((made, provider.effects))
    return made


def submit_refund(cast: Cast, provider: Provider, *, stripe: bool = False) -> int:
    """A refund of a payment that the provider knows."""
    payment = f"pi_{uuid4().hex}" if stripe else ""
    order = steps.order(cast, customer="cu-1", amount=work.AMOUNT, outside_id=payment)
    provider.pay(payment or order, 4 * work.AMOUNT)  # so that a second one would not be refused as too much
    return work.submit_refund(cast, order=order)


def at_the_desk(ground: Ground, submissions: list[tuple[Cast, int]]) -> list[int]:
    """Gated by real workers alone; nobody is at work any more."""
    ground.down()
    ground.start(*WORKERS)
    ids = [pk for cast, one in submissions for pk in work.gated(cast, [one], 120)]
    ground.down()
    return ids


@pytest.mark.timeout(600)
def test_01_a_worker_killed_at_each_point_of_a_call_to_each_kind_of_outside_system(
    ground: Ground, figures: Figures, provider: Provider
) -> None:
    for cast, stripe in ((served(figures, provider), False), (served_by_stripe(figures, provider), True)):
        ids = at_the_desk(ground, [(cast, submit_refund(cast, provider, stripe=stripe)) for _ in CALL])
        markers = {point: ground.marker() for point in CALL}
        dies = [f"{point}[{pk}]=kill@{markers[point]}" for point, pk in zip(CALL, ids, strict=True)]
        with ground.environment_of(FAILPOINTS=",".join(dies)):
            # One at a time each: what else a killed worker had in hand would have to wait for its lease as well.
            ground.up(*WORKERS, "worker-apply-c", "beat", "sealer", threads=1)
            work.in_threads(lambda one, cast=cast: work.approve(cast, one), ids)
            until(lambda: all(marker.exists() for marker in markers.values()), 150)  # noqa: B023
            figures.took(work.applied(cast, ids, RECOVERED_SECONDS))
        figures.tried += len(CALL)
        assert all(marker.exists() for marker in markers.values())


@pytest.mark.timeout(400)
def test_02_the_whole_group_of_workers_killed_in_the_middle_of_their_calls(
    ground: Ground, cast: Cast, figures: Figures, provider: Provider
) -> None:
    ids = at_the_desk(ground, [(cast, submit_refund(cast, provider)) for _ in range(12)])
    provider.fault("slow", times=4, seconds=3.0)
    ground.up(*WORKERS, "beat", "sealer")
    work.in_threads(lambda one: work.approve(cast, one), ids)
    until(lambda: calls(provider) >= 4, 60)
    ground.kill(*WORKERS, "beat")
    figures.took(work.applied(cast, ids, RECOVERED_SECONDS))
    figures.tried = 4


FAULTS: dict[str, dict[str, Any]] = {
    "timeout_after_effect": {"seconds": 30.0}, "error_after_effect": {}, "error_before_effect": {}, "unavailable": {},
    "drop_after_effect": {}, "drop_before_effect": {}, "conflict": {}, "busy": {"retry_after": "2"}, "malformed": {},
    "oversized": {}, "redirect": {}, "drip": {},
}  # fmt: skip


@pytest.mark.timeout(400)
def test_13_every_way_in_which_a_provider_can_fail(
    ground: Ground, cast: Cast, figures: Figures, provider: Provider
) -> None:
    ids = at_the_desk(ground, [(cast, submit_refund(cast, provider)) for _ in FAULTS])
    ground.start(*WORKERS)
    for (fault, options), pk in zip(FAULTS.items(), ids, strict=True):
        before = calls(provider)
        provider.fault(fault, **options)
        work.approve_and_seal(cast, pk)
        until(lambda before=before: calls(provider) > before, 60)
        figures.tried += 1
    ground.start("beat")
    # Without an effect, and the other side may say so again under the same key: a person tries again.
    failing = [pk for fault, pk in zip(FAULTS, ids, strict=True) if fault in ("error_before_effect", "unavailable")]
    figures.took(work.applied(cast, [pk for pk in ids if pk not in failing], 120))
    until(lambda: work.states(cast, failing) == {"failed": len(failing)}, 60)
    assert not [request for request in provider.seen() if "meta-data" in request["path"]]


@pytest.mark.timeout(400)
def test_16_a_worker_frozen_past_its_lease_is_fenced(
    ground: Ground, cast: Cast, figures: Figures, provider: Provider
) -> None:
    _freeze_past_the_lease(ground, cast, figures, provider)
    with workspace.within(cast.ws):
        told = list(Attempt.objects.order_by("fence").values_list("state", "fence"))
    assert told == [("lost", 1), ("done", 2)]


@pytest.mark.timeout(400)
def test_16_a_worker_frozen_past_its_lease_does_not_even_call_one_that_knows_no_keys(
    ground: Ground, figures: Figures, provider: Provider
) -> None:
    cast = served(figures, provider, idempotency_hours=0)
    provider.lifetime(0)
    try:
        assert _freeze_past_the_lease(ground, cast, figures, provider) == 0
    finally:
        provider.lifetime(24)


def _freeze_past_the_lease(ground: Ground, cast: Cast, figures: Figures, provider: Provider) -> int:
    """How often the worker called after it was thawed."""
    (pk,) = at_the_desk(ground, [(cast, submit_refund(cast, provider))])
    marker = ground.marker()
    with ground.environment_of(FAILPOINTS=f"apply.after_sent[{pk}]=pause@{marker}"):
        ground.start("worker-apply")
    work.approve_and_seal(cast, pk)
    until(marker.exists, 60)
    frozen = ground.pid("worker-apply")
    os.kill(frozen, signal.SIGSTOP)
    try:
        Path(f"{marker}.go").touch()  # once it is thawed it goes right on to the call
        ground.start("worker-apply-b", "beat")
        figures.took(work.applied(cast, [pk], LEASE_SECONDS + 60))
        before = calls(provider)
    finally:
        os.kill(frozen, signal.SIGCONT)
    log = ground.var_dir / "log" / "worker-apply.log"
    until(lambda: "after its time" in log.read_text() or "is fenced" in log.read_text(), 60)
    time.sleep(1)
    figures.tried += 1
    assert work.states(cast, [pk]) == {"applied": 1}
    return calls(provider) - before


@pytest.mark.timeout(600)
def test_18_the_kill_switch_with_200_approved_and_20_in_flight(
    ground: Ground, cast: Cast, figures: Figures, provider: Provider
) -> None:
    ids = at_the_desk(ground, [(cast, submit_refund(cast, provider)) for _ in range(APPROVED)])
    work.in_threads(lambda one: work.approve(cast, one), ids)
    assert work.states(cast, ids) == {"approved": APPROVED}
    provider.fault("slow", times=10 * APPROVED, seconds=3.0)
    started = calls(provider)
    ground.up(*WORKERS, "beat", "sealer", threads=IN_FLIGHT // 2)
    until(lambda: calls(provider) - started >= IN_FLIGHT, 60)
    assert work.states(cast, ids)["applying"] >= IN_FLIGHT * 0.8
    _switch(cast, switches.throw)
    thrown = time.monotonic()
    time.sleep(SILENT_SECONDS)
    sent = calls(provider)
    while time.monotonic() < thrown + 4 * SILENT_SECONDS:
        assert calls(provider) == sent, "something new was sent after the switch was thrown"
        time.sleep(0.5)
    figures.tried = APPROVED
    stood = work.states(cast, ids)
    print(f"{sent - started} sent in all, {stood} a quarter of a minute after the switch")
    assert stood == {"applied": sent - started, "approved": APPROVED - (sent - started)}
    with workspace.within(cast.ws):
        assert Outbox.objects.filter(task="approvals.tasks.apply").count() == stood["approved"]
    provider.clear()
    _switch(cast, switches.restore)
    figures.took(work.applied(cast, ids, 180))


WAITERS = 6


@pytest.mark.timeout(400)
def test_19_what_goes_out_waits_while_no_sealer_works_and_goes_once_it_is_back(
    ground: Ground, cast: Cast, figures: Figures, provider: Provider
) -> None:
    books = gather()
    figures.casts.append((books, None))
    warm, first, *ids = at_the_desk(ground, [(cast, submit_refund(cast, provider)) for _ in range(WAITERS + 2)])
    (ours,) = at_the_desk(ground, [(books, work.submit_update(books))])
    ground.up(*WORKERS, "beat", "sealer")
    work.approve(cast, warm)
    work.applied(cast, [warm], 60)  # all of them are up
    work.approve(cast, first)
    added = work.applied(cast, [first], 60)
    ground.unwatched()
    ground.kill("sealer")
    before = calls(provider)
    work.in_threads(lambda one: work.approve(cast, one), ids)
    work.approve(books, ours)
    work.applied(books, [ours], 60)  # our own books do not wait
    until(lambda: len(_waiting(cast, ids)) == WAITERS, 30)
    time.sleep(SILENT_SECONDS)
    assert (calls(provider), work.states(cast, ids)) == (before, {"approved": WAITERS})
    for pk in ids:
        said = text(sit_down(cast, "rosa").get(f"/proposals/{pk}/"))
        assert "It waits for the log to be sealed since <time" in said
    ground.supervise()
    grows()
    back = work.applied(cast, ids, 60)
    figures.took(back)
    figures.tried = WAITERS
    assert calls(provider) - before == WAITERS
    seal()
    assert _sent_after_their_seal(cast) == WAITERS + 2
    print(f"with a sealer applied {added:.1f} s after the approval; the waiting ones {back:.1f} s after the next seal")


def _waiting(cast: Cast, ids: list[int]) -> dict[int, datetime]:
    with workspace.within(cast.ws):
        return sealed.waiting(cast.ws, ids)


def _sent_after_their_seal(cast: Cast) -> int:
    """How many attempts there are, each of whose entries lies behind a checkpoint that covers its approval."""
    sizes = list(Checkpoint.objects.order_by("pk").values_list("size", flat=True))
    with workspace.within(cast.ws):
        sent = Entry.objects.filter(workspace_id=cast.ws, event=Event.ATTEMPT_SENT)
        for entry in sent:
            subject = f"proposal:{json.loads(entry.canonical)['body']['proposal']}"
            approval = Entry.objects.get(workspace_id=cast.ws, subject=subject, state="approved")
            assert any(approval.leaf.index < size <= entry.leaf.index for size in sizes), subject
        return len(sent)


def _switch(cast: Cast, act: Callable[..., object]) -> None:
    with workspace.within(cast.ws) as now:
        act(
            workspace=cast.ws, kind="freeze", subject="refund.create", reason="A drill.", now=now,
            actor=f"person:{cast.id('mara')}",
        )  # fmt: skip


def calls(provider: Provider) -> int:
    """How often it was asked for an effect since it was started."""
    return sum(request["method"] == "POST" for request in provider.seen())

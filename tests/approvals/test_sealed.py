"""Seal before act: nothing goes to an outside system before its approval is signed; our own books do not wait."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

from approvals import decisions, execution, outbox, proposals, sealed, standing
from approvals.models import Attempt, Outbox, Proposal
from audit.events import Event
from audit.models import Entry, Leaf
from portal import broker, workspace
from portal.systems import connections
from tests.approvals import outside, steps
from tests.approvals.desk import sit_down, text
from tests.audit.seals import seal
from tests.cast import Cast, gather
from tests.conftest import signed_in
from tests.provider.process import Provider


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(Path(tmp_path_factory.mktemp("provider")) / "ledger.jsonl") as running:
        yield running


@pytest.fixture
def cast(live: None, provider: Provider) -> Cast:
    provider.clear()
    cast = gather()
    outside.serve(cast, provider)
    return cast


def dispatch(cast: Cast, row: Proposal) -> Proposal:
    """A message for it reaches a worker, whatever is sealed."""
    with outside.apply_process():
        execution.apply(workspace=cast.ws, proposal=row.pk)
    return steps.fresh(cast, row)


def due(cast: Cast, row: Proposal) -> Outbox:
    with workspace.within(cast.ws):
        return Outbox.objects.get(task=proposals.APPLY, object_id=row.pk)


def relayed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What the relay says again in this workspace now; the workspace is named to it where there is anything."""
    said: list[list[int]] = []
    with monkeypatch.context() as patched, signed_in("apply"):
        patched.setattr(broker, "publish", lambda _task, args, **_: said.append(list(args)))
        with workspace.within(cast.ws):
            Outbox.objects.exclude(task=proposals.APPLY).delete()  # what nobody works on here may be due again
        named = cast.ws in outbox.due_in()
        outbox.visit(cast.ws)
    assert named is bool(said)
    return said


def test_a_refund_waits_for_its_seal_and_goes_out_once(
    cast: Cast, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = outside.refund(cast, provider)
    for _ in range(3):
        assert dispatch(cast, row).state == "approved"
    assert (outside.attempts(cast, row), outside.effects(cast, provider, row)) == ([], 0)
    with workspace.within(cast.ws):
        approval = Entry.objects.get(subject=f"proposal:{row.pk}", event=Event.PROPOSAL_APPROVED)
        assert list(sealed.waiting(cast.ws, [row.pk])) == [row.pk]
    assert due(cast, row).awaits == approval.pk
    assert relayed(cast, monkeypatch) == []  # nobody is woken for nothing
    seal()
    assert relayed(cast, monkeypatch) == [[cast.ws, row.pk]]
    assert dispatch(cast, row).state == "applied"
    assert (outside.attempts(cast, row), outside.effects(cast, provider, row)) == (["done"], 1)
    with workspace.within(cast.ws):
        sent = Entry.objects.get(event=Event.ATTEMPT_SENT)
        assert Leaf.objects.filter(entry=approval.pk).exists()
        assert not Leaf.objects.filter(entry=sent).exists()
        assert sealed.waiting(cast.ws, [row.pk]) == {}


def test_our_own_books_do_not_wait(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        connections.choose(workspace=cast.ws, part="payments", system="books", config={}, actor="system:test", now=now)
    order, target = steps.order(cast), steps.ticket(cast, customer="cu-1")
    row = steps.propose(cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")
    assert dispatch(cast, steps.approve(cast, row, "rosa")).state == "applied"


def test_what_is_approved_again_waits_for_its_new_approval(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)
    seal()
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.stop(workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"), now=now)
    row = steps.approve(cast, row, "rosa")
    assert dispatch(cast, row).state == "approved"
    seal()
    assert dispatch(cast, row).state == "applied"
    assert outside.effects(cast, provider, row) == 1


def test_the_database_refuses_an_attempt_that_is_not_sealed(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)

    def begin() -> None:
        with signed_in("apply"), workspace.within(cast.ws) as now:
            mine = proposals.locked(workspace=cast.ws, proposal=row.pk)
            proposals.transition(mine, Event.PROPOSAL_APPLYING, actor="system:apply", now=now)
            with transaction.atomic():
                Attempt.objects.create(
                    workspace_id=cast.ws, proposal=mine, revision=1, number=1, fence=1, key="0" * 32,
                    part="payments", system="http", request={}, lease_until=now,
                )  # fmt: skip
            transaction.set_rollback(True)

    with pytest.raises(DatabaseError) as caught:
        begin()
    assert caught.value.__cause__.sqlstate == "CS014"  # type: ignore[union-attr]
    seal()
    begin()
    assert steps.fresh(cast, row).state == "approved"


WAITS = ">waits for the log to be sealed"


def test_the_pages_say_why_it_waits_and_since_when_and_no_longer_once_it_went(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)
    other = outside.refund(cast, provider)
    desk = sit_down(cast, "rosa")
    pages = (f"/proposals/{row.pk}/", "/?state=approved", f"/cases/{row.case_id}/")
    for path in pages:
        assert "for the log to be sealed" not in text(desk.get(path)), path
    dispatch(cast, row)
    page = text(desk.get(pages[0]))
    assert "It waits for the log to be sealed since" in page
    assert "carried out in" not in page
    assert "It waits for the log" not in text(desk.get(f"/proposals/{other.pk}/"))
    for path in pages[1:]:
        assert text(desk.get(path)).count(f"{WAITS} since <time") == 1, path
    seal()
    dispatch(cast, row)
    for path in pages:
        assert "for the log to be sealed" not in text(desk.get(path)), path


def test_managers_are_told_of_a_log_that_is_not_sealed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.ticket(cast)
    said = "The log is not being sealed"
    for name in ("mara", "ada", "odile", "rosa"):
        assert said not in text(sit_down(cast, name).get()), "it is not half a minute old"
    monkeypatch.setattr(standing, "UNSEALED_AFTER", timedelta(0))
    for name, told in (("mara", True), ("ada", True), ("odile", True), ("rosa", False)):
        assert (said in text(sit_down(cast, name).get())) is told, name
    seal()
    assert said not in text(sit_down(cast, "mara").get())

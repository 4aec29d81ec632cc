"""Who is told what: each cause tells those it concerns, once, nobody else, and not who did it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from approvals import asides, claims, deadlines, decisions, outbox, relaxing, switches, telling, thresholds
from approvals.models import Claim, Outbox, Proposal
from audit import log, status
from audit.events import Event
from portal import notices, staff, workspace
from portal.models import Notice, NoticeCursor, Role
from tests.approvals import noticed, steps
from tests.approvals.noticed import told
from tests.approvals.test_second_wall import high
from tests.approvals.test_time import look_at, refund
from tests.approvals.test_undo import undone
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def said(cast: Cast, event: Event, subject: str, body: dict[str, Any], actor: str = "system:test") -> None:
    """An entry as whoever does it would leave it."""
    with workspace.within(cast.ws) as now:
        log.record(workspace=cast.ws, subject=subject, event=event, actor=actor, now=now, body=body)


def escalate(cast: Cast, row: Proposal, by: str) -> None:
    with workspace.within(cast.ws, cast.id(by)) as now:
        asides.escalate(
            workspace=cast.ws, item=f"proposal:{row.pk}", reason="They threaten to sue.", person=cast.id(by), now=now
        )


def test_managers_are_told_what_is_escalated_and_not_by_whom_they_escalate_themselves(
    cast: Cast, proposal: Proposal
) -> None:
    with workspace.within(cast.ws) as now:
        for role in (Role.MANAGER,):
            staff.appoint(workspace=cast.workspace, person=cast.people["ravi"], role=role, actor="system:test", now=now)
    escalate(cast, proposal, "mara")
    noticed.tell()
    assert told(cast, "escalated") == {f"proposal:{proposal.pk}": ["ravi"]}
    (row,) = [row for row in noticed.rows(cast) if row.kind == "escalated"]
    assert row.facts == {"by": f"person:{cast.id('mara')}"}  # no word of why: the page asks for it


def test_who_is_given_an_item_is_told_and_who_takes_it_is_not(cast: Cast, proposal: Proposal) -> None:
    item, mara = f"proposal:{proposal.pk}", cast.id("mara")
    with workspace.within(cast.ws, mara) as now:
        claims.assign(workspace=cast.ws, item=item, to=cast.id("rosa"), by=mara, now=now)
        claims.take_over(workspace=cast.ws, item=item, by=mara, now=now)
    noticed.tell()
    assert told(cast, "assigned") == {item: ["rosa"]}


def test_at_three_quarters_and_at_the_end_holder_and_managers_are_told_and_at_half_nobody(cast: Cast) -> None:
    row = refund(cast)
    item, due = f"proposal:{row.pk}", deadlines.moment(row.urgency)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item=item, person=cast.id("rosa"), now=now)
    for moment in (now + (due - now) * 0.6, now + (due - now) * 0.8, due + timedelta(minutes=1)):
        with signed_in("owner"), workspace.within(cast.ws):
            Claim.objects.filter(item=item).update(until=moment + timedelta(minutes=5))  # as her page does meanwhile
        look_at(cast, moment)
        noticed.tell()
    assert told(cast, "late") == {item: ["mara", "rosa"]}
    assert told(cast, "breached") == {item: ["mara", "rosa"]}
    assert {row.facts["percent"] for row in noticed.rows(cast)} == {75, 100}


def test_a_first_of_two_approvals_tells_those_who_may_give_the_second(cast: Cast) -> None:
    row = high(cast)  # Rosa proposed it; one of the two must be a manager
    steps.approve(cast, row, "ravi")
    noticed.tell()
    assert told(cast, "second") == {f"proposal:{row.pk}": ["mara"]}
    steps.approve(cast, row, "mara")
    noticed.tell()
    assert told(cast, "second") == {f"proposal:{row.pk}": ["mara"]}


def test_one_approval_where_one_is_enough_tells_nobody(cast: Cast, proposal: Proposal) -> None:
    steps.approve(cast, proposal, "rosa")
    noticed.tell()
    assert noticed.rows(cast) == []


@pytest.mark.parametrize("state", ["stale", "failed", "unknown"])
def test_who_approved_is_told_what_became_of_it(cast: Cast, proposal: Proposal, state: str) -> None:
    row = steps.approve(cast, proposal, "rosa")
    with workspace.within(cast.ws) as now:
        log.record(
            workspace=cast.ws, subject=f"proposal:{row.pk}", version=row.version + 50, event=Event(f"proposal.{state}"),
            actor="system:apply", now=now, state=state,
        )  # fmt: skip
    noticed.tell()
    assert told(cast, "turned") == {f"proposal:{row.pk}": ["rosa"]}
    assert noticed.rows(cast)[0].facts["state"] == state


def test_who_approved_is_told_when_it_is_undone(cast: Cast, proposal: Proposal) -> None:
    steps.apply(cast, steps.approve(cast, proposal, "rosa"))
    assert undone(cast, steps.fresh(cast, proposal), "ravi").state == "applied"
    noticed.tell()
    assert told(cast, "undone") == {f"proposal:{proposal.pk}": ["rosa"]}


def test_everybody_at_home_is_told_of_a_thrown_switch(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        switches.throw(
            workspace=cast.ws, kind="freeze", subject="contact.merge", reason="Look first.",
            actor=f"person:{cast.id('mara')}", now=now,
        )  # fmt: skip
    noticed.tell()
    assert told(cast, "switch") == {"switch:freeze:contact.merge": ["ada", "anton", "odile", "ravi", "rosa"]}


@pytest.mark.parametrize("verb", ["reject", "send_back"])
def test_who_proposed_by_hand_is_told_that_it_came_back(cast: Cast, verb: str) -> None:
    row = high(cast)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        common: dict[str, Any] = {
            "workspace": cast.ws, "proposal": row.pk, "seen": steps.seen(row), "person": cast.id("mara"), "now": now
        }  # fmt: skip
        if verb == "reject":
            decisions.reject(**common, reason="other", note="Not this one.")
        else:
            said(cast, Event.DECISION_RECORDED, "decision:0", {"kind": verb, "proposal": row.pk})
    noticed.tell()
    assert told(cast, "returned") == {f"proposal:{row.pk}": ["rosa"]}


def test_another_admin_is_told_of_a_loosening_and_who_proposed_it_what_came_of_it(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("anton")) as now:
        found = next(row for row in thresholds.in_force(cast.ws) if row.series == "contact-update")
        values = {column: getattr(found, column) for column in thresholds.COPIED} | {"people": "automatic"}
        row = relaxing.propose(
            workspace=cast.ws, kind="threshold", series="contact-update", values=values, why="It is safe.", now=now,
            person=cast.id("anton"),
        )  # fmt: skip
    with workspace.within(cast.ws, cast.id("ada")) as now:
        relaxing.refuse(workspace=cast.ws, loosening=row.pk, person=cast.id("ada"), now=now, note="It is not.")
    noticed.tell()
    assert told(cast, "second") == {f"loosening:{row.pk}": ["ada"]}
    assert told(cast, "loosening") == {f"loosening:{row.pk}": ["anton"]}


def test_admins_are_told_of_the_vault_and_managers_of_dead_work(cast: Cast) -> None:
    said(cast, Event.VAULT_OPENED, "vault:7", {"run": 7}, f"person:{cast.id('odile')}")
    with workspace.within(cast.ws) as now:
        Outbox.objects.create(
            workspace=cast.workspace, task="approvals.tasks.settle", queue="apply", object_id=7, not_before=now,
            tries=3, begun_by="gone",
        )  # fmt: skip
    with signed_in("apply"), workspace.within(cast.ws) as now:
        assert not outbox.take(workspace=cast.ws, task="approvals.tasks.settle", object_id=7, now=now)
    noticed.tell()
    assert told(cast, "vault") == {"vault:7": ["ada", "anton"]}
    assert told(cast, "dead") == {"work:approvals.tasks.settle:7": ["mara"]}


def test_admins_are_told_once_that_the_log_is_not_sealed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    noticed.tell()
    real = status.now
    with signed_in("apply"):
        telling.watch_the_seal()
        assert not any(row.kind == "seal" for row in _seen(cast))
        monkeypatch.setattr(status, "now", lambda clock: real(clock + timedelta(hours=1)))
        telling.watch_the_seal()
        telling.watch_the_seal()
    assert [sorted(names) for names in told(cast, "seal").values()] == [["ada", "anton"]]


def _seen(cast: Cast) -> list[Notice]:
    with workspace.within(cast.ws):
        return list(Notice.objects.filter(workspace_id=cast.ws))


def test_who_left_is_told_nothing_and_nobody_of_another_workspace_is(cast: Cast, proposal: Proposal) -> None:
    neighbours = gather()
    with workspace.within(cast.ws) as now:
        staff.appoint(
            workspace=cast.workspace, person=cast.people["mara"], role=Role.MANAGER, actor="system:test", now=now,
            active=False,
        )  # fmt: skip
    escalate(cast, proposal, "rosa")
    noticed.tell()
    assert noticed.rows(cast) == []
    assert noticed.rows(neighbours) == []


def test_a_role_that_signs_in_as_web_makes_no_notice_and_reads_only_its_persons_own(
    cast: Cast, proposal: Proposal
) -> None:
    escalate(cast, proposal, "rosa")
    noticed.tell()
    with pytest.raises(DatabaseError) as refused, workspace.within(cast.ws, cast.id("rosa")) as now:
        Notice.objects.create(
            workspace=cast.workspace, person=cast.people["rosa"], kind="switch", cause="x", subject="x", created_at=now
        )
    assert refused.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        assert not Notice.objects.exists()
        assert not Notice.objects.update(read_at=now)
    with workspace.within(cast.ws, cast.id("mara")):
        assert Notice.objects.count() == 1


def test_an_entry_that_cannot_be_told_holds_nobody_up(
    cast: Cast, proposal: Proposal, caplog: pytest.LogCaptureFixture
) -> None:
    said(cast, Event.ITEM_ESCALATED, "claim:odd", {"not": "an item"})
    escalate(cast, proposal, "rosa")
    noticed.tell()
    assert "could not be told" in caplog.text
    assert told(cast, "escalated") == {f"proposal:{proposal.pk}": ["mara"]}


def test_a_relay_that_breaks_off_begins_again_where_it_began(
    cast: Cast, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed.tell()
    escalate(cast, proposal, "rosa")

    def die(*_: Any) -> None:
        raise RuntimeError("gone")

    with monkeypatch.context() as patched:
        patched.setattr("approvals.telling.failpoints.hit", die)
        with pytest.raises(RuntimeError, match="gone"):
            noticed.tell()
    assert noticed.rows(cast) == []
    noticed.tell()
    noticed.tell()
    assert told(cast, "escalated") == {f"proposal:{proposal.pk}": ["mara"]}


def test_told_again_from_the_beginning_nobody_hears_it_twice(cast: Cast, proposal: Proposal) -> None:
    escalate(cast, proposal, "rosa")
    noticed.tell()
    with signed_in("apply"):
        leaf = NoticeCursor.objects.get().leaf
        NoticeCursor.objects.update(leaf=max(0, leaf - 20))
    noticed.tell()
    assert told(cast, "escalated") == {f"proposal:{proposal.pk}": ["mara"]}


def test_where_nothing_is_new_the_relay_costs_one_statement(cast: Cast, django_assert_num_queries: Any) -> None:
    noticed.tell()
    with signed_in("apply"), django_assert_num_queries(3):  # with the begin and the end of its transaction
        telling.tell_all()


def test_every_cause_is_a_kind_that_somebody_may_choose() -> None:
    assert set(notices.AUDIENCE) == set(Notice.Kind)

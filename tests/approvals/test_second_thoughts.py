"""What people do twice or too late: Back and a second tab, an edit between two votes, a rule tightened afterwards."""

import threading

import pytest
from django.db import connection

from approvals import revising, thresholds
from approvals.models import Decision, Proposal, Receipt
from audit.models import Entry, Payload
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down
from tests.approvals.test_second_wall import high
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def update(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def test_back_and_a_second_tab_are_one_vote(cast: Cast) -> None:
    row, codes = update(cast), []
    tabs = [sit_down(cast, "rosa") for _ in range(3)]
    start = threading.Barrier(len(tabs))

    def press(tab: Desk) -> None:
        try:
            start.wait()
            codes.append(tab.decide(row, "approve").status_code)
        finally:
            connection.close()

    pressing = [threading.Thread(target=press, args=(tab,)) for tab in tabs]
    for thread in pressing:
        thread.start()
    for thread in pressing:
        thread.join()
    assert sorted(codes) == [302, 409, 409]
    assert tabs[0].decide(row, "approve").status_code == 409  # Back, and the same form again
    with workspace.within(cast.ws):
        assert Decision.objects.filter(proposal=row).count() == 1
        assert Entry.objects.filter(subject=f"proposal:{row.pk}", state="approved").count() == 1


def test_an_edit_after_the_first_of_two_votes_dismisses_it(cast: Cast) -> None:
    row = steps.approve(cast, high(cast), "ravi")
    assert row.state == "pending"
    with workspace.within(cast.ws, cast.id("mara")) as now:
        args = {**row.revisions.get().args, "reason": "It leaks."}
        revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("mara"), args=args, now=now
        )
    row = steps.fresh(cast, row)
    assert (row.state, row.revision) == ("pending", 2)
    with workspace.within(cast.ws):
        told = Entry.objects.get(subject=f"proposal:{row.pk}", version=row.version)
    assert f'"dismissed":["person:{cast.id("ravi")}"]' in told.canonical
    assert steps.approve(cast, row, "ravi").state == "pending"  # one vote on the new bytes, not two
    with workspace.within(cast.ws):
        voted = Decision.objects.filter(proposal=row, kind="approve").order_by("pk").values_list("digest", flat=True)
        assert len(set(voted)) == 2
        assert not models.Payment.objects.filter(type="refund").exists()


def test_policy_tightened_after_the_approval_stops_the_write(cast: Cast) -> None:
    row = steps.approve(cast, update(cast), "rosa")
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="low", people="two",
        )  # fmt: skip
    row = steps.apply(cast, row)
    assert row.state == "stale"
    with workspace.within(cast.ws):
        because = Payload.objects.get(entry__subject=f"proposal:{row.pk}", entry__version=row.version, name="because")
        assert "policy is stricter now" in because.value
        assert not Receipt.objects.filter(proposal=row).exists()

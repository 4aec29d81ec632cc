"""The customer writes while something waits, is held, or is being written: nothing goes out as if they had not."""

import itertools

import pytest
from django.conf import settings

from approvals import conversations
from approvals.models import Case, Proposal, Submission
from audit import log
from audit.models import Entry
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_batches import release
from tests.approvals.test_second_wall import high
from tests.cast import Cast, gather

COUNT = itertools.count()


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def refund(cast: Cast) -> Proposal:
    order = steps.order(cast)
    case = steps.ticket(cast, customer="cu-1")
    return steps.propose(cast, case, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")


def change(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def write(cast: Cast, row: Proposal, body: str = "Stop, I found it!") -> None:
    with workspace.within(cast.ws, cast.id("ada")) as now:
        subject = Case.objects.get(pk=row.case_id).subject
        ticket = models.Ticket.objects.get(ticket_id=subject.partition(":")[2]).external_id
        conversations.receive(
            workspace=cast.ws, ticket=ticket, external_id=f"m-{next(COUNT)}", text=body, actor="x", now=now
        )


def answer(cast: Cast, row: Proposal, seq: int = 2) -> None:
    """One of our own messages."""
    with workspace.within(cast.ws):
        log.attribute("test")
        ticket = models.Ticket.objects.get(ticket_id=Case.objects.get(pk=row.case_id).subject.partition(":")[2])
        models.Message.objects.create(workspace=cast.workspace, ticket=ticket, seq=seq, sender="staff", body="We look.")


def test_a_refund_is_found_stale_once_the_customer_wrote(cast: Cast) -> None:
    row = refund(cast)
    write(cast, row)
    page = text(sit_down(cast, "rosa").get(f"/proposals/{row.pk}/"))
    assert "Approving it will find it stale" in page
    assert "the conversation of ticket" in page
    assert steps.approve(cast, row, "rosa").state == "stale"


def test_one_that_is_held_goes_back_to_people(cast: Cast) -> None:
    row = refund(cast)
    assert steps.approve(cast, row, "rosa").state == "approved"
    write(cast, row)
    assert steps.apply(cast, row).state == "stale"


def test_a_reply_of_ours_after_it_does_not_hide_what_they_wrote(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.reply", target, {"body": "It is on its way.", "clauses": []})
    assert steps.approve(cast, row, "ravi").state == "approved"
    write(cast, row)
    answer(cast, row, seq=3)
    release(cast, row)
    assert steps.apply(cast, row).state == "stale"


def test_our_own_reply_holds_up_no_refund(cast: Cast) -> None:
    row = refund(cast)
    answer(cast, row)
    assert steps.approve(cast, row, "rosa").state == "approved"
    assert steps.apply(cast, row).state == "applied"


def test_a_mere_change_of_the_ticket_takes_note_and_stands(cast: Cast) -> None:
    row = change(cast)
    write(cast, row)
    assert steps.approve(cast, row, "rosa").state == "approved"
    with workspace.within(cast.ws):
        assert Entry.objects.filter(subject=f"proposal:{row.pk}", event="proposal.rebased").exists()
    assert steps.apply(cast, row).state == "applied"


def test_on_high_tier_whatever_it_is_goes_stale(cast: Cast) -> None:
    row = high(cast)
    write(cast, row)
    assert steps.approve(cast, row, "ravi").state == "stale"


def test_what_they_write_while_somebody_edits_is_read_before_it_is_saved(cast: Cast) -> None:
    target, desk = steps.ticket(cast), sit_down(cast, "rosa")
    row = steps.propose(cast, target, "ticket.reply", target, {"body": "It is on its way.", "clauses": []})
    where = f"/proposals/{row.pk}/edit/"
    assert '<input type="hidden" name="wrote" value="1">' in text(desk.get(where))
    write(cast, row)
    said = {"revision": row.revision, "digest": row.digest, "body": "It comes tomorrow."}
    refused = desk.post(where, {**said, "wrote": "1"})
    page = text(refused)
    assert (refused.status_code, "The customer wrote while this was open" in page) == (409, True)
    for there in ("It comes tomorrow.", "Stop, I found it!", '<input type="hidden" name="wrote" value="2">'):
        assert there in page
    assert steps.fresh(cast, row).revision == 1
    assert desk.post(where, {**said, "wrote": "2"}).status_code == 302
    assert steps.fresh(cast, row).revision == 2
    assert steps.approve(cast, row, "ravi").state == "approved"


def test_what_they_write_while_somebody_writes_by_hand_is_read_first(cast: Cast) -> None:
    row, desk = change(cast), sit_down(cast, "rosa")
    where = f"/cases/{row.case_id}/new/ticket.reply/"
    assert '<input type="hidden" name="wrote" value="1">' in text(desk.get(where))
    write(cast, row)
    said = {"body": "It is on its way.", "key": "k1"}
    refused = desk.post(where, {**said, "wrote": "1"})
    assert "The customer wrote while this was open" in text(refused)
    assert "It is on its way." in text(refused)
    with workspace.within(cast.ws):
        assert not Submission.objects.filter(key="k1").exists()
    assert desk.post(where, {**said, "wrote": "2"}).status_code == 302

"""The customer writes while something waits, is held, or is being written: nothing goes out as if they had not."""

import itertools
import re
from typing import Any

import pytest
from django.conf import settings

from approvals import conversations, times
from approvals.models import Case, Proposal, Submission
from approvals.views import deciding
from audit import log
from audit.models import Entry
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_batches import release
from tests.approvals.test_claim_next import at_once
from tests.approvals.test_second_wall import high
from tests.approvals.test_sending_back import hand_in, send_back
from tests.approvals.test_staleness import change_ticket
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


def write(cast: Cast, row: Proposal | Submission | Case, body: str = "Stop, I found it!") -> None:
    with workspace.within(cast.ws, cast.id("ada")) as now:
        subject = Case.objects.get(pk=row.pk if isinstance(row, Case) else row.case_id).subject
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


def handed_in(cast: Cast, action: str = "refund.create", **more: Any) -> Submission:
    """By an agent that read the first message of a ticket, and not looked at by the gate yet."""
    case = steps.ticket(cast, customer="cu-1")
    if action == "ticket.reply":
        args: dict[str, Any] = {"body": "It is on its way.", "clauses": []}
        return steps.submit_as_agent(cast, case, action, case, args, read_to=1, **more)
    order = steps.order(cast)
    target, args = f"order:{order}", steps.refund_args(order)
    return steps.submit_as_agent(cast, case, action, target, args, agent="refunds", read_to=1, **more)


@pytest.mark.parametrize("action", ["refund.create", "ticket.reply"])
def test_what_they_write_before_the_gate_looks_is_not_taken_for_read(cast: Cast, action: str) -> None:
    paper = handed_in(cast, action)
    write(cast, paper)
    steps.pass_gate(cast, paper)
    with workspace.within(cast.ws):
        row = Proposal.objects.get(submission=paper)
    desk = sit_down(cast, "rosa")
    assert times.WROTE[1] in text(desk.get("/"))
    assert "Approving it will find it stale" in text(desk.get(f"/proposals/{row.pk}/"))
    assert steps.approve(cast, row, "rosa").state == "stale"


def test_what_was_read_before_it_was_handed_in_holds_nothing_up(cast: Cast) -> None:
    case = steps.ticket(cast, customer="cu-1")
    with workspace.within(cast.ws):
        known = Case.objects.get(subject=case)
    write(cast, known, "And it leaks.")
    order = steps.order(cast)
    args = steps.refund_args(order)
    row = steps.propose(cast, case, "refund.create", f"order:{order}", args, agent="refunds", read_to=2)
    assert times.WROTE[1] not in text(sit_down(cast, "rosa").get("/"))
    assert steps.approve(cast, row, "rosa").state == "approved"


def test_a_question_to_people_tells_what_came_before_the_gate_looked(cast: Cast) -> None:
    paper = handed_in(cast, flags=("legal_threat",), confidence=2.0)  # of no form: it becomes a hand-off
    write(cast, paper)
    steps.pass_gate(cast, paper)
    assert times.WROTE[1] in text(sit_down(cast, "rosa").get("/?state=handoffs"))


def test_what_they_write_before_the_gate_looks_at_a_revision_is_not_taken_for_read(cast: Cast) -> None:
    row = change(cast)
    asked = send_back(cast, row, "P2 does")
    paper = hand_in(cast, row, asked, {"priority": "P2"}, read_to=1)
    write(cast, row)
    steps.pass_gate(cast, paper)
    with workspace.within(cast.ws):
        assert times.wrote_since(cast.ws, "proposal", [row.pk]) == {row.pk: 2}
    page = text(sit_down(cast, "rosa").get(f"/proposals/{row.pk}/"))
    assert ("What it rests on moved" in page, steps.fresh(cast, row).revision) == (True, 2)


def test_a_reply_by_hand_that_crosses_one_of_ours_is_found_stale(cast: Cast) -> None:
    row, desk = change(cast), sit_down(cast, "rosa")
    where = f"/cases/{row.case_id}/new/ticket.reply/"
    page = text(desk.get(where))
    answer(cast, row)
    (shown,) = re.findall(r'name="wrote" value="(\d+)"', page)
    assert desk.post(where, {"body": "It is on its way.", "key": "k1", "wrote": shown}).status_code == 302
    with workspace.within(cast.ws):
        paper = Submission.objects.get(key="hand:k1")
    steps.pass_gate(cast, paper)
    with workspace.within(cast.ws):
        reply = Proposal.objects.get(submission=paper)
    assert steps.approve(cast, reply, "ravi").state == "stale"


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
    assert 'name="wrote" value="1"' in text(desk.get(where))
    assert 'id="missed"' not in text(desk.get(where)).partition("<main")[2]
    write(cast, row)
    said = {"revision": row.revision, "digest": row.digest, "body": "It comes tomorrow."}
    refused = desk.post(where, {**said, "wrote": "1"})
    page = text(refused)
    assert (refused.status_code, "The customer wrote while this was open" in page) == (409, True)
    for there in ("It comes tomorrow.", "Stop, I found it!", 'name="wrote" value="2"'):
        assert there in page
    assert ('href="#missed"' in page, page.count('id="missed"'), page.count("<b>new</b>")) == (True, 1, 1)
    assert page.index("Where is my kettle?") < page.index('id="missed"') < page.index("Stop, I found it!")
    assert steps.fresh(cast, row).revision == 1
    assert desk.post(where, {**said, "wrote": "2"}).status_code == 302
    assert steps.fresh(cast, row).revision == 2
    assert steps.approve(cast, row, "ravi").state == "approved"


def test_what_they_write_while_it_is_being_saved_is_on_the_page_that_refuses_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, desk, save = steps.ticket(cast), sit_down(cast, "rosa"), deciding.decide
    row = steps.propose(cast, target, "ticket.reply", target, {"body": "It is on its way.", "clauses": []})
    where, said = f"/proposals/{row.pk}/edit/", {"revision": row.revision, "digest": row.digest, "body": "Tomorrow."}

    def meanwhile(_number: int) -> None:
        write(cast, row)
        change_ticket(cast, row, priority="P1")

    def late(*args: Any, **more: Any) -> Proposal:
        at_once(1, meanwhile)
        return save(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(deciding, "decide", late)
        refused = desk.post(where, {**said, "wrote": "1"})
    page = text(refused)
    assert (refused.status_code, steps.fresh(cast, row).revision) == (409, 1)
    for there in ("Tomorrow.", "Stop, I found it!", "· P1 ·", 'name="wrote" value="2"'):
        assert there in page, there
    assert desk.post(where, {**said, "wrote": "2"}).status_code == 302


def test_the_number_of_what_was_read_comes_with_the_conversation_wherever_it_is_read(cast: Cast) -> None:
    row, desk = change(cast), sit_down(cast, "rosa")
    write(cast, row)
    read = '<input type="hidden" name="wrote" value="2" form="edit">'
    for where in (f"/proposals/{row.pk}/edit/", f"/proposals/{row.pk}/"):
        conversation = text(desk.get(where)).partition('id="conversation"')[2].partition("</section>")[0]
        assert read in conversation, where
    assert '<form id="edit"' in text(desk.get(f"/proposals/{row.pk}/edit/"))
    kept = text(desk.post(f"/proposals/{row.pk}/edit/", {"wrote": "1", "nothing": "x"}))
    assert read.replace("2", "1") in kept, "what was refused for something else does not pass for having read it"


def test_what_they_write_while_somebody_writes_by_hand_is_read_first(cast: Cast) -> None:
    row, desk = change(cast), sit_down(cast, "rosa")
    where = f"/cases/{row.case_id}/new/ticket.reply/"
    assert '<input type="hidden" name="wrote" value="1">' in text(desk.get(where))
    write(cast, row)
    said = {"body": "It is on its way.", "key": "k1"}
    refused = desk.post(where, {**said, "wrote": "1"})
    assert "The customer wrote while this was open" in text(refused)
    assert "It is on its way." in text(refused)
    assert ('href="#missed"' in text(refused), text(refused).count('id="missed"')) == (True, 1)
    with workspace.within(cast.ws):
        assert not Submission.objects.filter(key="hand:k1").exists()
    assert desk.post(where, {**said, "wrote": "2"}).status_code == 302
    with workspace.within(cast.ws):
        assert Submission.objects.get(key="hand:k1").read_to == 2

"""The record changed meanwhile (fault 25): overlapping, equal, unrelated, deleted, moved away; and writing over it."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from approvals import decisions, presence, revising
from approvals.models import Decision, Proposal, Receipt
from audit import log
from audit.models import Entry
from portal import models, stepup, workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in
from tests.presence import Codes, passed


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


FIELDS = {"city": "graz", "email": "a@example.com", "phone": "1"}


@pytest.fixture
def row(cast: Cast) -> Proposal:
    target = steps.contact(cast, FIELDS)
    return steps.propose(cast, target, "contact.update", target, {"changes": {"city": "Graz"}}, agent="contacts")


def change(cast: Cast, row: Proposal, **fields: str) -> None:
    """Somebody else writes to the contact."""
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        contact = models.Contact.objects.get(contact_id=row.target.partition(":")[2])
        models.Contact.objects.filter(pk=contact.pk).update(
            fields={**contact.fields, **fields}, version=contact.version + 1
        )


def change_ticket(cast: Cast, row: Proposal, **values: Any) -> None:
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        ticket = models.Ticket.objects.get(ticket_id=row.target.partition(":")[2])
        models.Ticket.objects.filter(pk=ticket.pk).update(version=ticket.version + 1, **values)


def take_away(cast: Cast, row: Proposal, *, to: int | None = None) -> None:
    """As the owner of the database: the record is deleted, or handed to another workspace."""
    with signed_in("owner"), workspace.within(cast.ws), connection.cursor() as cursor:
        log.attribute("test")
        here = [cast.ws, row.target.partition(":")[2]]
        if to is None:
            cursor.execute("DELETE FROM portal_contact WHERE workspace_id = %s AND contact_id = %s", here)
        else:
            change = "UPDATE portal_contact SET workspace_id = %s WHERE workspace_id = %s AND contact_id = %s"
            cursor.execute(change, [to, *here])
        assert cursor.rowcount == 1


def fields_of(cast: Cast, row: Proposal) -> dict[str, str]:
    with workspace.within(cast.ws):
        return dict(models.Contact.objects.get(contact_id=row.target.partition(":")[2]).fields)


def because(cast: Cast, row: Proposal) -> str:
    with workspace.within(cast.ws):
        entry = Entry.objects.filter(subject=f"proposal:{row.pk}").latest("version")
        return entry.canonical + "".join(f'"{one.name}":{json.dumps(one.value)}' for one in entry.payloads.all())


# --- at approval and at dispatch -------------------------------------------------------------------------------


def test_an_overlapping_change_is_found_at_approval(cast: Cast, row: Proposal) -> None:
    change(cast, row, city="Wien")
    assert steps.approve(cast, row, "rosa").state == "stale"
    with workspace.within(cast.ws):
        assert Decision.objects.get().kind == "found_stale"
    assert fields_of(cast, row)["city"] == "Wien"


def test_an_overlapping_change_after_the_approval_is_found_at_dispatch(cast: Cast, row: Proposal) -> None:
    steps.approve(cast, row, "rosa")
    change(cast, row, city="Wien")
    assert steps.apply(cast, row).state == "stale"
    assert '"because":"the record changed since"' in because(cast, row)
    assert fields_of(cast, row)["city"] == "Wien"


def test_an_equal_change_writes_nothing_and_says_so(cast: Cast, row: Proposal) -> None:
    change(cast, row, city="Graz")
    steps.approve(cast, row, "rosa")
    assert steps.apply(cast, row).state == "applied"
    with workspace.within(cast.ws):
        assert Receipt.objects.get().changed == []
        assert models.Contact.objects.get().version == 2
    assert '"already_so":true' in because(cast, row)


def test_an_unrelated_change_is_taken_in_by_itself(cast: Cast, row: Proposal) -> None:
    change(cast, row, phone="2")
    approved = steps.approve(cast, row, "rosa")
    assert (approved.state, approved.basis_version, approved.digest) == ("approved", 2, row.digest)
    change(cast, row, phone="3")
    assert steps.apply(cast, row).state == "applied"
    assert fields_of(cast, row) == {"city": "Graz", "email": "a@example.com", "phone": "3"}


def test_an_unrelated_change_stays_when_its_list_is_written(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"tags": ["kettle"]})
    steps.approve(cast, row, "rosa")
    change_ticket(cast, row, tags=["vip"])
    assert steps.apply(cast, row).state == "applied"
    with workspace.within(cast.ws):
        assert models.Ticket.objects.get().tags == ["kettle", "vip"]


def test_on_high_tier_an_unrelated_change_is_stale_at_approval_and_at_dispatch(cast: Cast) -> None:
    first, second = _high(cast), _high(cast)
    change_ticket(cast, first, status="waiting")
    assert steps.approve(cast, first, "rosa").state == "stale"
    steps.approve(cast, second, "rosa")
    change_ticket(cast, second, status="waiting")
    assert steps.apply(cast, second).state == "stale"


def _high(cast: Cast) -> Proposal:
    from approvals import thresholds

    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="high", actor="system:test", now=now, action="ticket.update", tier="high",
            people="one", proposer_kind="agent", agent="triage",
        )  # fmt: skip
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


@pytest.mark.parametrize("moved", [False, True])
def test_a_target_that_is_gone_is_stale_with_words_and_its_page_still_opens(
    cast: Cast, row: Proposal, moved: bool
) -> None:
    elsewhere = gather().ws if moved else None
    take_away(cast, row, to=elsewhere)
    rosa = sit_down(cast, "rosa")
    assert rosa.get(f"/proposals/{row.pk}/").status_code == 200
    assert steps.approve(cast, row, "rosa").state == "stale"
    page = text(rosa.get(f"/proposals/{row.pk}/"))
    assert f"contact {row.target.partition(':')[2]} is not there any more" in page
    answer = rosa.decide(steps.fresh(cast, row), "redo")
    assert (answer.status_code, "there is no contact" in text(answer)) == (422, True)
    if moved:
        with workspace.within(elsewhere):
            assert models.Contact.objects.get().fields == FIELDS


@pytest.mark.parametrize("moved", [False, True])
def test_a_target_that_goes_after_the_approval_is_stale_at_dispatch(cast: Cast, row: Proposal, moved: bool) -> None:
    steps.approve(cast, row, "rosa")
    take_away(cast, row, to=gather().ws if moved else None)
    assert steps.apply(cast, row).state == "stale"
    assert "is not there any more" in because(cast, row)


def test_a_field_added_to_a_record_that_is_gone_is_no_clean_change(cast: Cast) -> None:
    target = steps.contact(cast, FIELDS)
    row = steps.propose(cast, target, "contact.update", target, {"changes": {"country": "AT"}}, agent="contacts")
    take_away(cast, row)
    assert steps.approve(cast, row, "rosa").state == "stale"


# --- what it rests on ------------------------------------------------------------------------------------------


def test_drift_is_named_on_the_page_and_in_the_story(cast: Cast) -> None:
    steps.page(cast, "Thirty days.")
    target = steps.ticket(cast)
    body = {"body": "Thirty days.", "clauses": ["RET-1"]}
    row = steps.propose(cast, target, "ticket.reply", target, body, agent="refunds")
    rosa = sit_down(cast, "rosa")
    assert "rests on moved" not in text(rosa.get(f"/proposals/{row.pk}/"))
    steps.page(cast, "Ten days.")
    page = text(rosa.get(f"/proposals/{row.pk}/"))
    assert "What it rests on moved: clause RET-1." in page
    assert "The record changed elsewhere; this change is the same." in page
    assert steps.approve(cast, row, "rosa").state == "approved"
    assert "Moved: clause RET-1" in text(rosa.get(f"/proposals/{row.pk}/"))


def test_a_new_message_is_announced_as_what_makes_it_stale(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.reply", target, {"body": "Here it is."}, agent="refunds")
    with workspace.within(cast.ws):
        log.attribute("test")
        ticket = models.Ticket.objects.get()
        models.Message.objects.create(workspace=cast.workspace, ticket=ticket, seq=2, sender="customer", body="Wait!")
    rosa = sit_down(cast, "rosa")
    page = text(rosa.get(f"/proposals/{row.pk}/"))
    assert f"the conversation of ticket {ticket.ticket_id}" in page
    assert "Approving it will find it stale" in page
    assert steps.approve(cast, row, "rosa").state == "stale"


# --- writing over what somebody changed ------------------------------------------------------------------------


@pytest.fixture
def stale(cast: Cast, row: Proposal) -> Proposal:
    change(cast, row, city="Wien")
    steps.approve(cast, row, "rosa")
    return steps.fresh(cast, row)


def redo(cast: Cast, row: Proposal, name: str, *, proof: bool = False, **more: Any) -> Proposal:
    with workspace.within(cast.ws, cast.id(name)) as now:
        given = passed(cast, presence.ask(row, "overwrite"), name, now) if proof else None
        return revising.redo(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id(name), now=now, step_up=given,
            **more,
        )  # fmt: skip


def test_writing_over_takes_a_manager_a_reason_and_a_proof_of_presence(cast: Cast, stale: Proposal) -> None:
    with pytest.raises(decisions.NotAllowed, match="Somebody changed city meanwhile; only a manager writes over that"):
        redo(cast, stale, "rosa", overwrite_reason="it is wrong", proof=True)
    with pytest.raises(decisions.BadInput, match=r"^overwrite_reason: "):
        redo(cast, stale, "mara", overwrite_reason="  ", proof=True)
    with pytest.raises(stepup.Needed):
        redo(cast, stale, "mara", overwrite_reason="The customer says Graz.")
    assert steps.fresh(cast, stale).state == "stale"
    again = redo(cast, stale, "mara", overwrite_reason="The customer says Graz.", proof=True)
    assert (again.state, again.revision) == ("pending", 2)
    with workspace.within(cast.ws):
        made = Decision.objects.get(kind="redo")
        assert (made.note, made.step_up is not None) == ("The customer says Graz.", True)
    assert '"overwrites":["city"]' in because(cast, stale)
    steps.approve(cast, again, "rosa")
    assert steps.apply(cast, again).state == "applied"
    assert fields_of(cast, stale)["city"] == "Graz"


def test_without_a_conflict_it_stays_a_reviewers(cast: Cast, stale: Proposal) -> None:
    change(cast, stale, city="graz")
    assert redo(cast, stale, "rosa").state == "pending"


def test_what_others_put_on_a_list_is_not_taken_off_by_a_reviewer(cast: Cast) -> None:
    target = steps.ticket(cast)
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        models.Ticket.objects.update(tags=["a"])
    row = steps.propose(cast, target, "ticket.update", target, {"tags": ["b"]})
    change_ticket(cast, row, tags=["c"])
    assert steps.approve(cast, row, "rosa").state == "stale"
    with pytest.raises(decisions.NotAllowed, match="changed tags meanwhile"):
        redo(cast, steps.fresh(cast, row), "rosa")


def test_the_page_asks_a_manager_for_reason_and_presence_and_offers_a_reviewer_none_of_it(
    cast: Cast, stale: Proposal
) -> None:
    rosa, mara = sit_down(cast, "rosa"), sit_down(cast, "mara")
    page = text(rosa.get(f"/proposals/{stale.pk}/"))
    assert "only a manager does that" in page
    assert "/redo/" not in page
    assert "Send back" in page
    assert rosa.decide(stale, "redo", overwrite_reason="because").status_code == 403
    assert "Why may city be written over?" in text(mara.get(f"/proposals/{stale.pk}/"))
    codes = Codes(cast, "mara")
    where = _challenge(mara, stale)
    with workspace.within(cast.ws) as now:
        code = codes.at(now)
    assert mara.post(where, {"code": code}).status_code == 302
    assert steps.fresh(cast, stale).state == "pending"
    with workspace.within(cast.ws):
        assert Decision.objects.get(kind="redo").note == "The customer says Graz."


def _challenge(desk: Desk, row: Proposal) -> str:
    answer = desk.decide(row, "redo", overwrite_reason="The customer says Graz.")
    assert answer.status_code == 303
    return str(answer["Location"]).removeprefix(f"/w/{desk.cast.workspace.slug}")

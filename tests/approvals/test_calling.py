"""Calling a colleague in a note: one notice, in the note's own transaction, for members who may read it."""

import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from approvals import asides, shifts
from approvals.models import Handoff, Proposal
from audit.models import Entry
from portal import choices, staff, workspace
from portal.models import Person, Role
from tests.approvals import noticed, steps
from tests.approvals.desk import sit_down, text
from tests.approvals.noticed import told
from tests.approvals.test_managing import propose_handoff
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def at(cast: Cast, name: str) -> str:
    """How somebody of the cast is called."""
    return "@" + cast.people[name].email.partition("@")[0]


def resolve(cast: Cast, row: Handoff, words: str, by: str = "rosa") -> None:
    assert sit_down(cast, by).post(f"/handoffs/{row.pk}/resolve/", {"outcome": words}).status_code == 302


def entries(cast: Cast) -> list[Entry]:
    with workspace.within(cast.ws):
        return list(Entry.objects.filter(event="colleague.called").order_by("pk"))


def test_who_is_named_in_what_came_of_a_hand_off_is_told_once_and_led_there(cast: Cast) -> None:
    row = propose_handoff(cast)
    resolve(cast, row, f"Refunded by hand. {at(cast, 'ravi')}, {at(cast, 'ravi').upper()} please book it.")
    noticed.tell()
    noticed.tell()
    assert told(cast, "mention") == {f"handoff:{row.pk}": ["ravi"]}
    page = text(sit_down(cast, "ravi").get("/notices/"))
    assert "A colleague calls you in a note" in page
    assert "Rosa Lindqvist" in page
    assert f"/handoffs/{row.pk}/" in page
    assert "Refunded by hand" not in page
    (entry,) = entries(cast)
    assert entry.case == f"case:{row.case_id}"
    assert json.loads(entry.canonical)["body"] == {"item": f"handoff:{row.pk}", "people": [cast.id("ravi")]}


def test_who_is_named_when_a_manager_is_called_or_a_proposal_rejected_is_told(cast: Cast, proposal: Proposal) -> None:
    rosa, item = sit_down(cast, "rosa"), f"proposal:{proposal.pk}"
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        asides.escalate(
            workspace=cast.ws, item=item, reason=f"See {at(cast, 'odile')}", person=cast.id("rosa"), now=now
        )
    rosa.decide(proposal, "reject", reason="other", note=f"As {at(cast, 'ravi')} said")
    noticed.tell()
    assert told(cast, "mention") == {item: ["odile", "ravi"]}


def test_what_an_agent_is_told_calls_nobody(cast: Cast, proposal: Proposal) -> None:
    sit_down(cast, "rosa").decide(proposal, "send-back", text=f"Ask {at(cast, 'ravi')}")
    assert entries(cast) == []


def test_nobody_calls_themselves_an_outsider_or_somebody_who_left(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        staff.appoint(
            workspace=cast.workspace, person=cast.people["ravi"], role=Role.REVIEWER, actor="system:test", now=now,
            active=False,
        )  # fmt: skip
    Person.objects.filter(pk=cast.id("odile")).update(is_active=False)
    names = " ".join(at(cast, name) for name in ("rosa", "otto", "ravi", "odile"))
    resolve(cast, propose_handoff(cast), f"{names} @everybody")
    assert entries(cast) == []


def test_two_of_one_name_are_told_apart_by_the_whole_address(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        local = cast.people["ravi"].email.partition("@")[0]
        twin = Person.objects.create_user(f"{local}@elsewhere.example", None, name="Ravi Two")
        staff.appoint(workspace=cast.workspace, person=twin, role=Role.AUDITOR, actor="system:test", now=now)
    resolve(cast, propose_handoff(cast), f"@{local}")
    assert entries(cast) == []
    resolve(cast, propose_handoff(cast), f"@{local}@elsewhere.example")
    (entry,) = entries(cast)
    assert json.loads(entry.canonical)["body"]["people"] == [twin.pk]


def test_a_note_for_the_next_shift_calls_whoever_works_here(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        note = shifts.leave(
            workspace=cast.ws, person=cast.id("mara"), text=f"{at(cast, 'ada')} and {at(cast, 'rosa')}: parcels.",
            case=None, now=now,
        )  # fmt: skip
    noticed.tell()
    assert told(cast, "mention") == {f"shift-note:{note.pk}": ["ada", "rosa"]}
    ada = sit_down(cast, "ada")
    assert f"/w/{cast.workspace.slug}/notes/" in text(ada.get("/notices/"))
    for path in ("/escalations/", "/notes/"):
        page = text(ada.get(path))
        assert f"<strong>{at(cast, 'ada')}</strong> and <strong>{at(cast, 'rosa')}</strong>: parcels." in page, path


def test_a_note_that_is_not_kept_calls_nobody(cast: Cast) -> None:
    def cut_off() -> None:
        with workspace.within(cast.ws, cast.id("mara")) as now, transaction.atomic():
            shifts.leave(workspace=cast.ws, person=cast.id("mara"), text=at(cast, "ada"), case=None, now=now)
            raise RuntimeError("power failed")

    with pytest.raises(RuntimeError, match="power"):
        cut_off()
    assert entries(cast) == []


def test_names_are_marked_where_the_note_is_shown_and_the_rest_is_escaped(cast: Cast) -> None:
    row = propose_handoff(cast)
    resolve(cast, row, f"<b>Done</b>, {at(cast, 'ravi')} & @nobody")
    for path in (f"/handoffs/{row.pk}/", f"/cases/{row.case_id}/"):
        page = text(sit_down(cast, "odile").get(path))
        assert f"&lt;b&gt;Done&lt;/b&gt;, <strong>{at(cast, 'ravi')}</strong> &amp; @nobody" in page, path


def test_a_page_asks_who_is_here_only_where_somebody_may_be_named(cast: Cast) -> None:
    counts = []
    for words in (
        "Done.",
        f"Done, {at(cast, 'ravi')}.",
        f"Done, {at(cast, 'ravi')} {at(cast, 'mara')} {at(cast, 'ada')}",
    ):
        row = propose_handoff(cast)
        resolve(cast, row, words)
        odile = sit_down(cast, "odile")
        with CaptureQueriesContext(connection) as captured:
            odile.get(f"/handoffs/{row.pk}/")
        counts.append(sum('"portal_membership"' in one["sql"] and "email" in one["sql"] for one in captured))
    assert counts == [0, 1, 1]


def test_the_fields_say_how_to_call_somebody(cast: Cast, proposal: Proposal) -> None:
    row = propose_handoff(cast)
    rosa = sit_down(cast, "rosa")
    for path in (f"/handoffs/{row.pk}/", f"/proposals/{proposal.pk}/"):
        assert "Write @ravi, the first part of an address, to call a colleague." in text(rosa.get(path))


def test_who_wants_none_of_it_is_told_nothing(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        choices.save(
            workspace=cast.ws, person=cast.id("ravi"), channels={"mention": "none"}, by_mail=False,
            digest_at=["08:00"], quiet_from=None, quiet_until=None, now=now,
        )  # fmt: skip
    resolve(cast, propose_handoff(cast), at(cast, "ravi"))
    noticed.tell()
    assert told(cast, "mention") == {}


@pytest.mark.parametrize("name", ["rosa", "mara", "ada", "odile"])
def test_everybody_chooses_how_they_are_told_of_it(cast: Cast, name: str) -> None:
    assert "A colleague calls me in a note" in text(sit_down(cast, name).get("/you/"))

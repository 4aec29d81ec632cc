"""A hand-off that was resolved by mistake: who may open it again, how long, and what is told of it."""

from datetime import timedelta

import pytest

from approvals import handoffs
from approvals.models import Claim, Handoff
from audit.models import Entry
from portal import workspace
from tests.approvals.desk import Desk, sit_down, text
from tests.approvals.test_deeds import told
from tests.approvals.test_time_pages import handed
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def resolved(cast: Cast) -> Handoff:
    """Rosa resolved it."""
    row = handed(cast)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        return handoffs.resolve(
            workspace=cast.ws, handoff=row.pk, person=cast.people["rosa"], outcome="Wrong one.", now=now
        )  # fmt: skip


def reopen(cast: Cast, row: Handoff, name: str, *, later: int = 0) -> Handoff:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return handoffs.reopen(
            workspace=cast.ws, handoff=row.pk, person=cast.people[name], now=now + timedelta(seconds=later)
        )  # fmt: skip


def test_who_resolved_it_opens_it_again_within_a_minute(cast: Cast, resolved: Handoff) -> None:
    row = reopen(cast, resolved, "rosa", later=30)
    assert (row.state, row.version, row.outcome, row.resolved_by) == ("open", resolved.version + 1, "", None)
    with workspace.within(cast.ws):
        entry = Entry.objects.get(subject=f"handoff:{row.pk}", version=row.version)
        assert (entry.event, entry.actor) == ("handoff.reopened", f"person:{cast.id('rosa')}")
        assert Claim.objects.filter(item=f"handoff:{row.pk}").exists()  # in the queue again


def test_later_or_for_others_it_takes_a_manager(cast: Cast, resolved: Handoff) -> None:
    for name, later in (("rosa", 90), ("ravi", 0)):
        with pytest.raises(handoffs.NotYours, match="Only a manager reopens it now"):
            reopen(cast, resolved, name, later=later)
    with pytest.raises(handoffs.NotYours, match="Only reviewers and managers"):
        reopen(cast, resolved, "odile")
    assert reopen(cast, resolved, "mara", later=3600).state == "open"
    with pytest.raises(handoffs.StillOpen):
        reopen(cast, resolved, "mara")


def test_the_minute_begins_with_the_last_time_it_was_resolved(cast: Cast, resolved: Handoff) -> None:
    reopen(cast, resolved, "mara")
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        handoffs.resolve(workspace=cast.ws, handoff=resolved.pk, person=cast.people["ravi"], outcome="So.", now=now)
    with pytest.raises(handoffs.NotYours):
        reopen(cast, resolved, "rosa")
    assert reopen(cast, resolved, "ravi").state == "open"


def test_the_toast_undoes_it_and_the_page_has_a_button(cast: Cast) -> None:
    row, rosa = handed(cast), sit_down(cast, "rosa")
    where = f"/handoffs/{row.pk}/"
    address = f'action="/w/{cast.workspace.slug}{where}reopen/'
    said = told(rosa, f"{where}resolve/", {"outcome": "Called them."})
    assert "Resolved." in said
    assert address in said
    assert 'data-key="u">Undo</button>' in said
    assert [address in text(desk.get(where)) for desk in _three(cast)] == [True, False, True]
    undone = told(rosa, f"{where}reopen/")
    assert "Reopened." in undone
    assert "<form" not in undone
    page = text(rosa.get(where))
    assert "What came of it" in page
    assert address not in page
    assert rosa.post(f"{where}reopen/").status_code == 409


def test_a_refusal_says_why(cast: Cast, resolved: Handoff) -> None:
    answer = sit_down(cast, "ravi").post(f"/handoffs/{resolved.pk}/reopen/")
    assert answer.status_code == 403
    assert "Only a manager reopens it now." in text(answer)
    said = text(sit_down(cast, "ravi").get(f"/?deed=resolved:handoff:{resolved.pk}"))
    assert "Resolved." in said
    assert f"/handoffs/{resolved.pk}/reopen/" not in said


def _three(cast: Cast) -> list[Desk]:
    return [sit_down(cast, name) for name in ("rosa", "ravi", "mara")]

"""A person's own views: kept under a name, counted like the others, shared or not, and nobody else's to drop."""

import pytest
from django.db import connection

from approvals import counting, saving
from approvals.models import SavedView
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    monkeypatch.setattr(counting, "KEPT_SECONDS", 0)
    return gather()


def test_a_search_is_kept_found_again_and_forgotten(cast: Cast) -> None:
    target = steps.ticket(cast)
    steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    rosa = sit_down(cast, "rosa")
    assert "Save this view" not in text(rosa.get("/"))
    assert "Save this view" in text(rosa.get("/?tier=low&agent=triage"))
    assert rosa.post("/views/save/?tier=low&agent=triage", {"name": " Easy  ones "}).status_code == 302
    page = text(rosa.get("/?agent=triage&tier=low"))
    assert '<span>Easy ones</span> <span class="count">1</span>' in page
    assert "Save this view" not in page
    with workspace.within(cast.ws, cast.id("rosa")):
        view = SavedView.objects.get()
    assert "Easy ones" not in text(sit_down(cast, "ravi").get("/"))
    assert sit_down(cast, "ravi").post(f"/views/{view.pk}/forget/").status_code == 404
    assert rosa.post(f"/views/{view.pk}/forget/").status_code == 302
    assert "Easy ones" not in text(rosa.get("/"))


def test_what_is_shared_is_seen_by_all_and_stays_its_makers(cast: Cast) -> None:
    rosa, ravi = sit_down(cast, "rosa"), sit_down(cast, "ravi")
    assert rosa.post("/views/save/?tier=high", {"name": "Dear ones", "shared": "1"}).status_code == 302
    assert 'title="Shared by Rosa Lindqvist"' in text(ravi.get("/"))
    with workspace.within(cast.ws, cast.id("ravi")), connection.cursor() as cursor:
        cursor.execute("DELETE FROM approvals_savedview")  # past every check of ours
        assert cursor.rowcount == 0
        cursor.execute("SELECT count(*) FROM approvals_savedview")
        assert cursor.fetchone() == (1,)


def test_nobody_keeps_a_view_in_somebody_elses_name(cast: Cast) -> None:
    with pytest.raises(Exception, match="row-level security"), workspace.within(cast.ws, cast.id("ravi")) as now:
        saving.save(workspace=cast.ws, person=cast.id("rosa"), name="Mine?", query="tier=low", shared=True, now=now)


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("tier=low", " ", "Give the view a name."),
        ("tier=low", "x" * 41, "41 characters; at most 40 fit."),
        ("", "All", "Choose filters or search for something first"),
        ("q=colour:red", "Red", "Choose filters or search for something first"),
    ],
)
def test_what_cannot_be_kept_is_told_with_its_reason(cast: Cast, query: str, name: str, words: str) -> None:
    answer = sit_down(cast, "rosa").post(f"/views/save/?{query}", {"name": name})
    assert answer.status_code == 422
    assert words in text(answer)


def test_a_person_keeps_a_dozen_at_most_and_one_of_each_name(cast: Cast) -> None:
    rosa = sit_down(cast, "rosa")
    for number in range(saving.MOST):
        assert rosa.post("/views/save/?tier=low", {"name": f"View {number}"}).status_code == 302
    assert rosa.post("/views/save/?tier=low", {"name": "One more"}).status_code == 422
    assert rosa.post("/views/save/?tier=high", {"name": "View 3"}).status_code == 302


def test_what_is_kept_of_a_page_leads_into_its_own_workspace_alone(cast: Cast) -> None:
    """Two workspaces that count the same, one after the other in one process."""
    other = gather()
    for mine, theirs in ((cast, other), (other, cast)):
        for path in ("/", "/views/"):
            page = sit_down(mine, "rosa").get(path).content.decode()
            assert f"/w/{mine.workspace.slug}/?view=free" in page
            assert theirs.workspace.slug not in page

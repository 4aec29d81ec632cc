"""Who works what: managers set it, the log says so, and nobody else may."""

import json

import pytest

from audit.models import Entry, Unattributed
from portal import skills, workspace
from portal.models import Skill
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def of(cast: Cast, name: str) -> set[tuple[str, str]]:
    with workspace.within(cast.ws):
        return set(Skill.objects.filter(person_id=cast.id(name)).values_list("kind", "value"))


def test_a_manager_sets_queues_and_languages_and_one_entry_names_them(cast: Cast) -> None:
    mara, rosa = sit_down(cast, "mara"), cast.id("rosa")
    answer = mara.post(f"/team/{rosa}/", {"teams": ["fees_billing"], "languages": "de, EN"})
    assert answer.status_code == 302
    assert of(cast, "rosa") == {("team", "fees_billing"), ("language", "de"), ("language", "en")}
    mara.post(f"/team/{rosa}/", {"languages": "de"})
    mara.post(f"/team/{rosa}/", {"languages": "de"})  # the same again says nothing
    assert of(cast, "rosa") == {("language", "de")}
    with workspace.within(cast.ws):
        entries = Entry.objects.filter(workspace_id=cast.ws, event="skill.set").order_by("version")
        said = [json.loads(entry.canonical)["body"] for entry in entries]
        assert not Unattributed.objects.filter(workspace_id=cast.ws).exists()
    assert said == [
        {"person": rosa, "teams": ["fees_billing"], "languages": ["de", "en"]},
        {"person": rosa, "teams": [], "languages": ["de"]},
    ]


def test_the_page_shows_everybody_who_decides_with_what_they_work(cast: Cast) -> None:
    mara = sit_down(cast, "mara")
    mara.post(f"/team/{cast.id('rosa')}/", {"teams": ["fees_billing"], "languages": "de"})
    page = text(mara.get("/team/"))
    assert "Rosa Lindqvist" in page
    assert "Odile Martin" not in page
    assert 'value="fees_billing" checked' in page


def test_what_is_no_language_or_queue_is_refused_and_kept_in_the_field(cast: Cast) -> None:
    mara, rosa = sit_down(cast, "mara"), cast.id("rosa")
    for said in ({"languages": "german"}, {"teams": ["none"]}):
        answer = mara.post(f"/team/{rosa}/", said)
        assert answer.status_code == 422
        assert "german" in text(answer) or "none" in text(answer)
    assert of(cast, "rosa") == set()


def test_only_managers_set_it_and_only_for_those_who_decide_here(cast: Cast) -> None:
    for name in ("rosa", "ada", "odile"):
        assert sit_down(cast, name).get("/team/").status_code == 403
        assert sit_down(cast, name).post(f"/team/{cast.id('rosa')}/", {}).status_code == 403
    for name in ("otto", "odile"):
        assert sit_down(cast, "mara").post(f"/team/{cast.id(name)}/", {"languages": "de"}).status_code == 404


def test_a_skill_stays_in_its_workspace(cast: Cast) -> None:
    other = gather()
    with workspace.within(cast.ws, cast.id("mara")) as now:
        skills.set_for(
            workspace=cast.ws, person=cast.id("rosa"), teams=[], languages=["de"], by=cast.id("mara"), now=now
        )
    with workspace.within(other.ws):
        assert not Skill.objects.filter(person_id=cast.id("rosa")).exists()

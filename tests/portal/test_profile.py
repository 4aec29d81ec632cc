"""One's own profile: what a person changes of themselves, and what they do not."""

import pytest

from portal.models import Person
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather

WANTED = {"name": "Rosa L.", "time_zone": "America/Denver", "theme": "dark", "density": "compact"}


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_a_person_sets_name_zone_colours_rows_and_keys(cast: Cast) -> None:
    desk = sit_down(cast, "rosa")
    assert 'data-theme="auto"' in text(desk.get("/you/"))
    assert desk.post("/you/", WANTED).status_code == 302
    page = text(desk.get("/"))
    assert '<html lang="en-gb" data-theme="dark" data-density="compact">' in page
    assert 'data-keys="off"' in page
    assert "Rosa L." in page
    assert Person.objects.get(pk=cast.id("rosa")).time_zone == "America/Denver"


def test_it_changes_nobody_else_and_nothing_else(cast: Cast) -> None:
    before = Person.objects.values().get(pk=cast.id("rosa"))
    sit_down(cast, "rosa").post(
        "/you/", {**WANTED, "email": "x@example.com", "is_active": "", "password": "x", "id": cast.id("mara")}
    )
    after = Person.objects.values().get(pk=cast.id("rosa"))
    assert {name for name in before if before[name] != after[name]} == {*WANTED, "keys_enabled", "last_login"}
    assert Person.objects.get(pk=cast.id("mara")).name != WANTED["name"]


@pytest.mark.parametrize(("field", "value"), [("time_zone", "Mars/Olympus"), ("theme", "pink"), ("name", "")])
def test_what_cannot_be_names_its_field_and_keeps_the_rest(cast: Cast, field: str, value: str) -> None:
    answer = sit_down(cast, "rosa").post("/you/", {**WANTED, field: value})
    assert answer.status_code == 422
    assert 'class="field wrong"' in text(answer)
    assert "America/Denver" in text(answer)
    assert Person.objects.get(pk=cast.id("rosa")).theme == "auto"


def test_the_pages_speak_the_language_that_was_chosen_from_the_next_one_on(cast: Cast) -> None:
    desk = sit_down(cast, "rosa")
    assert "Language" in text(desk.get("/you/"))
    desk.post("/you/", {**WANTED, "language": "de"})
    answer = desk.get("/you/")
    assert answer["Content-Language"] == "de"
    assert '<html lang="de"' in text(answer)
    assert "Wie der Browser fragt" in text(answer)
    assert '<option value="de" selected>Deutsch</option>' in text(answer)
    desk.post("/you/", {**WANTED, "language": "en-gb"})
    assert '<html lang="en-gb"' in text(desk.get("/you/", accept_language="de"))


def test_without_a_choice_the_browser_is_asked(cast: Cast) -> None:
    desk = sit_down(cast, "rosa")
    assert '<html lang="de"' in text(desk.get("/you/", accept_language="de-AT,en;q=0.5"))
    assert '<html lang="en-gb"' in text(desk.get("/you/", accept_language="fr"))


def test_a_language_that_is_none_is_refused(cast: Cast) -> None:
    assert sit_down(cast, "rosa").post("/you/", {**WANTED, "language": "tlh"}).status_code == 422
    assert Person.objects.get(pk=cast.id("rosa")).language == ""


@pytest.mark.parametrize(("name", "told"), [("rosa", True), ("mara", True), ("ada", False), ("odile", False)])
def test_who_decides_is_told_what_is_measured_of_it(cast: Cast, name: str, told: bool) -> None:
    page = text(sit_down(cast, name).get("/you/"))
    assert ("how long the change was in sight" in page) is told
    assert (f'<a href="/w/{cast.workspace.slug}/considered/">All that is measured</a>' in page) is told

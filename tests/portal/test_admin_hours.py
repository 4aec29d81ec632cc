"""Working hours in the admin: set by an admin, on the log, refused by the name of the field."""

import pytest
from django.conf import settings

from audit.models import Entry, Unattributed
from portal import hours, workspace
from portal.models import Workspace
from tests.api.calls import browser
from tests.cast import Cast, gather

OFFICE = {
    "time_zone": "Europe/Berlin", "mon": "09:00-17:00", "tue": "09:00 - 17:00", "wed": "09:00–17:00", "thu": "",
    "fri": "08:30-24:00", "sat": "", "sun": "", "closing_days": "2030-12-25\n2030-12-26",
}  # fmt: skip


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def address(cast: Cast, key: int | None = None, verb: str = "change") -> str:
    return f"/w/{cast.workspace.slug}/admin/portal/workspace/" + (f"{key}/{verb}/" if key else "")


def kept(cast: Cast) -> Workspace:
    with workspace.within(cast.ws):
        return Workspace.objects.get(pk=cast.ws)


def test_an_admin_sets_them_and_the_log_says_so(cast: Cast) -> None:
    client = browser(cast, "ada")
    answer = client.post(address(cast, cast.ws), OFFICE)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row = kept(cast)
    assert row.hours == {
        "mon": ["09:00", "17:00"], "tue": ["09:00", "17:00"], "wed": ["09:00", "17:00"], "fri": ["08:30", "24:00"],
    }  # fmt: skip
    assert (row.time_zone, row.closed_on) == ("Europe/Berlin", ["2030-12-25", "2030-12-26"])
    with workspace.within(cast.ws):
        entry = Entry.objects.get(event="hours.set")
        assert hours.of(cast.ws).open
        assert not Unattributed.objects.exists()
    assert (entry.subject, entry.actor) == (f"workspace:{cast.ws}", f"person:{cast.id('ada')}")
    page = client.get(address(cast, cast.ws)).content.decode()
    assert 'value="08:30-24:00"' in page
    assert "2030-12-26" in page
    assert "Hours set" in client.get(address(cast, cast.ws, "history")).content.decode()
    assert "Fri 08:30-24:00" in client.get(address(cast)).content.decode()


def test_all_days_empty_never_closes(cast: Cast) -> None:
    empty = dict.fromkeys(OFFICE, "") | {"time_zone": "UTC"}
    assert browser(cast, "ada").post(address(cast, cast.ws), empty).status_code == 302
    assert kept(cast).hours == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time_zone": "Berlin"}, "time_zone"), ({"time_zone": ""}, "time_zone"), ({"mon": "9-17"}, "mon"),
        ({"tue": "17:00-09:00"}, "tue"), ({"wed": "09:00"}, "wed"), ({"thu": "09:00-12:00-13:00-17:00"}, "thu"),
        ({"fri": "25:00-26:00"}, "fri"), ({"sat": "x" * 21}, "sat"), ({"closing_days": "Christmas"}, "closing_days"),
        ({"closing_days": "2030-02-30"}, "closing_days"), ({"closing_days": "2030-12-25 " * 401}, "closing_days"),
        (dict.fromkeys(("mon", "tue", "wed", "fri"), ""), "closing_days"),
    ],
)  # fmt: skip
def test_hours_that_are_off_are_refused_beside_their_field(cast: Cast, change: dict[str, str], field: str) -> None:
    answer = browser(cast, "ada").post(address(cast, cast.ws), OFFICE | change)
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert kept(cast).hours == {}
    with workspace.within(cast.ws):
        assert not Entry.objects.filter(event="hours.set").exists()


@pytest.mark.parametrize(("name", "read", "write"), [("mara", 200, 403), ("odile", 200, 403), ("rosa", 404, 404)])
def test_who_may_look_and_who_may_set(cast: Cast, name: str, read: int, write: int) -> None:
    client = browser(cast, name)
    assert client.get(address(cast)).status_code == read
    assert client.get(address(cast, cast.ws)).status_code == read
    assert client.post(address(cast, cast.ws), OFFICE).status_code == write
    assert kept(cast).hours == {}


def test_another_workspace_is_not_there_even_for_who_administers_both(cast: Cast) -> None:
    from portal import staff
    from portal.models import Role

    other = gather()
    with workspace.within(other.ws) as now:
        staff.appoint(workspace=other.workspace, person=cast.people["ada"], role=Role.ADMIN, actor="x", now=now)
    client = browser(cast, "ada")
    assert client.get(address(cast, other.ws)).status_code == 404
    assert client.post(address(cast, other.ws), OFFICE).status_code == 404
    assert client.post(address(cast) + "add/", OFFICE).status_code == 403
    assert kept(other).hours == {}

"""What the admin says beside its forms: times by the reader's own clock, the history of a row in words."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone

from audit.models import Entry
from portal import workspace
from portal.models import Connection, Person
from portal.models.people import Language
from tests.api.calls import browser
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.portal.test_admin_connections import HTTP


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def page(cast: Cast, path: str, name: str = "ada") -> str:
    answer = browser(cast, name).get(f"/w/{cast.workspace.slug}/admin/{path}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def first_entry(cast: Cast) -> datetime:
    with workspace.within(cast.ws):
        return Entry.objects.order_by("-pk")[0].at


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns"])
def test_times_are_by_the_readers_own_clock_of_24_hours(cast: Cast, zone: str) -> None:
    Person.objects.filter(pk=cast.id("ada")).update(time_zone=zone)
    local = first_entry(cast).astimezone(ZoneInfo(zone))
    assert f"{local.day} {local:%b %Y, %H:%M}" in page(cast, "audit/entry/")
    assert str(timezone.get_current_timezone()) == "UTC", "of the page alone"


def test_a_german_admin_reads_them_so_too(cast: Cast) -> None:
    Person.objects.filter(pk=cast.id("ada")).update(time_zone="Asia/Kathmandu", language=Language.GERMAN)
    local = first_entry(cast).astimezone(ZoneInfo("Asia/Kathmandu"))
    assert re.search(rf"{local.day}\. \w+ {local:%Y %H:%M}", page(cast, "audit/entry/"))


def test_the_history_of_a_row_says_in_words_what_who_and_as_what(cast: Cast) -> None:
    ada = browser(cast, "ada")
    assert ada.post(f"/w/{cast.workspace.slug}/admin/portal/connection/add/", HTTP).status_code == 302
    with workspace.within(cast.ws):
        key = Connection.objects.get().pk
    told = page(cast, f"portal/connection/{key}/history/")
    assert "<td>System chosen</td>" in told
    assert f"<td>{cast.people['ada'].name}</td>" in told
    assert "<div>Part: Payments</div>" in told
    assert "{" not in told[told.index("change-history") :].partition("</table>")[0]
    about_mara = page(cast, f"portal/membership/{_membership(cast)}/history/")
    assert "<td>Countersign</td>" in about_mara
    assert "<div>Active: yes</div>" in about_mara


def _membership(cast: Cast) -> int:
    with workspace.within(cast.ws):
        return cast.people["mara"].memberships.get().pk


def test_who_reads_a_policy_page_is_told_without_brackets(cast: Cast) -> None:
    steps.page(cast, "Within 30 days.")
    assert "staff, agents" in page(cast, "portal/page/")

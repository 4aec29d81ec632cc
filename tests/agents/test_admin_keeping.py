"""Holds and periods in the admin: by admins alone, within bounds, on the log, and naming nobody."""

from typing import Any

import pytest
from django.conf import settings

from audit.models import Entry, Hold, Retention, Unattributed
from portal import workspace
from tests.agents.erasing import Person
from tests.api.calls import browser
from tests.approvals import steps
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def page(cast: Cast, what: str) -> str:
    return f"/w/{cast.workspace.slug}/admin/audit/{what}/"


def test_a_period_is_the_next_version_within_its_bounds(cast: Cast) -> None:
    ada: Any = browser(cast, "ada")
    for days, code in (("29", 200), ("91", 200), ("45", 302), ("60", 302)):
        said = {"kind": "full_transcripts", "days": days}
        assert ada.post(page(cast, "retention/add"), said).status_code == code, days
    with workspace.within(cast.ws):
        assert list(Retention.objects.order_by("version").values_list("version", "days")) == [(1, 45), (2, 60)]
        assert Entry.objects.filter(event="retention.set", subject="period:full_transcripts").count() == 2
        assert not Unattributed.objects.exists()
    shown = ada.get(page(cast, "retention")).content.decode()
    assert "60" in shown
    assert ">45<" not in shown


def test_a_hold_is_placed_and_lifted_by_row_and_names_nobody(cast: Cast) -> None:
    ada: Any = browser(cast, "ada")
    person = Person()
    steps.order(cast, customer=person.customer)
    said = {"who": f"customer:{person.customer}", "placed": "1", "reason": "A court asked for it"}
    assert ada.post(page(cast, "hold/add"), {**said, "who": "customer:nobody"}).status_code == 200
    assert ada.post(page(cast, "hold/add"), said).status_code == 302
    assert ada.post(page(cast, "hold/add"), said).status_code == 200  # it stands already
    assert ada.post(page(cast, "hold/add"), {**said, "placed": ""}).status_code == 302
    assert ada.post(page(cast, "hold/add"), {"who": "", "placed": "1", "reason": "All of it"}).status_code == 302
    with workspace.within(cast.ws):
        rows = list(Hold.objects.order_by("pk").values_list("about", "placed"))
        texts = " ".join(Entry.objects.filter(event__startswith="hold.").values_list("canonical", flat=True))
    assert [placed for _, placed in rows] == [True, False, True]
    assert rows[0][0].startswith("customer:")
    assert person.mark not in f"{rows}{texts}"


@pytest.mark.parametrize("name", ["rosa", "mara", "odile"])
def test_nobody_else_sets_them(cast: Cast, name: str) -> None:
    client: Any = browser(cast, name)
    for what in ("retention/add", "hold/add"):
        assert client.get(page(cast, what)).status_code in (403, 404)
        assert client.post(page(cast, what), {"kind": "traces", "days": "9"}).status_code in (403, 404)

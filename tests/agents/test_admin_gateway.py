"""Setting servers, keys, prices, budgets and bars in the admin: by admins alone, on the log, the key never shown."""

from typing import Any

import pytest
from django.conf import settings

from agents.models import Budget, ConfidenceBar, ModelBackend, ModelPrice
from audit.models import Entry, Unattributed
from portal import workspace
from tests.api.calls import browser
from tests.conftest import signed_in

BACKEND = {
    "name": "main", "base_url": "http://127.0.0.1:9/v1", "allow_private": "on", "small_model": "small-1",
    "large_model": "large-1", "verifier_model": "", "rank": "10", "deadline_seconds": "20",
}  # fmt: skip
SECRET = "sk-nobody-sees-this-again"


@pytest.fixture
def admin(desk) -> Any:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return browser(desk.cast, "ada")


def page(desk, what: str) -> str:
    return f"/w/{desk.cast.workspace.slug}/admin/agents/{what}"


def test_an_admin_sets_a_server_its_key_and_its_prices(desk, admin):
    from agents.gateway import catalogue

    said = admin.post(page(desk, "modelbackend/add/"), BACKEND, follow=True).content.decode()
    assert "No price is set yet for small-1" in said
    assert "No key is set yet for main" in said
    said = admin.post(page(desk, "modelkey/add/"), {"backend": "main", "secret": SECRET}, follow=True).content.decode()
    assert SECRET not in said
    price = {"model": "small-1", "since": "2026-01-01", "input_micros": "150000", "output_micros": "600000"}
    said = admin.post(page(desk, "modelprice/add/"), price, follow=True).content.decode()
    assert "$0.15" in said
    with signed_in("agents"), workspace.within(desk.workspace):
        (row,) = catalogue.backends(desk.workspace)
        assert catalogue.open_key(row).get_secret_value() == SECRET
    entries = desk.rows(Entry, actor=f"person:{desk.cast.id('ada')}")
    assert [entry.event for entry in entries] == ["backend.set", "model_key.set", "price.set"]
    assert SECRET not in "".join(entry.canonical for entry in entries)
    assert desk.rows(Unattributed) == []
    for name in ("modelbackend", "modelkey", "modelprice", "budget", "confidencebar", "modelcall", "account",
                 "backendhealth"):  # fmt: skip
        assert admin.get(page(desk, f"{name}/")).status_code == 200, name
    key = admin.get(page(desk, "modelkey/")).content.decode()
    assert "main" in key
    assert SECRET not in key


def test_saving_again_is_the_next_version_of_the_same(desk, admin):
    admin.post(page(desk, "modelbackend/add/"), BACKEND)
    (first,) = desk.rows(ModelBackend)
    change = {name: value for name, value in BACKEND.items() if name != "name"} | {"small_model": "small-2"}
    admin.post(page(desk, f"modelbackend/{first.pk}/change/"), change)
    rows = desk.rows(ModelBackend)
    assert [(row.name, row.version, row.small_model) for row in rows] == [
        ("main", 1, "small-1"), ("main", 2, "small-2")
    ]  # fmt: skip
    assert ">small-1<" not in admin.get(page(desk, "modelbackend/")).content.decode()
    assert admin.get(page(desk, f"modelbackend/{rows[1].pk}/history/")).status_code == 200


@pytest.mark.parametrize(
    ("off", "says"),
    [
        ({"base_url": "https://evil.example.com/v1"}, "MODEL_HOSTS"),
        ({"allow_private": ""}, "plain http is for private"),
        ({"small_model": "", "large_model": ""}, "name a model"),
        ({"deadline_seconds": "31"}, "1 to 30"),
        ({"name": "two words"}, "valid"),
    ],
)
def test_a_server_that_cannot_be_used_is_refused_beside_its_field(desk, admin, off, says):
    answer = admin.post(page(desk, "modelbackend/add/"), BACKEND | off)
    assert answer.status_code == 200
    assert says.lower() in answer.content.decode().lower()
    assert desk.rows(ModelBackend) == []


def test_budgets_and_bars_are_set_and_retired(desk, admin):
    budget = {"scope": "agent", "holder": "triage", "kind": "money", "per": "day", "most": "2500000"}
    said = admin.post(page(desk, "budget/add/"), budget, follow=True).content.decode()
    assert "$2.5" in said
    (row,) = desk.rows(Budget)
    admin.post(page(desk, f"budget/{row.pk}/change/"), budget | {"retired": "on"})
    assert [(b.series == row.series, b.version, b.retired) for b in desk.rows(Budget)] == [
        (True, 1, False), (True, 2, True)
    ]  # fmt: skip
    for off, says in (
        ({"holder": "nobody"}, "no such agent"),
        ({"scope": "run"}, "per run"),
        ({"scope": "tool", "holder": "queues"}, "calls are counted"),
    ):
        assert says in admin.post(page(desk, "budget/add/"), budget | off).content.decode()
    admin.post(page(desk, "confidencebar/add/"), {"step": "classify", "percent": "70"})
    assert "0 to 100" in admin.post(
        page(desk, "confidencebar/add/"), {"step": "classify", "percent": "170"}
    ).content.decode()  # fmt: skip
    assert [(bar.step, bar.percent) for bar in desk.rows(ConfidenceBar)] == [("classify", 70)]


def test_others_may_read_and_not_set(desk):
    for name, code in (("mara", 200), ("odile", 200), ("rosa", 404)):
        assert browser(desk.cast, name).get(page(desk, "modelbackend/")).status_code == code
        assert browser(desk.cast, name).post(page(desk, "modelbackend/add/"), BACKEND).status_code in (403, 404)
    assert desk.rows(ModelBackend) == desk.rows(ModelPrice) == []

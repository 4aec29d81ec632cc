"""Django admin inside a workspace: who sees what, what saving writes, and what stays outside."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from approvals import thresholds
from approvals.models import DailyCap, Threshold
from audit.models import Entry, Unattributed
from portal import workspace
from portal.models import Membership, Person, Queue
from tests.api.calls import browser, proposed
from tests.cast import PASSWORD, Cast, gather

PAGES = (
    "approvals/threshold", "approvals/dailycap", "approvals/proposal", "approvals/submission",
    "approvals/handoff",
    "approvals/decision", "portal/membership", "portal/queue", "audit/entry",
)  # fmt: skip


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def address(cast: Cast, path: str = "") -> str:
    return f"/w/{cast.workspace.slug}/admin/{path}"


def in_force(cast: Cast, series: str) -> Threshold:
    with workspace.within(cast.ws):
        return next(row for row in thresholds.in_force(cast.ws) if row.series == series)


BAND = {
    "action": "refund.create", "proposer_kind": "", "agent": "", "currency": "EUR", "above": "",
    "up_to": "50.00",
    "tier": "low", "people": "one", "second_role": "", "confidence_floor_pct": "80", "hold_seconds": "900",
    "fresh_minutes": "240",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status"), [("ada", 200), ("mara", 200), ("odile", 200), ("rosa", 404), ("otto", 404)]
)
def test_roles_decide_who_comes_in(cast: Cast, name: str, status: int) -> None:
    client = browser(cast, name)
    for page in ("", *(f"{page}/" for page in PAGES)):
        assert client.get(address(cast, page)).status_code == status, page


def test_nobody_signs_in_here(cast: Cast) -> None:
    answer = Client().get(address(cast))
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")
    login = address(cast, "login/")
    assert Client().get(login)["Location"].startswith("/accounts/login/")
    posted = Client().post(login, {"username": cast.people["ada"].email, "password": PASSWORD})
    assert posted["Location"].startswith("/accounts/login/")
    assert browser(cast, "ada").get(login).status_code == 404
    assert browser(cast, "ada").get(address(cast, "password_change/"))["Location"] == "/accounts/password/change/"


def test_flags_and_permission_rows_open_nothing(cast: Cast) -> None:
    Person.objects.filter(pk=cast.id("rosa")).update(is_staff=True)
    assert browser(cast, "rosa").get(address(cast)).status_code == 404


@pytest.mark.parametrize("name", ["mara", "odile"])
def test_who_may_only_read_cannot_write(cast: Cast, name: str) -> None:
    client, row = browser(cast, name), in_force(cast, "refund-eur-low")
    for path in ("approvals/threshold/add/", f"approvals/threshold/{row.pk}/change/"):
        assert client.post(address(cast, path), BAND).status_code == 403, path
    assert client.post(address(cast, f"approvals/threshold/{row.pk}/delete/"), {"post": "yes"}).status_code == 403
    assert client.get(address(cast, f"approvals/threshold/{row.pk}/change/")).status_code == 200
    assert in_force(cast, "refund-eur-low").version == 1


def test_saving_a_threshold_writes_its_next_version_with_its_entry(cast: Cast) -> None:
    client, row = browser(cast, "ada"), in_force(cast, "refund-eur-low")
    page = client.get(address(cast, f"approvals/threshold/{row.pk}/change/")).content.decode()
    assert 'value="100.00"' in page
    stricter = BAND | {"up_to": "100.00", "people": "two", "why": "Two of them went wrong"}
    answer = client.post(address(cast, f"approvals/threshold/{row.pk}/change/"), stricter)
    assert answer.status_code == 302, answer.context["errors"]
    now = in_force(cast, "refund-eur-low")
    assert (now.version, now.people, now.made_by) == (2, "two", f"person:{cast.id('ada')}")
    with workspace.within(cast.ws):
        assert Threshold.objects.get(pk=row.pk).people == "one"
        assert Entry.objects.get(subject="threshold:refund-eur-low", version=2).event == "threshold.set"
        assert not Unattributed.objects.exists()
    assert client.get(address(cast, f"approvals/threshold/{row.pk}/change/")).status_code == 404
    history = client.get(address(cast, f"approvals/threshold/{now.pk}/history/")).content.decode()
    assert cast.people["ada"].name in history
    assert "Two of them went wrong" in history
    assert "One person → Two people" in history


def test_tightening_counts_at_once_and_loosening_waits_for_a_second_admin(cast: Cast) -> None:
    client, row = browser(cast, "ada"), in_force(cast, "ticket-reply")
    same = {
        "action": "ticket.reply", "proposer_kind": "", "agent": "", "currency": "", "above": "", "up_to": "",
        "tier": "medium", "people": "one", "second_role": "", "confidence_floor_pct": "80", "hold_seconds": "60",
        "fresh_minutes": "480",
    }  # fmt: skip
    stricter = [{"people": "two"}, {"tier": "high"}, {"confidence_floor_pct": "90"}, {"hold_seconds": "61"}]
    looser = [
        {"people": "one"}, {"tier": "low"}, {"confidence_floor_pct": "89"}, {"hold_seconds": "60"},
        {"fresh_minutes": "481"}, {"agent": "triage"}, {"second_role": ""},
    ]  # fmt: skip
    for change in [{}, *stricter, {"fresh_minutes": "479"}, {"second_role": "manager"}]:
        same |= change
        row = in_force(cast, "ticket-reply")
        answer = client.post(address(cast, f"approvals/threshold/{row.pk}/change/"), same)
        assert (answer.status_code, in_force(cast, "ticket-reply").version) == (302, row.version + 1), change
    row = in_force(cast, "ticket-reply")
    for change in looser:
        answer = client.post(address(cast, f"approvals/threshold/{row.pk}/change/"), same | change)
        assert (answer.status_code, in_force(cast, "ticket-reply").version) == (200, row.version), change
        assert "Looked at 0" in answer.content.decode(), "its backtest begins"


def test_a_looser_cap_waits_for_a_second_admin_and_a_new_one_does_not(cast: Cast) -> None:
    client = browser(cast, "ada")
    with workspace.within(cast.ws):
        row = next(cap for cap in thresholds.caps_in_force(cast.ws) if cap.series == "customer-writes")
    body = {"scope": "customer", "currency": "", "amount": ""}
    change = address(cast, f"approvals/dailycap/{row.pk}/change/")
    assert "writes from 3 to 4" in client.post(change, body | {"writes": "4"}).content.decode().lower()
    for writes, status in (("", 200), ("2", 302)):
        assert client.post(change, body | {"writes": writes}).status_code == status, writes
    other = {"scope": "agent", "currency": "KWD", "amount": "1.5", "writes": ""}
    assert client.post(address(cast, "approvals/dailycap/add/"), other).status_code == 302


def test_what_cannot_be_undone_is_never_taken_to_pass_alone(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        for action in ("ticket.update", "contact.update"):
            thresholds.set_threshold(
                workspace=cast.ws, series="", actor="system:test", now=now, action=action, tier="low",
                people="automatic", agent="triage",
            )  # fmt: skip
    client = browser(cast, "ada")
    for action in ("ticket.update", "contact.update"):
        values = BAND | {"action": action, "currency": "", "up_to": "", "people": "automatic", "agent": "contacts"}
        asked = client.post(address(cast, "approvals/threshold/add/"), values)
        assert "Looked at 0" in asked.content.decode(), "a second admin has to see it, and it is no error"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"above": "50.00"}, "up_to"), ({"above": "60"}, "up_to"), ({"up_to": "1.005"}, "up_to"),
        ({"up_to": "-1"}, "up_to"), ({"currency": "EURO"}, "currency"), ({"currency": "XAU"}, "currency"),
        ({"people": "automatic"}, "people"), ({"proposer_kind": "robot"}, "proposer_kind"),
        ({"action": "ticket.reply", "currency": "", "up_to": "", "people": "automatic"}, "people"),
        ({"action": "ticket.update"}, "currency"), ({"action": "shell.run"}, "action"),
        ({"agent": "No Such"}, "agent"), ({"agent": "triage", "proposer_kind": "person"}, "agent"),
        ({"fresh_minutes": "0"}, "fresh_minutes"), ({"fresh_minutes": "2147483647"}, "fresh_minutes"),
        ({"hold_seconds": "-1"}, "hold_seconds"), ({"confidence_floor_pct": "101"}, "__all__"),
    ],
)  # fmt: skip
def test_a_threshold_that_cannot_hold_is_refused(cast: Cast, change: dict[str, str], field: str) -> None:
    client = browser(cast, "ada")
    answer = client.post(address(cast, "approvals/threshold/add/"), BAND | change)
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors, answer.context["adminform"].form.errors
    with workspace.within(cast.ws):
        assert not Threshold.objects.filter(made_by=f"person:{cast.id('ada')}").exists()


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({}, "above", "crosses"), ({"above": "20.00", "up_to": "70.00"}, "above", "crosses"),
        ({"above": "90", "up_to": "400"}, "above", "refund-eur-low"),
        ({"above": "450", "up_to": ""}, "above", "500.00"),
        ({"above": "500", "up_to": "900"}, "tier", "lower tier"),
    ],
)  # fmt: skip
def test_bands_do_not_cross_and_more_money_is_of_no_lower_tier(
    cast: Cast, change: dict[str, str], field: str, says: str
) -> None:
    answer = browser(cast, "ada").post(address(cast, "approvals/threshold/add/"), BAND | change)
    errors = answer.context["adminform"].form.errors
    assert says in errors[field][0], errors


def test_a_row_that_already_crosses_can_be_made_stricter(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        crossing = thresholds.set_threshold(
            workspace=cast.ws, series="crossing", actor="system:test", now=now, action="refund.create", tier="low",
            people="one", currency="EUR", up_to_minor=5_000, hold_seconds=900, fresh_minutes=240,
        )  # fmt: skip
    change = address(cast, f"approvals/threshold/{crossing.pk}/change/")
    assert browser(cast, "ada").post(change, BAND | {"people": "two"}).status_code == 302


def test_an_amount_without_a_currency_is_in_the_workspace_s(cast: Cast) -> None:
    answer = browser(cast, "ada").post(
        address(cast, "approvals/threshold/add/"), BAND | {"currency": "", "agent": "refunds", "people": "never"}
    )
    assert answer.status_code == 302, answer.context["errors"]
    with workspace.within(cast.ws):
        made = Threshold.objects.get(made_by=f"person:{cast.id('ada')}")
    assert (made.currency, made.up_to_minor) == ("EUR", 5_000)


def test_a_cap_is_written_in_the_currency_s_decimals(cast: Cast) -> None:
    client = browser(cast, "ada")
    empty = {"scope": "agent", "currency": "", "writes": "", "amount": ""}
    assert client.post(address(cast, "approvals/dailycap/add/"), empty).status_code == 200
    client.post(address(cast, "approvals/dailycap/add/"), {"scope": "agent", "currency": "KWD", "amount": "1.5"})
    with workspace.within(cast.ws):
        assert DailyCap.objects.get(currency="KWD").amount_minor == 1500
    assert "1.500 KWD" in client.get(address(cast, "approvals/dailycap/")).content.decode()


def test_people_are_appointed_and_let_go_on_the_log(cast: Cast) -> None:
    client = browser(cast, "ada")
    body = {"email": f"New.{cast.workspace.slug}@example.com", "name": "Nora New", "role": "reviewer"}
    assert client.post(address(cast, "portal/membership/add/"), body).status_code == 302
    with workspace.within(cast.ws):
        made = Membership.objects.select_related("person").get(person__email=body["email"].lower())
        assert (made.role, made.active, made.person.name) == ("reviewer", True, "Nora New")
        assert not made.person.has_usable_password()
    client.post(address(cast, f"portal/membership/{made.pk}/change/"), {"role": "admin"})
    with workspace.within(cast.ws):
        made.refresh_from_db()
        assert (made.role, made.active) == ("reviewer", False)
        entries = Entry.objects.filter(subject=f"membership:{made.pk}")
        assert {(entry.event, entry.actor) for entry in entries} == {("membership.set", f"person:{cast.id('ada')}")}
        assert (len(entries), Unattributed.objects.count()) == (2, 0)


def test_the_last_admin_cannot_be_locked_out(cast: Cast) -> None:
    client = browser(cast, "ada")
    with workspace.within(cast.ws):
        rows = {m.person_id: m.pk for m in Membership.objects.filter(role="admin")}
    first, last = (address(cast, f"portal/membership/{rows[cast.id(n)]}/change/") for n in ("anton", "ada"))
    assert client.post(first, {}).status_code == 302
    answer = client.post(last, {})
    assert answer.status_code == 200
    assert "Nobody else administers" in answer.content.decode()
    with workspace.within(cast.ws):
        assert Membership.objects.filter(role="admin", active=True).count() == 1


def test_records_of_work_cannot_be_edited(cast: Cast) -> None:
    proposal = proposed(cast)
    with workspace.within(cast.ws):
        entry = Entry.objects.last()
    client = browser(cast, "ada")
    ids = {
        "approvals/proposal": proposal.pk,
        "approvals/submission": proposal.submission_id,
        "audit/entry": entry.pk,
    }
    for page, pk in ids.items():
        assert client.get(address(cast, f"{page}/{pk}/change/")).status_code == 200, page
        assert client.get(address(cast, f"{page}/{pk}/history/")).status_code == 200, page
        assert client.post(address(cast, f"{page}/{pk}/change/"), {"state": "applied"}).status_code == 403, page
        assert client.post(address(cast, f"{page}/{pk}/delete/"), {"post": "yes"}).status_code == 403, page
        assert client.get(address(cast, f"{page}/add/")).status_code == 403, page
        actions = {"action": "delete_selected", "_selected_action": [pk]}
        assert client.post(address(cast, f"{page}/"), actions).status_code == 200, page
    with workspace.within(cast.ws):
        proposal.refresh_from_db()
    assert proposal.state == "pending"


def foreign(other: Cast) -> dict[str, Any]:
    proposal = proposed(other)
    with workspace.within(other.ws):
        return {
            "approvals/threshold": Threshold.objects.first().pk,
            "approvals/dailycap": DailyCap.objects.first().pk,
            "approvals/proposal": proposal.pk, "approvals/submission": proposal.submission_id,
            "portal/membership": Membership.objects.filter(workspace=other.ws).first().pk,
            "portal/queue": Queue.objects.first().pk, "audit/entry": Entry.objects.first().pk,
        }  # fmt: skip


def test_ids_of_another_workspace_are_not_there(cast: Cast) -> None:
    other = gather()
    client = browser(cast, "ada")
    with workspace.within(cast.ws):
        mine = Queue.objects.first().pk
    for page, pk in foreign(other).items():
        for kind in ("change", "history", "delete"):
            assert client.get(address(cast, f"{page}/{pk}/{kind}/")).status_code in (403, 404), (page, kind)
            assert client.get(address(cast, f"{page}/{pk}/change/")).status_code == 404, page
    assert client.get(address(cast, f"portal/queue/{mine}/change/")).status_code == 200
    assert client.get(address(other)).status_code == 404
    people = client.get(address(cast, "portal/membership/")).content.decode()
    assert cast.people["rosa"].email in people
    assert other.people["rosa"].email not in people


def test_lists_ask_only_what_their_filters_ask(cast: Cast) -> None:
    client, page = browser(cast, "ada"), address(cast, "portal/membership/")
    assert client.get(page, {"role__exact": "admin"}).status_code == 200
    for lookup in ("person__password__startswith", "person__email", "workspace__slug"):
        assert client.get(page, {lookup: "a"}).status_code == 400, lookup
    assert client.get(address(cast, "r/1/1/")).status_code == 404


def test_pages_hold_under_the_strict_policy(cast: Cast) -> None:
    client, row = browser(cast, "ada"), in_force(cast, "refund-eur-low")
    for path in (
        "",
        "approvals/threshold/",
        f"approvals/threshold/{row.pk}/change/",
        "portal/membership/add/",
    ):
        answer = client.get(address(cast, path))
        page = answer.content.decode()
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert ' style="' not in page, path
        assert "onclick=" not in page, path
        assert "<script>" not in page, path


@pytest.mark.parametrize(
    ("name", "sees"), [("ada", True), ("mara", True), ("odile", True), ("rosa", False), ("ravi", False)]
)
def test_the_header_leads_whoever_may_read_it_to_log_and_admin(cast: Cast, name: str, sees: bool) -> None:
    page = browser(cast, name).get(f"/w/{cast.workspace.slug}/cases/").content.decode()
    for path in ("admin/", "audit/"):
        assert (f'href="{address(cast)[: -len("admin/")]}{path}"' in page) is sees, path
    assert f'href="/w/{cast.workspace.slug}/you/tokens/"' in page

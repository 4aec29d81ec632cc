"""The page of sweeps, the plan in the admin, the two records side by side, the command."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from agents.models import Sweep, SweepPlan
from approvals.models import Proposal
from portal import workspace
from tests.agents import sweeping
from tests.approvals import steps
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def client(cast: Cast, name: str) -> Client:
    found = Client()
    found.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return found


def path(cast: Cast, rest: str) -> str:
    return f"/w/{cast.workspace.slug}/{rest}"


def test_a_manager_begins_one_and_is_told_that_one_is_under_way(cast: Cast) -> None:
    mara = client(cast, "mara")
    assert b"The contacts were never swept." in mara.get(path(cast, "sweeps/")).content
    assert mara.post(path(cast, "sweeps/begin/")).status_code == 302
    again = mara.post(path(cast, "sweeps/begin/"))
    assert (again.status_code, b"is under way" in again.content) == (409, True)
    with workspace.within(cast.ws):
        assert Sweep.objects.get().started_by == f"person:{cast.id('mara')}"


@pytest.mark.parametrize("name", ["rosa", "odile"])
def test_nobody_else_begins_or_sees_them(cast: Cast, name: str) -> None:
    who = client(cast, name)
    assert who.get(path(cast, "sweeps/")).status_code == 403
    assert who.post(path(cast, "sweeps/begin/")).status_code == 403
    with workspace.within(cast.ws):
        assert not Sweep.objects.exists()


def test_an_admin_plans_the_time_of_day_and_a_manager_does_not(cast: Cast) -> None:
    wanted = {"on": "on", "at": "03:30", "per_sweep": "10", "per_day": "20"}
    assert client(cast, "mara").post(path(cast, "admin/agents/sweepplan/add/"), wanted).status_code == 403
    ada = client(cast, "ada")
    bad = ada.post(path(cast, "admin/agents/sweepplan/add/"), {**wanted, "per_day": "0"})
    assert b"From 1 to 1000" in bad.content
    assert ada.post(path(cast, "admin/agents/sweepplan/add/"), wanted).status_code == 302
    with workspace.within(cast.ws):
        row = SweepPlan.objects.get()
    assert (row.on, f"{row.at:%H:%M}", row.per_sweep, row.per_day, row.version) == (True, "03:30", 10, 20, 1)
    assert b"every day at 03:30" in client(cast, "mara").get(path(cast, "sweeps/")).content


def merge(cast: Cast, **more: object) -> Proposal:
    keep = steps.contact(cast, {"full_name": "Cleo Marsh", "phone": "1", "city": "<b>Ulm"}, locked=("phone",))
    other = steps.contact(cast, {"full_name": "Cleo Marsch", "phone": "2", "email": "cleo@example.com"})
    args = {"other": other.removeprefix("contact:"), **more}
    return steps.propose(cast, keep, "contact.merge", keep, args, agent="contacts")


def test_both_records_stand_side_by_side(cast: Cast) -> None:
    row = merge(cast)
    html = client(cast, "rosa").get(path(cast, f"proposals/{row.pk}/")).content.decode()
    for words in ("Both records", "is retired", "a person locked it", "only the other one has it", "&lt;b&gt;Ulm"):
        assert words in html
    assert "<b>Ulm" not in html


def test_whoever_edits_it_chooses_what_survives(cast: Cast) -> None:
    row = merge(cast)
    rosa = client(cast, "rosa")
    page = rosa.get(path(cast, f"proposals/{row.pk}/edit/"))
    assert page.status_code == 200
    answer = rosa.post(
        path(cast, f"proposals/{row.pk}/edit/"),
        {"revision": row.revision, "digest": row.digest, "take": "full_name/1", "leave": "email/1"},
    )
    assert answer.status_code in (200, 302)
    with workspace.within(cast.ws):
        revision = row.revisions.order_by("-number").first()
    assert revision is not None
    assert revision.args == {"other": revision.args["other"], "take": ["full_name"], "leave": ["email"]}


def test_the_command_begins_one_and_refuses_a_second(cast: Cast) -> None:
    out = StringIO()
    call_command("sweep", "--workspace", cast.workspace.slug, "--json", stdout=out)
    assert json.loads(out.getvalue())["state"] == "queued"
    with pytest.raises(CommandError, match="under way"):
        call_command("sweep", "--workspace", cast.workspace.slug)
    with workspace.within(cast.ws):
        sweep = Sweep.objects.get()
    assert sweeping.work(cast, sweep).state == "done"
    with pytest.raises(CommandError, match="no-such-shop"):
        call_command("sweep", "--workspace", "no-such-shop")

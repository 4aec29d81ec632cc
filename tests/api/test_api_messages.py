"""A customer's next messages over the API: once each, on the log, and what waited for them goes on."""

from collections.abc import Callable
from typing import Any

import pytest

from approvals import waiting
from approvals.models import Case, Outbox
from audit.models import Entry
from portal import models, workspace
from tests.api.calls import Caller
from tests.cast import Cast, gather
from tests.conftest import signed_in

TICKET = {"id": "ext-1", "agent": "triage", "text": "My kettle leaks.", "from_email": "cleo@example.com"}
MESSAGE = {"id": "m-1", "text": "It still does."}
PATH = "tickets/ext-1/messages/"


def test_the_same_message_is_taken_once(cast: Cast, caller: Callable[..., Caller]) -> None:
    sender = caller("ada", ("tickets:write",))
    case = sender.post("tickets/", TICKET).json()["case"]
    first, again = sender.post(PATH, MESSAGE), sender.post(PATH, MESSAGE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == {"id": "m-1", "case": case, "seq": 2, "new": True}
    assert again.json() == {**first.json(), "new": False}
    assert sender.post(PATH, {**MESSAGE, "id": "m-2"}).json()["seq"] == 3
    with workspace.within(cast.ws):
        assert list(models.Message.objects.order_by("seq").values_list("sender", flat=True)) == ["customer"] * 3
        entries = Entry.objects.filter(event="message.received")
        assert [entry.actor for entry in entries] == [f"person:{cast.id('ada')}"] * 2
        assert all("still does" not in entry.canonical for entry in entries)


def test_it_ends_the_waiting_for_the_customer(cast: Cast, caller: Callable[..., Caller]) -> None:
    sender = caller("ada", ("tickets:write",))
    case = sender.post("tickets/", TICKET).json()["case"]
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        waiting.pause(workspace=cast.ws, case=case, actor=f"person:{cast.id('rosa')}", now=now, because="asked")
    assert sender.post(PATH, MESSAGE).status_code == 201
    with workspace.within(cast.ws):
        entry = Outbox.objects.get(task="approvals.tasks.resume").object_id
    with signed_in("apply"):
        waiting.resume(workspace=cast.ws, entry=entry)
    with workspace.within(cast.ws):
        assert Case.objects.get(pk=case).waiting_since is None


def test_who_may_not_send(cast: Cast, caller: Callable[..., Caller]) -> None:
    caller("ada", ("tickets:write",)).post("tickets/", TICKET)
    assert caller(scopes=("cases:read",)).post(PATH, MESSAGE).status_code == 403
    assert Caller(cast.workspace.slug, "").post(PATH, MESSAGE).status_code == 401


@pytest.mark.parametrize("ticket", ["ext-2", "%00", "ext-1%00", "a/b", "..%2f", "x" * 3000])
def test_a_ticket_there_is_not_is_404(cast: Cast, caller: Callable[..., Caller], ticket: str) -> None:
    sender = caller()
    sender.post("tickets/", TICKET)
    assert sender.post(f"tickets/{ticket}/messages/", MESSAGE).status_code == 404


def test_a_ticket_of_another_workspace_is_404(cast: Cast, caller: Callable[..., Caller]) -> None:
    caller().post("tickets/", TICKET)
    other = gather()
    from tests.api.calls import make_token

    stranger = Caller(other.workspace.slug, make_token(other, "ada", ("tickets:write",))[1])
    assert stranger.post(PATH, MESSAGE).status_code == 404


def test_an_id_with_a_slash_is_found(cast: Cast, caller: Callable[..., Caller]) -> None:
    sender = caller()
    sender.post("tickets/", {**TICKET, "id": "shop/7"})
    assert sender.post("tickets/shop/7/messages/", MESSAGE).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "text"), ({"text": "  \n"}, "text"), ({"text": "x" * 100_001}, "text"), ({"text": None}, "text"),
        ({"id": ""}, "id"), ({"id": "x" * 121}, "id"), ({"id": 7}, "id"), ({"sender": "staff"}, "sender"),
        ({"text": "a\x00"}, "text"),
    ],
)  # fmt: skip
def test_a_body_that_is_off_names_its_field(
    cast: Cast, caller: Callable[..., Caller], change: dict[str, Any], field: str
) -> None:
    sender = caller()
    sender.post("tickets/", TICKET)
    answer = sender.post(PATH, {**MESSAGE, **change})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    with workspace.within(cast.ws):
        assert models.Message.objects.count() == 1

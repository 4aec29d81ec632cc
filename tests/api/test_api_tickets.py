"""Tickets in over the API, and the bodies that are refused."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from agents.models import Run
from audit.models import Entry
from portal import models, workspace
from tests.api.calls import Caller
from tests.cast import Cast

TICKET = {"id": "ext-1", "agent": "triage", "text": "My kettle leaks.", "from_email": "cleo@example.com"}


def test_the_same_id_is_taken_once(cast: Cast, caller: Callable[..., Caller]) -> None:
    sender = caller("ada", ("tickets:write",))
    first, again = sender.post("tickets/", TICKET), sender.post("tickets/", TICKET)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() | {"new": False} == again.json()
    with workspace.within(cast.ws):
        assert (models.Ticket.objects.count(), Run.objects.count()) == (1, 1)
        entry = Entry.objects.get(event="ticket.received")
    assert entry.actor == f"person:{cast.id('ada')}"


def test_who_may_not_send(cast: Cast, caller: Callable[..., Caller]) -> None:
    assert caller(scopes=("cases:read",)).post("tickets/", TICKET).status_code == 403
    assert Caller(cast.workspace.slug, "").post("tickets/", TICKET).status_code == 401


deep = "[" * 10_000 + "]" * 10_000
REFUSED: dict[str, tuple[Any, int, str]] = {
    "not JSON": (b"{", 422, "body"),
    "nothing": (b"", 422, "id"),
    "not UTF-8": (b'{"id": "\xff"}', 422, "body"),
    "not an object": ([1], 422, "body"),
    "a NUL": ({**TICKET, "text": "a\x00b"}, 422, "text"),
    "half a character": (json.dumps({**TICKET, "text": "\ud800"}).encode(), 422, "text"),
    "a NUL in a name": ({**TICKET, "a\x00": 1}, 422, "body"),
    "nested": (f'{{"id": {deep}}}'.encode(), 422, "body"),
    "a little nested": ({**TICKET, "text": json.loads("[" * 30 + "]" * 30)}, 422, "body"),
    "a huge number": (b'{"id": ' + b"9" * 10_000 + b"}", 422, "body"),
    "a number beyond": (b'{"id": 9007199254740993}', 422, "body"),
    "a float": (b'{"id": 1e309}', 422, "body"),
    "not a number": (b'{"id": NaN}', 422, "body"),
    "a key twice": (b'{"id": "a", "id": "b"}', 422, "body"),
    "10 MB": ({**TICKET, "text": "x" * 10_000_000}, 413, "body"),
    "a long text": ({**TICKET, "text": "x" * 100_001}, 422, "text"),
    "a long id": ({**TICKET, "id": "x" * 121}, 422, "id"),
    "an empty id": ({**TICKET, "id": ""}, 422, "id"),
    "a blank id": ({**TICKET, "id": "  "}, 422, "id"),
    "an id that is a number": ({**TICKET, "id": 7}, 422, "id"),
    "an agent there is not": ({**TICKET, "agent": "nobody"}, 422, "agent"),
    "an agent that takes no tickets": ({**TICKET, "agent": "contacts"}, 422, "agent"),
    "an unknown field": ({**TICKET, "queue": "vip"}, 422, "queue"),
    "another workspace": ({**TICKET, "workspace": 1}, 422, "workspace"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_body_that_is_off_gets_one_clear_error(cast: Cast, caller: Callable[..., Caller], name: str) -> None:
    body, status, field = REFUSED[name]
    started = time.monotonic()
    answer = caller().post("tickets/", body)
    assert time.monotonic() - started < 1
    assert (answer.status_code, answer.json()["field"]) == (status, field), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert len(answer.json()["detail"]) < 300
    with workspace.within(cast.ws):
        assert not models.Ticket.objects.exists()


def test_strange_but_whole_text_is_kept(cast: Cast, caller: Callable[..., Caller]) -> None:
    text = "\u202ereversed\u200b <script>alert(1)</script> 😀"
    assert caller().post("tickets/", {**TICKET, "text": text}).status_code == 201
    with workspace.within(cast.ws):
        assert models.Message.objects.get().body == text


def test_another_kind_of_body_is_refused(cast: Cast, caller: Callable[..., Caller], client) -> None:
    answer = client.post(
        f"/w/{cast.workspace.slug}/api/tickets/",
        {"id": "x"},
        headers={"authorization": f"Bearer {caller().secret}"},
    )
    assert answer.status_code == 415
    assert caller().get("tickets/").status_code == 405

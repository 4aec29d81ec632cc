"""The queue as a file: what its page shows, all pages of it, for those who oversee it, and on the log."""

import csv
import io
import json

import pytest
from django.http import HttpResponse

from approvals import tabular
from approvals import taking as files
from audit.models import Entry
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def mara(cast: Cast) -> Desk:
    return sit_down(cast, "mara")


def waiting(cast: Cast, priority: str = "P1") -> str:
    target = steps.ticket(cast)
    return f"proposal:{steps.propose(cast, target, 'ticket.update', target, {'priority': priority}).pk}"


def taken(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_it_holds_every_page_in_the_order_of_the_queue(cast: Cast, mara: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECE", 2)
    items = [waiting(cast) for _ in range(5)]
    lines = [json.loads(line) for line in taken(mara.post("/export/", {"format": "jsonl"})).splitlines()]
    assert [line["item"] for line in lines] == items
    assert {line["state"] for line in lines} == {"pending"}
    rows = list(csv.reader(io.StringIO(taken(mara.post("/export/", {"format": "csv"})).decode())))
    assert tuple(rows[0]) == files.COLUMNS
    assert [row[0] for row in rows[1:]] == items


def test_it_holds_what_the_filters_ask_for_and_says_so_on_the_log(cast: Cast, mara: Desk) -> None:
    waiting(cast)
    assert taken(mara.post("/export/?tier=high&play=1", {"format": "jsonl"})) == b""
    with workspace.within(cast.ws):
        noted = json.loads(Entry.objects.get(event="queue.exported").canonical)
    assert noted["actor"] == f"person:{cast.id('mara')}"
    assert noted["body"] == {"filters": "tier=high", "format": "jsonl"}
    assert len(taken(mara.post("/export/?state=handoffs", {"format": "csv"})).splitlines()) == 1


def test_it_is_for_those_who_oversee_the_queue(cast: Cast, mara: Desk) -> None:
    rosa = sit_down(cast, "rosa")
    assert rosa.post("/export/", {"format": "csv"}).status_code == 403
    assert "Take along" not in text(rosa.get())
    assert "Take along" in text(mara.get())
    assert mara.post("/export/", {"format": "xlsx"}).status_code == 404
    assert mara.post("/export/?q=order:", {"format": "csv"}).status_code == 422


def test_addresses_and_formulas_are_left_out(cast: Cast, mara: Desk) -> None:
    target = steps.ticket(cast)
    steps.propose(cast, target, "ticket.update", target, {"tags": ["ana@example.com"]})
    written = taken(mara.post("/export/", {"format": "csv"})).decode()
    assert "ana@example.com" not in written
    assert tabular.row(["=1+1", "a"]) == b'"\'=1+1","a"\r\n'

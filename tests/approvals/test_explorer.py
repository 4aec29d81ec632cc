"""The audit explorer: every filter finds what it should and nothing else, for whom it should."""

import csv
import io
import json
import re
from typing import Any

import pytest
from django.http import HttpResponse

from approvals import sentences
from approvals.models import Proposal
from audit import canonical, explorer, log
from audit.events import Event
from audit.models import Entry
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def odile(cast: Cast) -> Desk:
    return sit_down(cast, "odile")


def found(answer: HttpResponse) -> list[int]:
    """Ids of the entries on a page, as they stand there."""
    assert answer.status_code == 200, text(answer)
    return [int(pk) for pk in re.findall(r'<p><a href="/w/[^/]+/audit/entries/(\d+)/"', text(answer))]


def decided(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    steps.approve(cast, row, "rosa")
    return steps.apply(cast, row)


def entries(cast: Cast, **wanted: Any) -> list[int]:
    with workspace.within(cast.ws):
        rows = Entry.objects.filter(workspace_id=cast.ws, **wanted).order_by("-at", "-id")
        return list(rows.values_list("pk", flat=True))


def note(cast: Cast, many: int, actor: str = "system:test") -> None:
    with workspace.within(cast.ws) as now:
        log.record_all(
            [
                log.draft(
                    workspace=cast.ws,
                    subject=f"note:{number}",
                    version=1,
                    event=Event.BOOKS_IMPORTED,
                    actor=actor,
                    now=now,
                    body={"number": number},
                )
                for number in range(many)
            ]
        )


def test_each_filter_finds_its_own(cast: Cast, odile: Desk) -> None:
    row, other = decided(cast), decided(cast)
    rosa, case = cast.id("rosa"), f"case:{row.case_id}"
    assert found(odile.get(f"/audit/?who=person:{rosa}")) == entries(cast, actor=f"person:{rosa}")
    assert found(odile.get("/audit/?event=proposal.applied")) == entries(cast, event="proposal.applied")
    assert found(odile.get(f"/audit/?case={row.case_id}")) == entries(cast, case=case)
    assert found(odile.get(f"/audit/?record=proposal:{row.pk}")) == entries(cast, subject=f"proposal:{row.pk}")
    of_record = found(odile.get(f"/audit/?record={row.target}"))
    assert set(entries(cast, case=case)) <= set(of_record)
    assert not set(entries(cast, case=f"case:{other.case_id}")) & set(of_record)
    both = found(odile.get(f"/audit/?who=person:{rosa}&case={row.case_id}"))
    assert both == entries(cast, actor=f"person:{rosa}", case=case)


def test_time_is_read_in_the_readers_zone_and_does_not_include_its_end(cast: Cast, odile: Desk) -> None:
    row = decided(cast)
    with workspace.within(cast.ws):
        first = Entry.objects.get(subject=f"proposal:{row.pk}", version=1)
        odile.cast.people["odile"].time_zone = "Europe/Vienna"
        odile.cast.people["odile"].save(update_fields=["time_zone"])
    from zoneinfo import ZoneInfo

    local = first.at.astimezone(ZoneInfo("Europe/Vienna")).replace(tzinfo=None).isoformat()
    assert first.pk in found(odile.get(f"/audit/?since={local}"))
    assert first.pk not in found(odile.get(f"/audit/?until={local}"))
    assert first.pk in found(odile.get(f"/audit/?since={first.at.isoformat().replace('+', '%2B')}"))


def test_a_run_finds_all_that_carries_its_trace(cast: Cast, odile: Desk) -> None:
    row, trace = decided(cast), "ab" * 16
    with workspace.within(cast.ws) as now:
        for subject in ("run:7001", "submission:7001"):
            log.record(
                workspace=cast.ws, subject=subject, version=1, event=Event.RUN_FINISHED, actor="agent:triage", now=now,
                case=f"case:{row.case_id}", trace_id=trace,
            )  # fmt: skip
    assert found(odile.get("/audit/?run=7001")) == entries(cast, trace_id=trace)
    answer = odile.get("/audit/?run=999999")
    assert (answer.status_code, "may be under way" in text(answer)) == (422, True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("event=made.up", "event: the log knows no"),
        ("since=yesterday", "since: write a time as"),
        ("since=2026-05-02&until=2026-05-01", "until: lies before"),
        ("case=x", "case: is a number"),
        ("record=W-1", "record: write it with its kind"),
    ],
)
def test_a_filter_that_cannot_be_read_says_how_to_write_it(odile: Desk, query: str, said: str) -> None:
    answer = odile.get(f"/audit/?{query}")
    assert (answer.status_code, said in text(answer).replace("&#x27;", "'")) == (422, True)


def test_pages_follow_each_other_without_gap_or_double(cast: Cast, odile: Desk) -> None:
    note(cast, 2 * explorer.PAGE + 7)
    got, where = [], "/audit/?event=books.imported"
    for _ in range(5):
        page = odile.get(where)
        got += found(page)
        following = re.search(r'href="\?([^"]*after=[^"]*)"', text(page))
        if following is None:
            break
        where = f"/audit/?{following.group(1).replace('&amp;', '&')}"
    assert got == entries(cast, event="books.imported")
    assert len(got) == 2 * explorer.PAGE + 7


def test_the_cost_of_a_page_does_not_grow(cast: Cast, odile: Desk, django_assert_max_num_queries: Any) -> None:
    row = decided(cast)
    note(cast, explorer.PAGE)
    with django_assert_max_num_queries(22) as few:
        odile.get(f"/audit/?case={row.case_id}")
    with django_assert_max_num_queries(len(few)) as many:
        odile.get("/audit/")
    said = [one["sql"].upper() for one in many.captured_queries]
    assert [sql for sql in said if "COUNT(" in sql and " LIMIT " not in sql] == []  # what is unread counts to a hundred
    assert "OFFSET" not in " ".join(said)


def test_an_entry_is_told_in_words_above_its_bytes(cast: Cast, odile: Desk) -> None:
    row = decided(cast)
    (pk,) = entries(cast, event="decision.recorded")
    page = text(odile.get(f"/audit/entries/{pk}/"))
    assert f"<h1>Rosa Lindqvist approved “{row.summary}”</h1>" in page
    assert "The bytes that are hashed" in page
    with workspace.within(cast.ws):
        assert odile.get(f"/audit/entries/{pk}/entry.json").content.decode() == Entry.objects.get(pk=pk).canonical


def test_every_event_has_its_sentence() -> None:
    assert {str(event) for event in Event} - set(sentences.PHRASES) == set()
    assert all(sentences.short(str(event)) for event in Event)


def test_an_export_streams_what_is_found_and_is_an_entry_itself(cast: Cast, odile: Desk) -> None:
    note(cast, 1_200)
    answer = odile.post("/audit/export/", {"format": "jsonl", "event": "books.imported"})
    assert answer.streaming
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]
    assert [line["entry"] for line in lines] == entries(cast, event="books.imported")
    with workspace.within(cast.ws):
        first = Entry.objects.get(pk=lines[0]["entry"])
        noted = Entry.objects.get(event="log.exported")
    assert canonical.encode(lines[0]["leaf"]).decode() == first.canonical
    body = json.loads(noted.canonical)
    assert (body["actor"], body["body"]) == (
        f"person:{cast.id('odile')}", {"filters": "event=books.imported", "format": "jsonl"},
    )  # fmt: skip


def test_a_cell_never_begins_a_formula(cast: Cast, odile: Desk) -> None:
    note(cast, 1, actor="=HYPERLINK(1)")
    answer = odile.post("/audit/export/", {"format": "csv", "event": "books.imported"})
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert rows[0][:4] == ["entry", "at", "actor", "who"]
    assert [row[2] for row in rows[1:]] == ["'=HYPERLINK(1)"]


def test_a_reviewer_sees_the_log_of_a_case_and_nothing_beside(cast: Cast) -> None:
    row, rosa = decided(cast), sit_down(cast, "rosa")
    assert found(rosa.get(f"/audit/?case={row.case_id}")) == entries(cast, case=f"case:{row.case_id}")
    assert rosa.get(f"/log/cases/{row.case_id}/").url.endswith(f"/audit/?case={row.case_id}")  # type: ignore[attr-defined]
    assert [rosa.get(f"/audit/{q}").status_code for q in ("", "?event=token.made", "?who=person:1")] == [403] * 3
    outside = entries(cast, event="membership.set")[0]
    assert rosa.get(f"/audit/entries/{outside}/").status_code == 403
    assert rosa.get(f"/audit/entries/{outside}/entry.json").status_code == 403
    assert rosa.get(f"/audit/entries/{entries(cast, case=f'case:{row.case_id}')[0]}/").status_code == 200
    assert rosa.post("/audit/export/", {"format": "csv", "case": row.case_id}).status_code == 403
    for name in ("odile", "mara", "ada"):
        assert sit_down(cast, name).get("/audit/").status_code == 200

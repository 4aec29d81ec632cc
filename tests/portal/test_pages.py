"""Policy pages: versions that never change, who reads what, and a search in the language of each page."""

import json
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit.models import Entry
from portal import pages, workspace
from portal.models import Clause, Page
from tests.cast import Cast, gather
from tests.conftest import signed_in

ONE = [("RET-1", "Goods come back within thirty days."), ("RET-2", "Worn goods do not come back.")]


@pytest.fixture
def cast(live: None) -> Iterator[Cast]:
    return gather()


def publish(cast: Cast, words=ONE, *, slug: str = "returns", **more) -> Page:
    with workspace.within(cast.ws) as now:
        return pages.publish(
            workspace=cast.ws, slug=slug, title="Returns", actor="system:test", now=now,
            sentences=[pages.Sentence(key, "Returns", text) for key, text in words], **more,
        )  # fmt: skip


def force(cast: Cast) -> dict[str, tuple[int, str]]:
    with workspace.within(cast.ws):
        return {one.clause_id: (one.version, one.text) for one in pages.in_force(cast.ws)}


def test_a_version_follows_another_and_a_clause_keeps_its_own_while_its_words_stay(cast: Cast) -> None:
    publish(cast)
    second = publish(cast, [("RET-1", "Goods come back within ten days."), ONE[1]])
    assert second.version == 2
    assert force(cast) == {"RET-1": (2, "Goods come back within ten days."), "RET-2": (1, ONE[1][1])}
    with workspace.within(cast.ws):
        first = Page.objects.get(version=1)
        assert first.effective_until == second.effective_from
        assert [one.text for one in first.clauses.order_by("position")] == [text for _, text in ONE]
        entries = Entry.objects.filter(subject="page:returns").order_by("version")
        assert [json.loads(one.canonical)["body"]["clauses"] for one in entries] == [
            {"RET-1": 1, "RET-2": 1}, {"RET-1": 2, "RET-2": 1}
        ]  # fmt: skip


def test_the_same_again_is_no_new_version(cast: Cast) -> None:
    publish(cast)
    assert publish(cast).version == 1


def test_a_clause_that_comes_back_never_takes_a_version_it_had(cast: Cast) -> None:
    publish(cast)
    publish(cast, [ONE[1]])
    publish(cast, [("RET-1", "Something else entirely."), ONE[1]])
    assert force(cast)["RET-1"] == (2, "Something else entirely.")


def test_a_version_of_tomorrow_is_not_in_force_today(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        tomorrow = now + timedelta(days=1)
    publish(cast)
    publish(cast, [("RET-1", "Ten days.")], effective_from=tomorrow)
    assert force(cast)["RET-1"] == (1, ONE[0][1])
    with pytest.raises(pages.PageError, match="effective_from"):
        publish(cast, [("RET-1", "Five days.")])


@pytest.mark.parametrize(
    ("more", "words", "named"),
    [
        ({"readers": ["everyone"]}, ONE, "readers"),
        ({"slug": "Re turns"}, ONE, "slug"),
        ({}, [ONE[0], ONE[0]], "clauses"),
        ({}, [], "clauses"),
        ({"slug": "other"}, ONE, "clauses: RET-1 stands on the page returns"),
    ],
)
def test_what_cannot_be_published_is_named_and_nothing_is_written(cast: Cast, more, words, named) -> None:
    publish(cast)
    with pytest.raises(pages.PageError, match=named):
        publish(cast, words, **more)
    with workspace.within(cast.ws):
        assert Page.objects.count() == 1


def test_words_that_were_published_never_change_and_an_end_is_set_once(cast: Cast) -> None:
    publish(cast)

    def refused(statement: str, role: str) -> str:
        with signed_in(role), workspace.within(cast.ws), pytest.raises(DatabaseError) as error, transaction.atomic():
            connection.cursor().execute(statement)
        return str(error.value.__cause__.sqlstate)

    assert refused("UPDATE portal_clause SET text = 'x'", "web") == "42501"
    assert refused("UPDATE portal_clause SET text = 'x'", "owner") == "CS001"
    assert refused("UPDATE portal_page SET title = 'x'", "owner") == "CS001"
    assert refused("UPDATE portal_page SET effective_until = effective_from", "web") == "CS001"
    publish(cast, [("RET-1", "Ten days.")])
    assert refused("UPDATE portal_page SET effective_until = now() WHERE version = 1", "web") == "CS001"


def test_a_search_finds_by_the_stem_in_the_language_of_the_page_and_best_first(cast: Cast) -> None:
    publish(cast)
    publish(cast, [("DE-1", "Rücksendungen erstatten wir nach der Prüfung.")], slug="deutsch", language="de")
    publish(cast, [("XX-1", "Goods goods goods.")], slug="hidden", readers=["managers"])
    with workspace.within(cast.ws):
        rows = pages.readable(pages.in_force(cast.ws), (pages.STAFF,))
        found = pages.search(rows, "may a worn good come back?", limit=5)
        assert [one.clause.clause_id for one in found] == ["RET-2", "RET-1"]
        assert [one.clause.clause_id for one in pages.search(rows, "Rücksendung", limit=5)] == ["DE-1"]
        assert pages.search(rows, "giraffe & | ! ' \\ \x00", limit=5) == []


def test_an_agent_rests_on_what_it_may_read_and_its_reviewers_too(cast: Cast) -> None:
    publish(cast)
    publish(cast, [("M-1", "For managers.")], slug="managers", readers=["managers", "agents"])
    publish(cast, [("T-1", "For triage.")], slug="triage", readers=["staff", "agent:triage"])
    publish(cast, [("S-1", "For people.")], slug="people", readers=["staff"])
    with workspace.within(cast.ws):
        assert {one.clause_id for one in pages.for_agent(cast.ws, "refunds")} == {"RET-1", "RET-2"}
        assert {one.clause_id for one in pages.for_agent(cast.ws, "triage")} == {"RET-1", "RET-2", "T-1"}


def test_a_page_comes_in_by_the_command_and_a_broken_one_is_named(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / f"{secrets.token_hex(4)}.json"
    body = {"slug": "cards", "title": "Cards", "clauses": [{"clause_id": "C-1", "text": "Cards are blocked at once."}]}
    file.write_text(json.dumps(body))
    call_command("publish_page", str(file), workspace=cast.workspace.slug)
    assert force(cast) == {"C-1": (1, "Cards are blocked at once.")}
    for wrong, named in (({**body, "colour": 1}, "colour"), ({**body, "slug": ""}, "slug"), ({"slug": "x"}, "title")):
        file.write_text(json.dumps(wrong))
        with pytest.raises(CommandError, match=named) as error:
            call_command("publish_page", str(file), workspace=cast.workspace.slug)
        assert error.value.returncode == 2
    with workspace.within(cast.ws):
        assert Clause.objects.count() == 1

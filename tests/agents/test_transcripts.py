"""Transcripts: kept redacted, written by an agents process alone, read by managers and auditors alone."""

import pytest
from django.db import DatabaseError, connection, transaction

from agents import marking, transcripts
from agents.models import Run, Transcript
from audit.recognisers import Known
from portal import workspace
from portal.systems.records import Customer
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in

PRIVATE = (
    "Ana Silva <ana@example.com>, +49 30 901820, born 3/4/1980, 4111 1111 1111 1111, DE89370400440532013000,"
    " key sk-live-abcdEFGH12345678, password: hunter22"
)
PLANTED = ("Silva", "ana@", "901820", "1980", "4111", "DE89", "abcdEFGH", "hunter22")
ANA = marking.known_of(Customer("c-1", "Ana", "Silva", "ana@example.com"))


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def run(cast: Cast) -> Run:
    return steps.begin_run(cast, steps.ticket(cast))


def keep(cast: Cast, run: Run, prompt: str = PRIVATE, answer: str = PRIVATE, known: tuple[Known, ...] = ANA) -> None:
    with signed_in("agents"), workspace.within(cast.ws):
        transcripts.keep(run=run, step="reply", number=1, prompt=prompt, answer=answer, known=known)


def read(cast: Cast, name: str, impersonator: str = "") -> list[Transcript]:
    with transaction.atomic():
        looks = cast.id(impersonator) if impersonator else None
        workspace.enter(cast.ws, cast.id(name), impersonator=looks)
        return list(Transcript.objects.all())


def test_nothing_planted_reaches_one(cast: Cast, run: Run) -> None:
    keep(cast, run)
    (row,) = read(cast, "odile")
    for text in (row.prompt, row.answer):
        assert not any(value in text for value in PLANTED)
        assert "[NAME]" in text
        assert "[SECRET]" in text


def test_what_cannot_be_stored_is_named_and_what_is_long_is_cut_after_it_was_redacted(cast: Cast, run: Run) -> None:
    half = "x " * (transcripts.LONGEST // 4)
    keep(cast, run, "a\x00b\ud800", half[:-10] + "ana@example.com" + half + half)
    (row,) = read(cast, "odile")
    assert row.prompt == "a\ufffdb\ufffd"
    assert "characters left out" in row.answer
    assert "ana@" not in row.answer
    assert len(row.answer) < transcripts.LONGEST + 100


@pytest.mark.parametrize(("name", "rows"), [("mara", 1), ("odile", 1), ("rosa", 0), ("ada", 0), ("otto", 0)])
def test_managers_and_auditors_read_them(cast: Cast, run: Run, name: str, rows: int) -> None:
    keep(cast, run)
    assert len(read(cast, name)) == rows


def test_who_looks_as_somebody_else_reads_none(cast: Cast, run: Run) -> None:
    keep(cast, run)
    assert len(read(cast, "odile", impersonator="ada")) == 0
    assert len(read(cast, "odile")) == 1


def refused(sql: str) -> str:
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    return str(getattr(error.value.__cause__, "sqlstate", ""))


def test_an_agents_process_reads_and_changes_none(cast: Cast, run: Run) -> None:
    keep(cast, run)
    with signed_in("agents"), workspace.within(cast.ws):
        assert connection.settings_dict["USER"].endswith("agents")
        assert refused("SELECT prompt FROM agents_transcript") == "42501"
        assert refused("UPDATE agents_transcript SET prompt = ''") == "42501"
    for role in ("web", "apply"):
        with signed_in(role), workspace.within(cast.ws, cast.id("mara")):
            assert refused("DELETE FROM agents_transcript") == "42501"
            insert = "INSERT INTO agents_transcript (workspace_id, run_id, step, number, prompt, answer)"
            assert refused(f"{insert} VALUES ({cast.ws}, {run.pk}, 'x', 1, 'x', 'x')") == "42501"


def test_one_is_written_for_a_run_under_way_alone(cast: Cast, run: Run) -> None:
    keep(cast, run)
    with signed_in("agents"), workspace.within(cast.ws):
        Run.objects.filter(pk=run.pk).update(state="done")
    with pytest.raises(DatabaseError, match="row-level security"):
        keep(cast, run)

"""Clauses by words and by meaning: merged by rank, filtered before, paid for once, and without a model as ever."""

import hashlib

import pytest
from django.db import connection

from tests.agents.models import SMALL, calls, cap, connect
from tests.agents.test_replay import replayed, work
from tests.conftest import signed_in
from tests.modelserver import ModelServer

EMBED = "embed-1"
ASKS = "How many days do I have to bring a purchase back?"
BACK = "Articles can be returned within a month of delivery."


def as_aimock(text: str, numbers: int = 1536) -> list[float]:
    """The vector that aimock makes of a text that no fixture is about."""
    block, found = hashlib.sha256(text.encode()).digest(), []
    for at in range(numbers):
        if at and at % 32 == 0:
            block = hashlib.sha256(block).digest()
        found.append(block[at % 32] / 127.5 - 1)
    return found


def publish(desk, slug, clauses, readers=("staff", "agents")):
    from portal import pages
    from portal.pages import Sentence
    from portal.workspace import within

    with within(desk.workspace) as now:
        pages.publish(
            workspace=desk.workspace, slug=slug, title=slug, actor="system:test", now=now, readers=list(readers),
            sentences=[Sentence(name, "Returns", text) for name, text in clauses.items()],
        )  # fmt: skip


def embedding(desk, server, **values):
    from agents.gateway import catalogue
    from portal.workspace import within

    more = {"small_model": "", "large_model": "", "embedding_model": EMBED} | values
    connect(desk.workspace, server.base_url, **more)
    with within(desk.workspace) as now:
        catalogue.set_price(
            workspace=desk.workspace, model=EMBED, since=now.date(), input_micros=20_000, output_micros=0,
            actor="system:test", now=now,
        )  # fmt: skip


def means(clause_text: str) -> dict:
    """The question has the vector of this clause."""
    vector = as_aimock(f"Returns\n{clause_text}")
    return {"match": {"inputText": "bring a purchase back", "endpoint": "embedding"}, "response": {"embedding": vector}}


@pytest.fixture
def paged(desk):
    others = {
        f"SHIP-{n}": f"Parcel {n} takes {n} days." if n < 3 else f"Parcel {n} leaves on a weekday." for n in range(40)
    }
    publish(desk, "terms", {**others, "RET-1": BACK})
    return desk


def searched(desk, run):
    """What a run of triage finds for the question; worked as a run is, a call at a time."""
    from agents import retrieval
    from agents.gateway import calls as gateway_calls
    from agents.gateway.asker import Asker, Needs
    from agents.gateway.plans import Catalogue
    from agents.models import Run
    from portal.workspace import within

    with signed_in("agents"):
        while True:
            with within(desk.workspace) as now:
                row, known = Run.objects.get(pk=run), Catalogue(desk.workspace, now)
                asker = Asker(row, known)
                try:
                    return retrieval.search(desk.workspace, "triage", ASKS, asker), asker
                except Needs as needs:
                    pending = gateway_calls.begin(row, needs.move, known, now=now)
            gateway_calls.make(pending)


def leased(desk, name="T-1"):
    from agents import workflow
    from portal.workspace import within

    run = desk.take_in("triage", id=name, text=ASKS).run
    with signed_in("agents"), within(desk.workspace) as now:
        assert workflow._lease(desk.workspace, run, now)
    return run


def embeddings(desk, step=None):
    return [call for call in calls(desk.workspace) if call.tier == 4 and step in (None, call.step)]


def test_ranks_are_merged_by_their_reciprocals():
    from agents.retrieval import fuse

    assert fuse([["a", "b", "c"], ["c", "d"]]) == ["c", "a", "b", "d"]
    assert fuse([["a", "b"], []]) == ["a", "b"]


def test_what_shares_no_word_is_found_by_what_it_means(paged, server):
    from agents.gateway.vectors import digest
    from agents.models import ClauseVector
    from portal.systems.records import Clause

    embedding(paged, server)
    server.says(means(BACK))
    found, asker = searched(paged, leased(paged))
    assert "RET-1" not in [one.clause_id for one in found], (
        "no word speaks for it, and its vector comes with the next run"
    )
    found, asker = searched(paged, leased(paged, "T-2"))
    assert "RET-1" in [one.clause_id for one in found]
    assert asker.notes == {}
    kept = paged.rows(ClauseVector)
    assert len(kept) == 41
    assert {row.model for row in kept} == {EMBED}
    assert digest(Clause("RET-1", "Returns", BACK)) in {row.digest for row in kept}
    assert [len(call.value["vectors"]) for call in embeddings(paged, "embed_pages")] == [0, 0, 0]
    assert len(embeddings(paged, "embed")) == 1, "the second run asks the same and is answered from the record"


def test_pages_for_others_are_neither_sent_nor_found(paged, server):
    from agents.models import ClauseVector

    publish(paged, "secret", {"SEC-1": "Bring a purchase back in many days, for managers."}, readers=("managers",))
    publish(paged, "alone", {"OWN-1": "Bring a purchase back in many days, for one."}, readers=("agent:triage",))
    embedding(paged, server)
    server.says(means(BACK))
    for name in ("T-1", "T-2"):
        found, _ = searched(paged, leased(paged, name))
        assert not {"SEC-1", "OWN-1"} & {one.clause_id for one in found}
    assert len(paged.rows(ClauseVector)) == 41
    sent = str(server.order("GET", "journal?path=/v1/embeddings"))
    assert "for managers" not in sent
    assert "within a month" in sent


def test_a_cap_or_an_endpoint_that_is_down_leaves_words_alone_and_says_so(paged, server):
    embedding(paged, server)
    cap(paged.workspace, 1)
    found, asker = searched(paged, leased(paged))
    assert asker.notes == {"suggest": "Searched by words alone: The cap on money leaves too little for it."}
    assert len(found) == 3
    assert embeddings(paged) == []
    cap(paged.workspace, 100_000)
    with ModelServer() as gone:
        embedding(paged, gone)
    found, asker = searched(paged, leased(paged, "T-2"))
    assert asker.notes == {"suggest": "Searched by words alone: No model server answers now."}
    assert len(found) == 3
    assert [call.outcome for call in embeddings(paged)] == ["unreachable"]


def test_free_text_is_not_sent_where_it_must_not_go_and_personal_data_nowhere(paged, server):
    from agents.gateway.vectors import of_question, texts

    assert "jo@example.com" not in str(texts(of_question("I am jo@example.com, how many days?")))
    embedding(paged, server, barred=["message"])
    server.says(means(BACK))
    _, asker = searched(paged, leased(paged))
    assert "No model server may be given free text of customers." in asker.notes["suggest"]
    assert server.order("GET", "journal?path=/v1/embeddings") == []


def test_vectors_of_another_length_are_never_compared(paged, server):
    from agents.gateway import vectors
    from portal.systems.records import Clause
    from portal.workspace import within

    embedding(paged, server)
    server.says(means(BACK))
    searched(paged, leased(paged))
    with signed_in("agents"), within(paged.workspace):
        clause = Clause("RET-1", "Returns", BACK)
        near = vectors.nearest(paged.workspace, EMBED, [clause], [0.5] * 3, limit=5)
    assert near == []


def test_a_run_ends_with_what_it_read_by_id_and_replays_to_the_same(paged, server, monkeypatch):
    from agents.models import Run, ToolCall
    from agents.triage import replying

    monkeypatch.setattr(replying, "asks", lambda *_: True)  # whatever the queue: this is about what is read

    embedding(paged, server)
    server.says(means(BACK))
    run = paged.take_in("triage", id="T-1", text=ASKS).run
    work(paged, run)
    (row,) = paged.rows(Run, pk=run)
    assert row.state == "done"
    (call,) = paged.rows(ToolCall, run=run, tool="passages")
    assert call.ended == "ok"
    assert 0 < len(row.retrieved) <= 12
    assert replayed(paged, run).equal


def test_without_an_endpoint_not_one_statement_more(paged, server):
    """A backend for words alone: what a run that suggests asks the database is what it asked before."""
    from django.test.utils import CaptureQueriesContext

    from agents import workflow

    connect(paged.workspace, server.base_url, small_model=SMALL, large_model="")
    run = paged.take_in("triage", id="T-1", text=ASKS).run
    with (
        signed_in("agents"),
        CaptureQueriesContext(
            connection,
        ) as seen,
    ):
        workflow.advance(workspace=paged.workspace, run=run)
    assert not [one for one in seen if "clausevector" in one["sql"] or "pg_attribute" in one["sql"]]


def test_web_may_not_put_a_vector_in_and_nobody_change_one(paged, server):
    from django.db import DatabaseError

    from portal.workspace import within

    embedding(paged, server)
    server.says(means(BACK))
    searched(paged, leased(paged))
    insert = "INSERT INTO agents_clausevector (workspace_id, digest, model, vector) VALUES (%s, 'x', 'm', '[1]')"
    for role, statement, values in (
        ("web", insert, [paged.workspace]), ("agents", "UPDATE agents_clausevector SET model = 'x'", []),
    ):  # fmt: skip
        with signed_in(role), pytest.raises(DatabaseError) as refused, within(paged.workspace):
            connection.cursor().execute(statement, values)
        assert refused.value.__cause__.sqlstate == "42501"
    with signed_in("agents"), within(paged.workspace):
        connection.cursor().execute(insert, [paged.workspace])


def test_a_database_without_pgvector_goes_on_by_words_and_a_check_says_so(paged, server, monkeypatch):
    from agents.gateway import plans
    from portal import checks

    assert checks.vectors(["default"]) == []
    monkeypatch.setattr(plans, "VECTORS_THERE", "SELECT false")
    embedding(paged, server)
    server.says(means(BACK))
    from agents import workflow

    run = paged.take_in("triage", id="T-1", text=ASKS).run
    with signed_in("agents"):
        assert workflow.advance(workspace=paged.workspace, run=run)
    assert embeddings(paged) == []

"""Personal data and secrets planted in a ticket: none in what a model is sent, a transcript or a log line holds."""

import io
import logging

import pytest

from agents import marking, transcripts, workflow
from agents.marking import Data, Passage
from agents.models import Run, Transcript
from agents.steps import triage
from agents.tools import Tools
from approvals import gate, queries
from audit import explorer, log
from portal import logs, workspace
from portal.models import Customer
from portal.systems.books import BooksReader
from tests import furnished
from tests.conftest import signed_in

CONTACT = ["zsuzsa.quill@example.org", "+44 20 7946 0958", "(212) 555-0147"]
IDENTITY = ["Zsuzsa", "Quillfeather", "24/12/1979", "born 3/4/80"]
PAYMENT = ["4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"]
SECRETS = [
    "sk-live-abcdEFGH12345678",
    "hunter22",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
]
PLANTED = {Data.CONTACT: CONTACT, Data.IDENTITY: IDENTITY, Data.PAYMENT: PAYMENT, Data.SECRET: SECRETS}
WRITTEN = (
    "Hi, Zsuzsa Quillfeather here, zsuzsa.quill@example.org, phone +44 20 7946 0958 or (212) 555-0147. I was born"
    " 3/4/80, not on 24/12/1979.\nTake it from 4111 1111 1111 1111 and pay to DE89 3704 0044 0532 0130 00.\nMy password"
    " is hunter22, keys: sk-live-abcdEFGH12345678 AKIAIOSFODNN7EXAMPLE"
    " eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln. Where is order #W1234567?"
)


def leaks(text: str, spared: frozenset[Data] = frozenset()) -> list[str]:
    """Planted values that stand in a text, but for those of classes that may."""
    return [value for data, values in PLANTED.items() if data not in spared for value in values if value in text]


def reported(surface: str, texts: int, found: list[str]) -> None:
    values = sum(map(len, PLANTED.values()))
    print(f"\n{surface}: {values} values planted, {texts} texts looked through, {len(found)} found")
    assert found == []


@pytest.fixture
def run(desk) -> Run:
    """A run on the planted ticket of a customer on record."""
    with workspace.within(desk.workspace):
        log.attribute("test")
        Customer.objects.create(
            workspace_id=desk.workspace, customer_id="zq-1", first_name="Zsuzsa", last_name="Quillfeather",
            email="zsuzsa.quill@example.org",
        )  # fmt: skip
    taken = desk.take_in("triage", id="1", text=WRITTEN, from_customer_id="zq-1", from_email="zsuzsa.quill@example.org")
    (row,) = desk.rows(Run, pk=taken.run)
    return row


def at_hand(desk):
    with workspace.within(desk.workspace):
        return marking.known_of(BooksReader(desk.workspace).customer("zq-1"))


def test_what_is_planted_is_there_to_be_found() -> None:
    assert sorted(leaks(WRITTEN)) == sorted(value for values in PLANTED.values() for value in values)


def test_a_model_request_holds_none(desk, run: Run) -> None:
    known, found = at_hand(desk), []
    steps = [*marking.NEEDS, "some other step"]
    for number, step in enumerate(steps):
        nonce = marking.nonce_of(run.trace_id, step, number)
        passages = [Passage("customer", "ticket:T-1", WRITTEN), Passage("tool", "tool:customer", WRITTEN)]
        sent = marking.mark(passages, step=step, nonce=nonce, known=known)
        found += leaks(sent.rules + sent.data, marking.NEEDS.get(step, frozenset()))
        assert "#W1234567" in sent.data
    reported("model requests", len(steps), found)


def test_a_transcript_holds_none(desk, run: Run) -> None:
    known = at_hand(desk)
    with signed_in("agents"), workspace.within(desk.workspace):
        Run.objects.filter(pk=run.pk).update(state="running", fence=1)
        transcripts.keep(run=run, step="reply", number=1, prompt=WRITTEN, answer=f"Dear Zsuzsa, {WRITTEN}", known=known)
    with workspace.within(desk.workspace, desk.cast.id("odile")):
        (row,) = Transcript.objects.all()
    reported("transcripts", 2, leaks(row.prompt) + leaks(row.answer))


@pytest.mark.parametrize("together", [False, True])
def test_log_lines_hold_none_even_where_an_error_quotes_the_ticket(desk, run: Run, monkeypatch, together: bool) -> None:
    def breaks(tools: Tools, *args: object) -> None:
        raise ValueError(f"cannot read {WRITTEN!r}")

    monkeypatch.setattr(triage, "classify", breaks)
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    handler.setFormatter(
        next(h.formatter for h in logging.getLogger().handlers if isinstance(h.formatter, logs.Scrubbed))
    )
    logging.getLogger("agents").addHandler(handler)
    try:
        with signed_in("agents"):
            if together:
                assert workflow.advance_due(workspace=desk.workspace) == 1
            else:
                assert workflow.advance(workspace=desk.workspace, run=run.pk) is False
    finally:
        logging.getLogger("agents").removeHandler(handler)
    text = kept.getvalue()
    assert "ValueError: cannot read" in text
    assert "#W1234567" in text
    reported("log lines", len(text.splitlines()), leaks(text))


def test_47_error_pages_and_exports_hold_none(desk, run: Run, monkeypatch) -> None:
    """Where a page breaks over the ticket, and in what an auditor takes along of its whole way."""
    with signed_in("agents"):
        workflow.advance(workspace=desk.workspace, run=run.pk)
    with signed_in("apply"):
        gate.pass_due(workspace=desk.workspace)
    odile, base = furnished.browser(desk.cast, "odile"), f"/w/{desk.cast.workspace.slug}"
    texts = [
        b"".join(odile.post(f"{base}/audit/export/", {"format": form}).streaming_content).decode()
        for form in ("csv", "jsonl")
    ]
    assert all("ticket.received" in text for text in texts)

    def breaks(*args: object, **more: object) -> None:
        raise ValueError(f"cannot show {WRITTEN!r}")

    monkeypatch.setattr(queries, "names", breaks)
    monkeypatch.setattr(explorer, "page", breaks)
    for path in ("/audit/", f"/runs/{run.pk}/", f"/cases/{run.case_id}/"):
        answer = odile.get(f"{base}{path}?q=hunter22")
        texts.append(answer.content.decode() if answer.status_code == 500 else "")
    assert sum(map(bool, texts)) > 2, "no page broke"
    # A name is recognised by no form; who exports may read the record that it is of.
    exports, pages = texts[:2], texts[2:]
    found = [value for text in exports for value in leaks(text, frozenset({Data.IDENTITY}))]
    reported("error pages and exports", len(texts), found + [value for text in pages for value in leaks(text)])

"""A server that may not be given a class of data: passed over for the next, or a person; the run says why."""

import pytest
from django.test import Client

from tests.agents.models import LARGE, SMALL, UNSURE, calls, connect, triage
from tests.agents.test_replay import work
from tests.conftest import signed_in
from tests.modelserver import answer, fixture

GOOD = triage("fees_billing", quote="the thing from last week")


def ticket(desk, text: str = UNSURE) -> int:
    taken = desk.take_in("triage", id="T-1", text=text)
    work(desk, taken.run)
    return taken.run


def page(desk, path: str, name: str = "rosa"):
    client = Client()
    client.force_login(desk.cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.get(f"/w/{desk.cast.workspace.slug}/{path}").content.decode()


def test_the_next_server_is_asked_and_the_page_of_the_run_says_why(desk, server):
    connect(desk.workspace, server.base_url, name="abroad", rank=1, barred=["message"])
    connect(desk.workspace, server.base_url, name="at-home", rank=2)
    server.says(fixture(SMALL, answer(GOOD)))
    run = ticket(desk)
    assert [(call.backend, call.outcome) for call in calls(desk.workspace, run)] == [("at-home", "answered")]
    assert "abroad was passed over: it may not be given free text of customers." in page(desk, f"runs/{run}/")


def test_with_no_other_a_person_gets_the_case_and_nothing_is_sent(desk, server):
    from approvals.models import Submission

    connect(desk.workspace, server.base_url, barred=["message", "payment"])
    server.says(fixture(SMALL, answer(GOOD)), fixture(LARGE, answer(GOOD)))
    run = ticket(desk)
    assert (server.asked(), calls(desk.workspace, run)) == ([], [])
    (paper,) = desk.rows(Submission)
    assert "no_model_answer" in paper.payload["flags"]
    assert "No model server may be given free text of customers." in str(paper.payload)
    assert "main was passed over" in page(desk, f"runs/{run}/")


def test_a_class_that_the_question_does_not_hold_bars_nobody(desk, server):
    connect(desk.workspace, server.base_url, barred=["contact", "identity", "payment", "order"])
    server.says(fixture(SMALL, answer(GOOD)))
    run = ticket(desk, f"{UNSURE} My e-mail is jo@example.com.")
    assert [call.outcome for call in calls(desk.workspace, run)] == ["answered"]
    assert "jo@example.com" not in str(server.asked()), "kept back, so not sent"
    assert "passed over" not in page(desk, f"runs/{run}/")


def test_what_a_second_look_shows_holds_what_it_is_about():
    from agents import prompts
    from agents.marking import Data
    from agents.steps import second_look
    from agents.types import Draft, Evidence

    told = prompts.in_force(second_look.STEP)

    def holds(draft: Draft, **shown: object) -> set[Data]:
        return set(second_look._request((draft,), shown, frozenset(), told).holds)

    refund = Draft("refund.create", "order:#W1", {}, 0.9, "", (Evidence("", "order:#W1", "x"),))
    assert holds(refund, orders=[], clauses=[]) == {Data.ORDER, Data.PAYMENT}
    assert holds(refund, message="x") == {Data.ORDER, Data.PAYMENT, Data.MESSAGE}
    assert holds(Draft("contact.update", "contact:c-1", {}, 0.9, "")) == {Data.IDENTITY, Data.CONTACT}
    assert len(holds(Draft("thing.do", "thing:1", {}, 0.9, ""))) == 5, "what nobody knows may hold anything"


def test_what_is_sent_open_because_a_step_needs_it_counts_too():
    from agents.gateway import routing
    from agents.gateway.base import Move, Offer, Part, Request, Said, Unanswered

    shown = Request("contacts", Said, (Part("data", "contact", "mail jo@example.com"),))
    offers = [
        Offer(1, name, 1, f"{name}-1", 1, 1, 10, frozenset(barred)) for name, barred in (("a", ["contact"]), ("b", []))
    ]
    step = routing.decide(shown, routing.Plan(tuple(offers)), ())
    assert isinstance(step, Move)
    assert step.offer.backend == "b"
    alone = routing.decide(shown, routing.Plan(tuple(offers[:1])), ())
    assert alone == Unanswered("barred", "No model server may be given contact data.")


def test_an_admin_says_it_by_a_new_version_on_the_log(desk):
    from agents.models import ModelBackend
    from audit.models import Entry

    client = Client()
    client.force_login(desk.cast.people["ada"], backend="allauth.account.auth_backends.AuthenticationBackend")
    at = f"/w/{desk.cast.workspace.slug}/admin/agents/modelbackend/"
    row = {
        "name": "main", "base_url": "http://127.0.0.1:9/v1", "allow_private": "on", "small_model": "small-1",
        "large_model": "", "verifier_model": "", "rank": "10", "deadline_seconds": "10",
    }  # fmt: skip
    client.post(f"{at}add/", row)
    (first,) = desk.rows(ModelBackend)
    client.post(f"{at}{first.pk}/change/", {**row, "barred": ["identity", "message"]})
    assert [(one.version, one.barred) for one in desk.rows(ModelBackend)] == [(1, []), (2, ["identity", "message"])]
    assert '"barred":["identity","message"]' in desk.rows(Entry, event="backend.set")[-1].canonical
    listed = client.get(at).content.decode()
    assert "names and dates of birth, free text of customers" in listed
    assert "is no class of data" not in listed
    refused = client.post(f"{at}add/", {**row, "name": "other", "barred": ["weather"]}).content.decode()
    assert "weather" in refused
    assert len(desk.rows(ModelBackend)) == 2


def test_a_class_that_nobody_knows_is_refused_by_the_service(desk):
    from agents.gateway import catalogue

    with signed_in("web"), pytest.raises(catalogue.CatalogueError, match="no class of data"):
        connect(desk.workspace, "http://127.0.0.1:9/v1", barred=["secret"])

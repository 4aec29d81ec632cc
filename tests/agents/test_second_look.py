"""A second model of another name looks at what is grave: it raises or stops, and never lowers or allows."""

import pytest

from tests.agents.models import LARGE, SMALL, VERIFIER, calls, connect
from tests.conftest import signed_in
from tests.modelserver import answer, fixture

TEXT = "Please return the kettle from {order}. I want the money back on card-cu-1 because it leaks."
DOWN = {"error": {"message": "away", "type": "server_error"}, "status": 503}
LIMIT = {"error": {"message": "slow down", "type": "rate_limit_error"}, "status": 429, "retryAfter": 90}


def verdict(word: str, *doubts: str, confidence: float = 0.95):
    return answer({"verdict": word, "doubts": list(doubts), "confidence": confidence})


def refund(desk, **values):
    """What a refund agent hands in about a leaking kettle, and its run."""
    from agents import workflow
    from approvals.models import Submission
    from tests.approvals import steps

    order = steps.order(desk.cast, amount=25_000)
    line = {"id": "R-1", "text": TEXT.format(order=order), "from_customer_id": "cu-1", "from_email": "cu-1@example.com"}
    taken = desk.take_in("refunds", **line)
    with signed_in("agents"):
        workflow.advance(workspace=desk.workspace, run=taken.run)
    return [row.payload for row in desk.rows(Submission)], taken.run, order


@pytest.fixture
def looked_at(desk, server):
    connect(desk.workspace, server.base_url, verifier_model=VERIFIER)
    return desk


def test_who_agrees_changes_nothing_and_sees_the_records_but_no_reasoning(looked_at, server):
    from agents.models import Step

    server.says(fixture(VERIFIER, verdict("agree")))
    papers, run, order = refund(looked_at)
    assert {paper["action"] for paper in papers} >= {"refund.create"}
    assert all(paper["flags"] == [] for paper in papers)
    (asked,) = server.asked()
    words = asked["messages"][1]["content"]
    assert order in words
    assert "25000" in words
    assert "I want the money back" in words
    assert all(paper["justification"] not in words for paper in papers)
    (step,) = looked_at.rows(Step, run=run, name="second_look")
    assert step.cost_micros == calls(looked_at.workspace)[0].cost_micros > 0


@pytest.mark.parametrize(
    ("said", "flag"),
    [
        (verdict("doubt", "the order is old"), "second_model_doubts"),
        (verdict("agree", confidence=0.4), "second_model_doubts"),
        (DOWN, "not_verified"),
        (LIMIT, "not_verified"),
        (answer("certainly!"), "not_verified"),
        (answer("no", finishReason="content_filter"), "not_verified"),
    ],
)
def test_who_doubts_or_does_not_answer_raises_a_flag(looked_at, server, said, flag):
    server.says(fixture(VERIFIER, said))
    papers, *_ = refund(looked_at)
    assert all(paper["flags"] == [flag] for paper in papers)
    assert {paper["action"] for paper in papers} >= {"refund.create"}


def test_who_objects_stops_it_and_a_person_has_what_was_drafted(looked_at, server):
    server.says(fixture(VERIFIER, verdict("wrong", "the kettle was never delivered")))
    (paper,), *_ = refund(looked_at)
    assert paper["reason"] == "verification_failed"
    assert "the kettle was never delivered" in paper["summary"]
    assert {draft["action"] for draft in paper["found"]["drafts"]} >= {"refund.create"}


def test_with_nothing_left_to_spend_nobody_is_asked_and_a_person_is_told(looked_at, server):
    from tests.agents.models import cap

    cap(looked_at.workspace, 10)
    server.says(fixture(VERIFIER, verdict("agree")))
    papers, *_ = refund(looked_at)
    assert (server.asked(), {tuple(paper["flags"]) for paper in papers}) == ([], {("not_verified",)})


def test_a_flagged_draft_never_passes_by_itself(looked_at, server):
    """Its threshold would let it pass; the gate asks a person because the second model was away."""
    from approvals import gate, thresholds
    from approvals.models import Proposal, Submission
    from portal.workspace import within

    with within(looked_at.workspace) as now:
        for series in ("refund-eur-medium", "ticket-reply"):
            row = next(one for one in thresholds.in_force(looked_at.workspace) if one.series == series)
            values = {name: getattr(row, name) for name in thresholds.COPIED} | {"people": "automatic"}
            thresholds.set_threshold(
                workspace=looked_at.workspace, series=series, actor="system:test", now=now, **values
            )
    server.says(fixture(VERIFIER, DOWN))
    refund(looked_at)
    with signed_in("apply"):
        for row in looked_at.rows(Submission):
            gate.pass_through(workspace=looked_at.workspace, submission=row.pk)
    found = looked_at.rows(Proposal)
    assert found
    assert all((row.state, row.people >= 1, "not_verified" in row.flags) == ("pending", True, True) for row in found)


def test_the_second_model_has_another_name_than_the_first():
    from agents import prompts
    from agents.gateway import routing
    from agents.gateway.base import Offer
    from agents.steps import second_look
    from agents.types import Draft

    draft = Draft("refund.create", "order:#W1", {}, 0.9, "because")
    asked = second_look._request((draft,), {"message": "x"}, frozenset({LARGE}), prompts.in_force(second_look.STEP))
    plan = routing.Plan((Offer(3, "main", 1, LARGE, 1, 1, 5),))
    assert routing.decide(asked, plan, ()).reason == "unavailable"
    assert routing.decide(asked, routing.Plan((Offer(3, "main", 1, SMALL, 1, 1, 5),)), ()).offer.model == SMALL


def test_low_stakes_are_not_looked_at_twice(looked_at, server):
    from agents import workflow

    server.says()
    taken = looked_at.take_in("triage", id="T-1", text="My card was stolen on the tram, please block it right away")
    with signed_in("agents"):
        workflow.advance(workspace=looked_at.workspace, run=taken.run)
    assert server.asked() == []

"""The refunds agent on requests and a shop of our own: nothing that was not due, little that was refused."""

from collections import Counter
from pathlib import Path

import pytest

from tests.agents import refunds_tables as tables

GOLDEN = Path(__file__).parents[1] / "golden" / "refunds"


@pytest.fixture(scope="module")
def score() -> tables.Score:
    return tables.score(GOLDEN)


def test_the_set_covers_every_family_and_decision() -> None:
    cases = tables.load_cases(GOLDEN)
    decisions = Counter(case["expected"]["decision"] for case in cases)
    assert len(cases) >= 100
    assert all(decisions[name] >= 15 for name in ("approve", "deny", "clarify", "escalate")), decisions
    wanted = {"plain", "several", "deny", "unclear", "handover", "adversarial", "sequence"}
    assert wanted <= {case["family"] for case in cases}


def test_decisions_are_acceptable(score: tables.Score) -> None:
    assert score.acceptable / score.rows >= 0.95, score.misses


def test_clear_requests_are_proposed_exactly(score: tables.Score) -> None:
    assert score.approve_only >= 30
    assert score.exact / score.approve_only >= 0.92, score.misses


def test_nothing_wrong_is_ever_proposed(score: tables.Score) -> None:
    assert score.wrong_effects == []


def test_refunds_over_the_limit_are_computed_for_the_person_who_takes_over() -> None:
    known = tables.load_tables(GOLDEN)
    over = [(c, o) for c, o in tables.run(GOLDEN) if o.handoff and o.handoff.reason == "over_cap"]
    assert len(over) >= 4
    for case, outcome in over:
        assert outcome.handoff is not None
        assert tables.agree(outcome.handoff.found["actions"], case["expected"]["actions"], known), case["id"]


def test_clauses_and_flags_are_named(score: tables.Score) -> None:
    assert score.clause_hits / score.clause_wanted >= 0.95
    assert score.flag_hits / score.flag_wanted >= 0.9


def test_every_draft_can_be_checked_against_the_records() -> None:
    known = tables.load_tables(GOLDEN)
    clauses = {f"clause:{clause.clause_id}": clause.text for clause in known.clauses}
    for case, outcome in tables.run(GOLDEN):
        for draft in outcome.drafts:
            assert 0.8 <= draft.confidence <= 1, case["id"]
            for proof in draft.evidence:
                if proof.source.startswith("clause:"):
                    assert clauses[proof.source] == proof.quote
                if proof.source == "ticket:":
                    assert proof.quote in case["text"]


def test_a_refusal_gives_its_clauses_and_a_question_says_what_is_missing() -> None:
    for case, outcome in tables.run(GOLDEN):
        decision = tables.decision_of(outcome)
        if decision == "deny":
            assert outcome.drafts[0].args["clauses"], case["id"]
        if decision == "clarify":
            assert outcome.question is not None
            assert outcome.question.asks, case["id"]
            assert outcome.question.text, case["id"]


def test_an_announcement_waits_for_its_refunds() -> None:
    for _, outcome in tables.run(GOLDEN):
        refunds = {draft.key for draft in outcome.drafts if draft.action == "refund.create"}
        replies = [draft for draft in outcome.drafts if draft.action == "ticket.reply"]
        assert len(replies) <= 1
        assert not refunds or set(replies[0].depends_on) == refunds

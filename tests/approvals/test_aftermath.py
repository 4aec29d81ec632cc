"""What is told of a rejection, and how long who made it can take it back."""

from datetime import timedelta

import pytest

from approvals import aftermath, decisions
from approvals.models import Proposal
from portal import roles, workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_deeds import toast, told
from tests.cast import Cast, gather

NO = {"reason": "duplicate", "note": "twice"}


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def rejected(cast: Cast, proposal: Proposal, name: str) -> str:
    """The toast of who rejected it."""
    seen = {"revision": str(proposal.revision), "digest": proposal.digest}
    return told(sit_down(cast, name), f"/proposals/{proposal.pk}/reject/", {**seen, **NO})


def after(cast: Cast, proposal: Proposal, name: str, seconds: int) -> aftermath.Aftermath:
    """What that person is told of it so long after it was decided."""
    with workspace.within(cast.ws):
        row = Proposal.objects.get(pk=proposal.pk)
        assert row.decided_at is not None
        now, held = row.decided_at + timedelta(seconds=seconds), roles.of(cast.id(name), cast.ws)
        return aftermath.of(row, now, person=cast.id(name), held=held)


def test_a_reviewer_is_told_how_long_a_rejection_can_be_taken_back(cast: Cast, proposal: Proposal) -> None:
    said = rejected(cast, proposal, "rosa")
    assert "Rejected." in said
    assert 'data-left="' in said
    assert f"/proposals/{proposal.pk}/reopen/" in said
    in_time, late = (after(cast, proposal, "rosa", seconds) for seconds in (59, 61))
    row = steps.fresh(cast, proposal)
    assert row.decided_at is not None
    assert (in_time.way_back, in_time.until) == ("reopen", row.decided_at + decisions.REOPEN_WITHIN)
    assert (late.way_back, late.until) == ("", None)


def test_a_manager_takes_a_rejection_back_whenever_they_like(cast: Cast, proposal: Proposal) -> None:
    said = rejected(cast, proposal, "mara")
    assert "data-left" not in said
    assert f"/proposals/{proposal.pk}/reopen/" in said
    assert after(cast, proposal, "mara", 3600).way_back == "reopen"


def test_no_way_back_is_offered_to_a_reviewer_who_did_not_reject_it(cast: Cast, proposal: Proposal) -> None:
    rejected(cast, proposal, "rosa")
    said = toast(text(sit_down(cast, "ravi").get(f"/?done={proposal.pk}")))
    assert "Rejected." in said
    assert "/reopen/" not in said

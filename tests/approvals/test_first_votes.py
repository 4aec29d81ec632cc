"""The first approval of two, taken back by who gave it while it waits for the second."""

import pytest

from approvals import aftermath, decisions, overseeing, thresholds
from approvals.models import Decision, Proposal
from audit.models import Entry
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_deeds import toast
from tests.approvals.test_transition import refused
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def voted(cast: Cast) -> Proposal:
    """Rosa's is the first approval of the two that it takes."""
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="low", people="two",
        )  # fmt: skip
    target = steps.ticket(cast)
    row = steps.approve(cast, steps.propose(cast, target, "ticket.update", target, {"priority": "P1"}), "rosa")
    assert (row.state, row.people) == ("pending", 2)
    return row


def stop(cast: Cast, row: Proposal, name: str) -> Proposal:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return decisions.stop(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id(name), now=now
        )  # fmt: skip


def test_who_gave_the_first_of_two_approvals_takes_it_back_while_it_waits(cast: Cast, voted: Proposal) -> None:
    row = stop(cast, voted, "rosa")
    assert (row.state, row.round, row.version) == ("pending", voted.round + 1, voted.version + 1)
    with workspace.within(cast.ws):
        told = Entry.objects.get(subject=f"proposal:{row.pk}", version=row.version)
    assert (told.event, told.actor) == ("proposal.unvoted", f"person:{cast.id('rosa')}")
    assert f'"dismissed":["person:{cast.id("rosa")}"]' in told.canonical
    assert steps.approve(cast, row, "ravi").state == "pending"  # the first of two again
    assert steps.approve(cast, row, "rosa").state == "approved"


def test_nobody_takes_back_what_somebody_else_gave(cast: Cast, voted: Proposal) -> None:
    for name in ("ravi", "mara"):
        with pytest.raises(decisions.Gone, match="It is pending now"):
            stop(cast, voted, name)
    stop(cast, voted, "rosa")
    with pytest.raises(decisions.Gone, match="It is pending now"):
        stop(cast, voted, "rosa")


def test_the_database_knows_who_gave_it_too(cast: Cast, voted: Proposal) -> None:
    values = {"workspace_id": cast.ws, "proposal": voted, "revision": 1, "digest": voted.digest, "kind": "unvote"}
    for name, role, code in (("ravi", "reviewer", "CS010"), ("rosa", "reviewer", "")):
        person = cast.id(name)
        with workspace.within(cast.ws, person) as now:
            made = {**values, "round": voted.round, "person_id": person, "role": role, "created_at": now}
            if code:
                with refused(code, "web"):
                    Decision.objects.create(**made)
            else:
                Decision.objects.create(**made)


def test_that_somebody_has_it_in_hand_does_not_keep_the_approval(cast: Cast, voted: Proposal) -> None:
    assert sit_down(cast, "ravi").post(f"/claims/proposal:{voted.pk}/").status_code == 302
    assert sit_down(cast, "rosa").decide(voted, "stop").status_code == 302
    assert steps.fresh(cast, voted).round == voted.round + 1


def test_the_toast_offers_the_way_back_and_the_page_says_who_took_it(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="low", people="two",
        )  # fmt: skip
    target, rosa = steps.ticket(cast), sit_down(cast, "rosa")
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    said = toast(text(rosa.client.get(rosa.decide(row, "approve")["Location"])))
    assert "Your approval counts: 1 of 2." in said
    assert f'action="/w/{cast.workspace.slug}/proposals/{row.pk}/stop/' in said
    assert 'data-key="u">Undo</button>' in said
    assert "Take my approval back" in text(rosa.get(f"/proposals/{row.pk}/"))
    assert "Take my approval back" not in text(sit_down(cast, "ravi").get(f"/proposals/{row.pk}/"))
    said = toast(text(rosa.client.get(rosa.decide(row, "stop")["Location"])))
    assert "It waits for a decision again." in said
    page = text(sit_down(cast, "ravi").get(f"/proposals/{row.pk}/"))
    name = cast.people["rosa"].name
    assert f"The approval of {name} of revision 1 no longer counts: taken back by {name}." in page
    assert "Took the approval back" in page


def test_somebody_else_who_opens_the_address_is_offered_no_way_back(cast: Cast, voted: Proposal) -> None:
    said = toast(text(sit_down(cast, "ravi").get(f"/proposals/{voted.pk}/?done={voted.pk}")))
    assert "/stop/" not in said


def test_after_a_send_back_the_way_back_is_not_that_of_the_vote(cast: Cast, voted: Proposal) -> None:
    rosa = sit_down(cast, "rosa")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        held = frozenset({"reviewer"})
        assert aftermath.of(voted, now, person=cast.id("rosa"), held=held).way_back == "unvote"
    rosa.decide(voted, "send-back", text="Rather P3.")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        told = aftermath.of(steps.fresh(cast, voted), now, person=cast.id("rosa"), held=held)
    assert (told.way_back, "Sent back" in told.text) == ("", True)


def test_the_load_of_each_person_counts_what_stands_of_a_proposal(cast: Cast, voted: Proposal) -> None:
    assert _decided(cast) == (1, 1)
    row = stop(cast, voted, "rosa")
    assert _decided(cast) == (0, 0)
    row = steps.approve(cast, row, "rosa")
    assert _decided(cast) == (1, 1)
    steps.approve(cast, row, "ravi")
    stop(cast, steps.fresh(cast, row), "mara")
    assert _decided(cast) == (1, 1)
    assert _decided(cast, "mara")[0] == 0


def _decided(cast: Cast, name: str = "rosa") -> tuple[int, int]:
    """Within a day, and how many of the week were a yes."""
    with workspace.within(cast.ws) as now:
        one = next(one for one in overseeing.load(cast.ws, now) if one.person == cast.id(name))
    return one.day, one.approved

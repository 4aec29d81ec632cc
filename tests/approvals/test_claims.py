"""A claim is exclusive for ten minutes and ends by itself."""

from datetime import timedelta

import pytest

from approvals import claims
from portal import workspace
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_one_person_holds_an_item_and_others_are_told_who(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)
        with pytest.raises(claims.Held, match="Rosa"):
            claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("ravi"), now=now)
        with pytest.raises(claims.Held, match="Rosa"):
            claims.check(workspace=cast.ws, item="proposal:1", person=cast.id("ravi"), now=now)
        claims.check(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)


def test_a_lease_ends_by_itself_and_renewing_moves_its_end(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)
        later = now + timedelta(minutes=6)
        renewed = claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=later)
        assert renewed.until == later + claims.LEASE
        over = later + claims.LEASE
        held = claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("ravi"), now=over)
        assert held.person_id == cast.id("ravi")


def test_nobody_holds_more_than_three(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        for number in range(claims.MOST):
            claims.claim(workspace=cast.ws, item=f"proposal:{number}", person=cast.id("rosa"), now=now)
        with pytest.raises(claims.TooMany):
            claims.claim(workspace=cast.ws, item="handoff:9", person=cast.id("rosa"), now=now)
        claims.release(workspace=cast.ws, item="proposal:0", person=cast.id("rosa"))
        claims.claim(workspace=cast.ws, item="handoff:9", person=cast.id("rosa"), now=now)


def test_releasing_what_somebody_else_holds_does_nothing(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)
        claims.release(workspace=cast.ws, item="proposal:1", person=cast.id("ravi"))
        assert "proposal:1" in claims.holders(workspace=cast.ws, items=["proposal:1"], now=now)


def test_a_manager_takes_an_item_over(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)
        taken = claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("mara"), now=now, take_over=True)
        assert taken.person_id == cast.id("mara")

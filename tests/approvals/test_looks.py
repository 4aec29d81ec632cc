"""Marks of what was on whose screen: what they tell, to whom they belong, and what a beacon puts on the log."""

import json
from datetime import timedelta

import pytest

from approvals import looks
from approvals.models import Proposal
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def update(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def test_a_mark_of_another_page_or_person_tells_nothing(cast: Cast) -> None:
    row = update(cast)
    with workspace.within(cast.ws) as now:
        what = {"proposal": row.pk, "revision": 1, "digest": row.digest, "person": cast.id("rosa"), "now": now}
        mark = looks.mark(**what)
        assert looks.seconds(mark, **{**what, "now": now + timedelta(seconds=9)}) == 9
        assert looks.seconds(mark, **{**what, "now": now + timedelta(days=2)}) == looks.LONGEST_SECONDS
        for other in ({"revision": 2}, {"digest": "0" * 64}, {"person": cast.id("ravi")}, {"proposal": row.pk + 1}):
            assert looks.seconds(mark, **{**what, **other}) is None
        assert looks.seconds("made up", **what) is None


def test_a_look_is_on_the_log_for_no_longer_than_the_page_is_old(cast: Cast) -> None:
    row, rosa, ravi = update(cast), sit_down(cast, "rosa"), sit_down(cast, "ravi")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        since = now - timedelta(seconds=40)
        mark = looks.mark(proposal=row.pk, revision=1, digest=row.digest, person=cast.id("rosa"), now=since)
    for visible in ("30", "9999"):
        assert rosa.post("/looks/", {"look": mark, "seconds": visible}).status_code == 204
    assert rosa.post("/looks/", {"look": mark, "seconds": "1"}).status_code == 204  # a glance
    assert ravi.post("/looks/", {"look": mark, "seconds": "30"}).status_code == 422
    assert rosa.post("/looks/", {"look": "x", "seconds": "30"}).status_code == 422
    (act,) = json.loads(rosa.get(f"/reports/{row.pk}.json").content)["people"]
    assert act["words"] == "looked at it"
    assert 70 <= act["seconds"] <= 85

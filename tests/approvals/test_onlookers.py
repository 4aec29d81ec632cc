"""Who else has an item open is said on its page: nothing of it is kept, and a closed page is forgotten."""

from datetime import timedelta

import pytest

from approvals import onlookers
from audit.models import Entry
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_two_who_look_at_one_item_are_told_of_each_other(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    path = f"/claims/proposal:{row.pk}/others/"
    with workspace.within(cast.ws):
        before = Entry.objects.count()
    assert text(sit_down(cast, "rosa").post(path)).strip() == ""
    assert text(sit_down(cast, "ravi").post(path)).strip() == f"{cast.people['rosa'].name} looks at this too"
    both = text(sit_down(cast, "mara").post(path))
    assert f"{cast.people['rosa'].name}, {cast.people['ravi'].name} look at this too" in both
    with workspace.within(cast.ws):
        assert Entry.objects.count() == before
    assert sit_down(cast, "rosa").post("/claims/proposal:999999/others/").status_code == 404
    assert sit_down(cast, "rosa").get(path).status_code == 405


def test_who_left_is_forgotten_and_workspaces_do_not_hear_of_each_other(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        asked = {"workspace": cast.ws, "item": "proposal:7"}
        onlookers.look(**asked, person=1, name="Rosa", now=now)
        assert onlookers.look(**asked, person=2, name="Ravi", now=now) == ["Rosa"]
        assert onlookers.look(workspace=cast.ws + 1, item="proposal:7", person=3, name="Eve", now=now) == []
        later = now + timedelta(seconds=60)
        assert onlookers.look(**asked, person=2, name="Ravi", now=later) == []

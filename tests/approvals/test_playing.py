"""Playing the queue: each decision puts the next free item into one's hands, until nothing is left."""

import pytest

from approvals import claims
from approvals.models import Proposal, SavedView
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def waiting(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def in_hand(cast: Cast, name: str = "rosa") -> list[str]:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return claims.held_by(workspace=cast.ws, person=cast.id(name), now=now)


def test_each_decision_brings_the_next_until_nothing_is_left(cast: Cast) -> None:
    first, second, third = (waiting(cast) for _ in range(3))
    rosa = sit_down(cast, "rosa")
    begun = rosa.post("/claims/next/?play=1")
    assert begun["Location"].endswith(f"/proposals/{first.pk}/?play=1&deed=claimed:proposal:{first.pk}")
    assert "Each decision brings the next" in text(rosa.get(f"/proposals/{first.pk}/?play=1"))
    on = rosa.decide(first, "approve", "?play=1")
    assert on["Location"].endswith(f"/proposals/{second.pk}/?play=1&done={first.pk}")
    assert in_hand(cast) == [f"proposal:{second.pk}"]
    rosa.decide(second, "reject", "?play=1", reason="other", note="No")
    assert in_hand(cast) == [f"proposal:{third.pk}"]
    over = rosa.post(f"/claims/proposal:{third.pk}/snooze/?play=1", {"minutes": "60"})
    assert over["Location"].endswith(f"/?play=1&deed=snoozed:proposal:{third.pk}")
    assert in_hand(cast) == []
    assert "Nothing waits" in text(rosa.get("/?play=1"))


def test_what_waits_for_a_manager_is_served_to_managers_alone(cast: Cast) -> None:
    first, second = waiting(cast), waiting(cast)
    rosa = sit_down(cast, "rosa")
    rosa.post("/claims/next/?play=1")
    on = rosa.post(f"/claims/proposal:{first.pk}/escalate/?play=1", {"why": "They threaten to sue."})
    assert on["Location"].endswith(f"/proposals/{second.pk}/?play=1&deed=escalated:proposal:{first.pk}")
    assert in_hand(cast) == [f"proposal:{second.pk}"]
    rosa.decide(second, "approve", "?play=1")
    assert in_hand(cast) == []
    sit_down(cast, "mara").post("/claims/next/")
    assert in_hand(cast, "mara") == [f"proposal:{first.pk}"]


def test_full_hands_open_what_is_held_already(cast: Cast) -> None:
    held = [waiting(cast) for _ in range(4)]
    rosa = sit_down(cast, "rosa")
    for _ in range(3):
        rosa.post("/claims/next/")
    on = rosa.decide(held[3], "approve", "?play=1")
    assert any(on["Location"].endswith(f"/proposals/{one.pk}/?play=1&done={held[3].pk}") for one in held[:3])


def test_a_view_is_kept_and_marked_without_it(cast: Cast) -> None:
    waiting(cast)
    rosa = sit_down(cast, "rosa")
    rosa.post("/views/save/?tier=low&play=1", {"name": "Small"})
    with workspace.within(cast.ws, cast.id("rosa")):
        assert SavedView.objects.get().query == "tier=low"
    assert "Save this view" not in text(rosa.get("/?play=1"))

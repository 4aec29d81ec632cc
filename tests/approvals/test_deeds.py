"""What is told of what was done about an item beside deciding it, and the way back it offers."""

import pytest

from approvals import claims
from approvals.models import Proposal
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.approvals.test_time_pages import handed
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def told(desk: Desk, path: str, data: dict[str, str] | None = None) -> str:
    """The toast after a post without scripts: it follows the redirect, as a browser does."""
    answer = desk.post(path, data)
    assert answer.status_code == 302, text(answer)
    return toast(text(desk.client.get(answer["Location"])))


def toast(page: str) -> str:
    said = page[page.index('id="toasts"') : page.index('id="behind"')]
    return said.partition('class="toast"')[2]


@pytest.mark.parametrize(
    ("verb", "data", "words", "way_back"),
    [
        ("snooze", {"minutes": "30"}, "Laid aside for everybody.", "wake"),
        ("escalate", {"why": "They threaten to sue."}, "A manager is called.", "settle"),
        ("", None, "In your hands.", "release"),
    ],
)
def test_what_was_done_is_told_with_its_way_back(
    cast: Cast, proposal: Proposal, verb: str, data: dict[str, str] | None, words: str, way_back: str
) -> None:
    desk, item = sit_down(cast, "rosa"), f"/claims/proposal:{proposal.pk}/"
    said = told(desk, f"{item}{verb}/" if verb else item, data)
    assert words in said
    assert proposal.summary in said
    assert f'action="/w/{cast.workspace.slug}{item}{way_back}/' in said
    undone = told(desk, f"{item}{way_back}/")
    assert words not in undone
    assert proposal.summary in undone
    assert "<form" not in undone


def test_by_htmx_it_stands_on_top_of_the_toasts_that_are_there(cast: Cast, proposal: Proposal) -> None:
    htmx = {"HX-Request": "true", "HX-Target": "desk"}
    answer = text(sit_down(cast, "rosa").post(f"/claims/proposal:{proposal.pk}/", **htmx))
    assert 'hx-swap-oob="afterbegin:#toasts"' in answer
    assert f'data-about="proposal:{proposal.pk}"' in answer


def test_a_resolved_hand_off_is_told_with_a_look_at_it(cast: Cast) -> None:
    hand = handed(cast)
    said = told(sit_down(cast, "rosa"), f"/handoffs/{hand.pk}/resolve/", {"outcome": "Called them."})
    assert "Resolved." in said
    assert f'href="/w/{cast.workspace.slug}/handoffs/{hand.pk}/"' in said


def test_an_address_tells_nothing_that_does_not_stand(cast: Cast, proposal: Proposal) -> None:
    desk, item = sit_down(cast, "rosa"), f"proposal:{proposal.pk}"
    for deed in (f"snoozed:{item}", f"claimed:{item}", f"escalated:{item}", f"eaten:{item}", "claimed:proposal:x", "x"):
        assert toast(text(desk.get(f"/?deed={deed}"))) == "", deed
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        claims.claim(workspace=cast.ws, item=item, person=cast.id("ravi"), now=now)
    assert toast(text(desk.get(f"/?deed=claimed:{item}"))) == "", "it is in somebody else's hands"

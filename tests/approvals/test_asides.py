"""Laying an item aside and calling a manager to it: for everybody, until its time, and on the log."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from approvals import asides, claims, deadlines, queries, searching
from approvals.models import Claim, Proposal
from audit.models import Entry
from portal import workspace
from portal.models import Role
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_managing import due_in, propose_handoff
from tests.cast import Cast, gather

HOUR = timedelta(hours=1)


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def snooze(cast: Cast, proposal: Proposal, by: str = "rosa", length: timedelta = HOUR) -> None:
    with workspace.within(cast.ws, cast.id(by)) as now:
        asides.snooze(
            workspace=cast.ws, item=f"proposal:{proposal.pk}", until=now + length, person=cast.id(by), now=now
        )


def listed(cast: Cast, later: timedelta = timedelta(), **asked: str) -> list[int]:
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        filters = searching.read(asked)
        page = queries.page(workspace=cast.ws, filters=filters, person=cast.id("ravi"), now=now + later)
    return [row.key for row in page.rows]


def entries(cast: Cast, event: str) -> list[dict[str, Any]]:
    with workspace.within(cast.ws):
        return [json.loads(row.canonical) for row in Entry.objects.filter(event=event)]


def test_what_is_laid_aside_is_out_of_everybodys_way_and_comes_back_by_itself(cast: Cast, proposal: Proposal) -> None:
    snooze(cast, proposal)
    assert listed(cast) == listed(cast, view="free") == []
    assert listed(cast, view="snoozed") == [proposal.pk]
    assert listed(cast, later=2 * HOUR) == [proposal.pk]
    assert listed(cast, later=2 * HOUR, view="snoozed") == []
    (said,) = entries(cast, "item.snoozed")
    assert said["body"]["item"] == f"proposal:{proposal.pk}"
    assert said["actor"] == f"person:{cast.id('rosa')}"


def test_claim_next_passes_over_what_is_laid_aside(cast: Cast, proposal: Proposal) -> None:
    snooze(cast, proposal)
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        asked: dict[str, Any] = {"workspace": cast.ws, "person": cast.id("ravi"), "roles": (Role.REVIEWER,)}
        assert claims.claim_next(**asked, now=now) is None
        taken = claims.claim_next(**asked, now=now + 2 * HOUR)
    assert taken is not None
    assert taken.item == f"proposal:{proposal.pk}"


def test_nothing_is_laid_aside_beyond_its_due_time_or_into_the_past(cast: Cast, proposal: Proposal) -> None:
    with workspace.within(cast.ws) as now:
        left = deadlines.moment(proposal.urgency) - now
    with pytest.raises(asides.BadInput, match=r"^until: it is due before"):
        snooze(cast, proposal, length=left + HOUR)
    with pytest.raises(asides.BadInput, match=r"^until: choose a time"):
        snooze(cast, proposal, length=-HOUR)
    assert listed(cast) == [proposal.pk]
    assert entries(cast, "item.snoozed") == []


def test_only_who_decides_lays_aside_and_not_out_of_others_hands(cast: Cast, proposal: Proposal) -> None:
    with pytest.raises(asides.NotYours):
        snooze(cast, proposal, by="odile")
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        claims.claim(workspace=cast.ws, item=f"proposal:{proposal.pk}", person=cast.id("ravi"), now=now)
    with pytest.raises(asides.NotWaiting, match="in hand"):
        snooze(cast, proposal)
    snooze(cast, proposal, by="ravi")
    with workspace.within(cast.ws) as now:
        assert claims.held_by(workspace=cast.ws, person=cast.id("ravi"), now=now) == []


def test_it_is_brought_back_on_the_page_before_its_time(cast: Cast, proposal: Proposal) -> None:
    rosa, item = sit_down(cast, "rosa"), f"proposal:{proposal.pk}"
    assert rosa.post(f"/claims/{item}/snooze/", {"minutes": "60"}).status_code == 302
    assert "Laid aside until" in text(rosa.get(f"/proposals/{proposal.pk}/"))
    assert rosa.post(f"/claims/{item}/wake/").status_code == 302
    assert listed(cast) == [proposal.pk]
    assert len(entries(cast, "item.woken")) == 1
    refused = rosa.post(f"/claims/{item}/snooze/", {"minutes": "99999"})
    assert refused.status_code == 422
    assert "It is due before that" in text(refused)


def test_a_manager_is_called_with_a_reason_and_sees_it(cast: Cast, proposal: Proposal) -> None:
    rosa, item = sit_down(cast, "rosa"), f"proposal:{proposal.pk}"
    assert rosa.post(f"/claims/{item}/escalate/", {"why": " "}).status_code == 422
    snooze(cast, proposal)
    assert rosa.post(f"/claims/{item}/escalate/", {"why": "They threaten to sue."}).status_code == 302
    assert listed(cast, view="escalated") == [proposal.pk]
    assert listed(cast) == [proposal.pk]  # it came back
    mara = sit_down(cast, "mara")
    assert "They threaten to sue." in text(mara.get(f"/proposals/{proposal.pk}/"))
    assert "They threaten to sue." in text(mara.get("/manage/"))
    (said,) = entries(cast, "item.escalated")
    assert "sue" not in json.dumps(said)  # a commitment to it is
    assert mara.post(f"/claims/{item}/settle/").status_code == 302
    assert listed(cast, view="escalated") == []
    assert len(entries(cast, "item.settled")) == 1


@pytest.mark.parametrize("ends", [False, True])
def test_why_a_manager_was_wanted_is_not_lost_where_nobody_can_be_called_any_more(
    cast: Cast, proposal: Proposal, ends: bool
) -> None:
    rosa, item = sit_down(cast, "rosa"), f"proposal:{proposal.pk}"
    if ends:
        steps.approve(cast, proposal, "ravi")
    else:
        assert sit_down(cast, "ravi").post(f"/claims/{item}/").status_code == 302
    refused = rosa.post(f"/claims/{item}/escalate/", {"why": "They threaten to sue.", "matter": "unclear"})
    assert refused.status_code == 409
    assert re.search(r"You had written:.*They threaten to sue\.", text(refused))


def test_what_goes_stale_keeps_its_reason_and_can_be_passed_on(cast: Cast, proposal: Proposal) -> None:
    rosa, item, where = sit_down(cast, "rosa"), f"proposal:{proposal.pk}", f"/proposals/{proposal.pk}/"
    assert rosa.post(f"/claims/{item}/escalate/", {"why": "They threaten to sue."}).status_code == 302
    go_stale(cast, proposal)
    page = text(rosa.get(where))
    assert "They threaten to sue." in page
    assert "No manager needed" in page
    assert rosa.post(f"/claims/{item}/settle/").status_code == 302
    assert f"/claims/{item}/escalate/" in text(rosa.get(where))
    assert rosa.post(f"/claims/{item}/escalate/", {"why": "Who is right?"}).status_code == 302
    assert "Who is right?" in text(sit_down(cast, "mara").get(where))
    assert "Who is right?" in text(sit_down(cast, "mara").get("/manage/"))
    assert "They threaten" not in text(rosa.get(where)).partition('<section class="timeline">')[0]


def test_what_goes_stale_while_it_is_laid_aside_can_be_brought_back(cast: Cast, proposal: Proposal) -> None:
    rosa, item, where = sit_down(cast, "rosa"), f"proposal:{proposal.pk}", f"/proposals/{proposal.pk}/"
    snooze(cast, proposal, by="rosa")
    go_stale(cast, proposal)
    assert "Laid aside until" in text(rosa.get(where))
    assert "Bring back" in text(rosa.get(where))
    assert rosa.post(f"/claims/{item}/wake/").status_code == 302
    assert "Laid aside until" not in text(rosa.get(where))


def go_stale(cast: Cast, proposal: Proposal) -> None:
    """Another proposal for the same field is carried out first."""
    other = steps.propose(cast, proposal.target, "ticket.update", proposal.target, {"priority": "P4"})
    steps.approve(cast, other, "ravi")
    assert steps.apply(cast, other).state == "applied"
    assert steps.approve(cast, proposal, "ravi").state == "stale"


def test_it_ends_with_the_item(cast: Cast, proposal: Proposal) -> None:
    snooze(cast, proposal)
    steps.approve(cast, proposal, "ravi")
    with workspace.within(cast.ws):
        assert not Claim.objects.filter(item=f"proposal:{proposal.pk}").exists()
    with pytest.raises(asides.NotWaiting):
        snooze(cast, proposal)


def test_a_hand_off_is_found_where_it_is_mine_overdue_escalated_or_laid_aside(cast: Cast) -> None:
    mine, late, wanted, asleep = (propose_handoff(cast) for _ in range(4))
    rosa = sit_down(cast, "rosa")
    assert rosa.post(f"/claims/handoff:{mine.pk}/").status_code == 302
    due_in(cast, late, -HOUR)
    assert rosa.post(f"/claims/handoff:{wanted.pk}/escalate/", {"why": "They threaten to sue."}).status_code == 302
    assert rosa.post(f"/claims/handoff:{asleep.pk}/snooze/", {"minutes": "60"}).status_code == 302
    page, found = text(rosa.get("/")), {}
    for query, words in VIEWS_OF_HANDOFFS.items():
        named = f'?{query}" data-named="Hand-offs: {words}"><span>{words}</span> <span class="count">'
        assert named in page.replace("&amp;", "&"), query
        found[query] = rows(text(rosa.get(f"/?{query}")))
    assert found == {
        "state=handoffs": [late.pk, mine.pk, wanted.pk], "state=handoffs&mine=1": [mine.pk],
        "state=handoffs&view=free": [late.pk, wanted.pk], "state=handoffs&view=overdue": [late.pk],
        "state=handoffs&view=escalated": [wanted.pk], "state=handoffs&view=snoozed": [asleep.pk],
    }  # fmt: skip


VIEWS_OF_HANDOFFS = {
    "state=handoffs": "Waiting", "state=handoffs&mine=1": "Mine", "state=handoffs&view=free": "Unclaimed",
    "state=handoffs&view=overdue": "Overdue", "state=handoffs&view=escalated": "Escalated",
    "state=handoffs&view=snoozed": "Snoozed",
}  # fmt: skip


def rows(page: str) -> list[int]:
    """The hand-offs a list shows, in its order."""
    listed = page[page.index('<ol class="rows">') : page.index("</ol>")]
    return [int(key) for key in dict.fromkeys(re.findall(r"/handoffs/(\d+)/", listed))]


def test_the_counters_know_each_view(cast: Cast, proposal: Proposal) -> None:
    snooze(cast, proposal)
    page = text(sit_down(cast, "rosa").get("/views/"))
    assert 'view=snoozed"><span>Snoozed</span> <span class="count">1</span>' in page

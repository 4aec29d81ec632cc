"""What the story of a case says of an item that was passed on, laid aside or given away, and of notes left on it."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings

from approvals import asides, claims, shifts
from approvals.models import Proposal
from portal import workspace
from portal.models import Person
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_managing import propose_handoff
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


@pytest.fixture
def row(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def story(cast: Cast, case: int) -> list[str]:
    """The lines of a case as they are read, with the addresses they lead to."""
    page = unescape(text(sit_down(cast, "mara").get(f"/cases/{case}/")))
    part = page.partition('<section class="timeline">')[2].partition("</section>")[0]
    linked = re.sub(rf'<a href="/w/{cast.workspace.slug}([^"]*)">', r"[\1] ", part)
    return [" ".join(re.sub(r"<[^>]*>", " ", line).split()) for line in linked.split("<li>")[1:]]


def line_of(cast: Cast, case: int, title: str) -> str:
    (line,) = [line for line in story(cast, case) if title in line]
    return line


def escalate(cast: Cast, row: Proposal, why: str) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        asides.escalate(
            workspace=cast.ws, item=f"proposal:{row.pk}", reason=why, person=cast.id("rosa"), now=now, matter="money"
        )


def test_the_story_says_why_a_manager_was_called_and_to_what(cast: Cast, row: Proposal) -> None:
    escalate(cast, row, "They threaten to sue, @ravi.")
    line = line_of(cast, row.case_id, "Item escalated")
    assert "Money: They threaten to sue" in line
    assert f"[/reports/{row.pk}/] proposal:{row.pk}" in line
    whole = " ".join(story(cast, row.case_id))
    assert "claim:" not in whole
    assert "call:" not in whole


def test_the_story_says_to_whom_an_item_was_given(cast: Cast) -> None:
    handed = propose_handoff(cast)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        claims.assign(
            workspace=cast.ws, item=f"handoff:{handed.pk}", to=cast.id("ravi"), by=cast.id("mara"), now=now
        )  # fmt: skip
    line = line_of(cast, handed.case_id, "Item assigned")
    assert f"To {cast.people['ravi'].name}" in line
    assert f"[/handoffs/{handed.pk}/] handoff:{handed.pk}" in line


def test_the_story_says_until_when_an_item_was_laid_aside_where_the_reader_is(cast: Cast, row: Proposal) -> None:
    Person.objects.filter(pk=cast.id("mara")).update(time_zone="Asia/Kathmandu")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        until = now + timedelta(hours=1)
        asides.snooze(workspace=cast.ws, item=f"proposal:{row.pk}", until=until, person=cast.id("rosa"), now=now)
    there = until + timedelta(hours=5, minutes=45)
    line = line_of(cast, row.case_id, "Item snoozed")
    assert re.search(rf"until .*{there:%H:%M}", line), line


def test_the_story_tells_a_note_that_was_left(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        shifts.leave(workspace=cast.ws, person=cast.id("rosa"), text="They call back.", case=row.case_id, now=now)
    line = line_of(cast, row.case_id, "Shift noted")
    assert "They call back." in line
    assert "shift-note:" not in line


def test_why_it_is_stale_is_not_what_a_person_says_of_it_later(cast: Cast, row: Proposal) -> None:
    other = steps.propose(cast, row.target, "ticket.update", row.target, {"priority": "P4"})
    steps.approve(cast, other, "ravi")
    assert steps.apply(cast, other).state == "applied"
    assert steps.approve(cast, row, "ravi").state == "stale"
    escalate(cast, row, "Who is right?")
    page = text(sit_down(cast, "mara").get(f"/proposals/{row.pk}/"))
    assert "Stale: the record changed since" in page
    assert "Stale: Money" not in page

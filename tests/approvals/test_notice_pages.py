"""The page of one's notices and its counter, and what one says of how one is told."""

import re
from datetime import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import Proposal
from portal import notices, workspace
from portal.models import Notice, NoticeChoice
from tests.approvals import noticed, steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_telling import escalate
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def tell(cast: Cast, count: int, name: str = "mara", kind: notices.Kind = notices.Kind.LATE) -> None:
    with signed_in("apply"), workspace.within(cast.ws) as now:
        home = notices.house(workspace=cast.ws, now=now)
        for number in range(count):
            news = notices.News(kind, f"{kind}:{number}", f"handoff:{number}", frozenset({cast.id(name)}))
            notices.tell(news, home)


def own(cast: Cast, name: str = "mara") -> list[Notice]:
    with workspace.within(cast.ws, cast.id(name)):
        return list(Notice.objects.order_by("pk"))


def counter(page: str) -> str:
    """What stands beside the word in the head."""
    (link,) = re.findall(r'<a id="unread".*?</a>', page, re.DOTALL)
    return "".join(re.findall(r"<b>(.*?)</b>", link))


def test_a_notice_says_what_happened_to_what_by_whom_and_leads_there(cast: Cast, proposal: Proposal) -> None:
    escalate(cast, proposal, "rosa")
    noticed.tell()
    page = text(sit_down(cast, "mara").get("/notices/"))
    assert "A manager is called" in page
    assert f'href="/w/{cast.workspace.slug}/proposals/{proposal.pk}/"' in page
    assert proposal.summary in page
    assert "Rosa Lindqvist" in page
    assert "They threaten" not in page


def test_the_page_says_so_where_nothing_is(cast: Cast) -> None:
    page = text(sit_down(cast, "mara").get("/notices/"))
    assert "Nothing yet" in page
    assert "Mark all read" not in page
    assert counter(page) == ""


def test_a_notice_is_read_by_a_post_and_by_no_look(cast: Cast) -> None:
    tell(cast, 3)
    mara = sit_down(cast, "mara")
    assert counter(text(mara.get("/notices/"))) == "3"
    first = own(cast)[0]
    assert mara.get(f"/notices/{first.pk}/read/").status_code == 405
    assert mara.post(f"/notices/{first.pk}/read/").status_code == 302
    assert counter(text(mara.get("/"))) == "2"
    assert [row.read_at is not None for row in own(cast)] == [True, False, False]


def test_all_that_was_on_the_screen_is_read_and_what_came_meanwhile_is_not(cast: Cast) -> None:
    tell(cast, 2)
    mara = sit_down(cast, "mara")
    (upto,) = re.findall(r'name="upto" value="(\d+)"', text(mara.get("/notices/")))
    tell(cast, 1, kind=notices.Kind.DEAD)
    mara.post("/notices/read/", {"upto": upto})
    assert [row.read_at is not None for row in own(cast)] == [True, True, False]
    assert mara.post("/notices/read/", {"upto": "x"}).status_code == 302


def test_another_persons_notice_is_not_there(cast: Cast) -> None:
    tell(cast, 1)
    (row,) = own(cast)
    assert sit_down(cast, "rosa").post(f"/notices/{row.pk}/read/").status_code == 404
    assert own(cast)[0].read_at is None


def test_older_ones_come_by_key_and_the_counter_stops_at_99(cast: Cast) -> None:
    tell(cast, 120)
    mara = sit_down(cast, "mara")
    page = text(mara.get("/notices/"))
    assert counter(page) == "99+"
    assert page.count("<li class=") == notices.SHOWN
    seen = set(re.findall(r"/notices/(\d+)/read/", page))
    while link := re.findall(r'href="(\?before=\d+)"', page):
        page = text(mara.get(f"/notices/{link[0]}"))
        fresh = set(re.findall(r"/notices/(\d+)/read/", page))
        assert not fresh & seen
        seen |= fresh
    assert len(seen) == 120


def test_the_banners_poll_brings_the_counter_and_nothing_where_nothing_is_new(cast: Cast) -> None:
    mara = sit_down(cast, "mara")
    (key,) = re.findall(r"standing/\?key=([\w+-]*)", text(mara.get("/")))
    assert mara.get(f"/standing/?key={key}").status_code == 204
    tell(cast, 1)
    answer = mara.get(f"/standing/?key={key}")
    assert counter(text(answer)) == "1"
    assert 'hx-swap-oob="true"' in text(answer)


def test_page_and_counter_cost_the_same_however_many_there_are(cast: Cast) -> None:
    mara, costs = sit_down(cast, "mara"), []
    for count in (2, 40, 120):
        tell(cast, count)
        with CaptureQueriesContext(connection) as captured:
            assert mara.get("/notices/").status_code == 200
        costs.append(len(captured))
        counting = [query["sql"] for query in captured.captured_queries if "portal_notice" in query["sql"]]
        assert all("LIMIT" in sql for sql in counting), counting
        assert len(counting) == 2
    assert len(set(costs)) == 1, costs


CHOSEN = {
    "by_mail": "on", "digest_at": "7:30, 16:00", "quiet_from": "19:00", "quiet_until": "07:00", "on_assigned": "app",
    "on_late": "none", "on_breached": "digest", "on_second": "digest", "on_turned": "digest", "on_undone": "digest",
    "on_switch": "digest", "on_returned": "digest", "on_mention": "digest",
}  # fmt: skip


def chosen(cast: Cast, name: str = "rosa") -> NoticeChoice:
    with workspace.within(cast.ws, cast.id(name)):
        return NoticeChoice.objects.get()


def test_a_person_chooses_kinds_times_and_quiet_hours(cast: Cast) -> None:
    rosa = sit_down(cast, "rosa")
    assert rosa.post("/you/notices/", CHOSEN).status_code == 302
    row = chosen(cast)
    assert (row.by_mail, row.digest_at, row.quiet_from, row.quiet_until) == (
        True,
        ["07:30", "16:00"],
        time(19),
        time(7),
    )
    assert (row.channels["assigned"], row.channels["late"]) == ("app", "none")
    assert row.mail_at is not None
    page = text(rosa.get("/you/"))
    assert 'value="07:30, 16:00"' in page
    assert 'value="19:00"' in page
    tell(cast, 1, "rosa")
    assert own(cast, "rosa") == []
    tell(cast, 1, "rosa", notices.Kind.ASSIGNED)
    assert [row.by_mail for row in own(cast, "rosa")] == [False]


def test_only_kinds_that_may_reach_a_role_are_offered(cast: Cast) -> None:
    assert 'name="on_vault"' not in text(sit_down(cast, "rosa").get("/you/"))
    assert 'name="on_vault"' in text(sit_down(cast, "ada").get("/you/"))
    assert 'name="on_assigned"' not in text(sit_down(cast, "odile").get("/you/"))


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("digest_at", "noon", "time of day"), ("digest_at", "1:00 2:00 3:00 4:00 5:00 6:00 7:00", "one to six"),
        ("quiet_from", "", "both times"), ("quiet_until", "25:00", "time of day"), ("quiet_until", "19:00", "end when"),
        ("on_late", "pigeon", "Select a valid choice"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_its_field_and_kept_on_the_page(
    cast: Cast, field: str, value: str, word: str
) -> None:
    answer = sit_down(cast, "rosa").post("/you/notices/", {**CHOSEN, field: value})
    assert answer.status_code == 422
    wrong = re.findall(r'<div class="field wrong">(.*?)</div>', text(answer), re.DOTALL)
    assert len(wrong) == 1
    assert f'name="{field}"' in wrong[0]
    assert word in wrong[0]
    with workspace.within(cast.ws, cast.id("rosa")):
        assert not NoticeChoice.objects.exists()


def test_old_notices_go(cast: Cast) -> None:
    tell(cast, 3)
    with signed_in("owner"), workspace.within(cast.ws) as now:
        keys = [row.pk for row in Notice.objects.filter(workspace_id=cast.ws)][:2]
        Notice.objects.filter(pk__in=keys).update(created_at=now - notices.KEPT * 1.1)
    with signed_in("apply"), workspace.within(cast.ws) as now:
        assert notices.forget_old(workspace=cast.ws, now=now) == 2
    assert len(own(cast)) == 1

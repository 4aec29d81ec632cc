"""The pages of the way back, without scripts: one undo, many together, a recovery case, stop and reopen."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from approvals import thresholds
from approvals.models import Handoff, Proposal, Submission
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.approvals.test_undo import applied, by_hand, contact_of, erase, gated, look, sent_refund, start, undone
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather(hold_seconds=900)


@pytest.fixture
def rosa(cast: Cast) -> Desk:
    return sit_down(cast, "rosa")


@pytest.fixture
def mara(cast: Cast) -> Desk:
    return sit_down(cast, "mara")


def field(page: str, name: str) -> str:
    (value,) = re.findall(rf'name="{name}" value="([^"]*)"', page)
    return str(value)


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_a_partial_undo_names_what_changed_before_it_offers_the_rest(cast: Cast, rosa: Desk) -> None:
    target = steps.contact(cast, {"city": "graz", "email": "a@example.com", "phone": "1"})
    row = applied(cast, target, {"changes": {"city": "Graz", "email": "b@example.com", "phone": "2"}})
    by_hand(cast, target, email="c@example.com", phone="1")
    page = text(rosa.get(f"/proposals/{row.pk}/undo/"))
    places = [page.index(words) for words in ("Changed since: this stays", "Back already", "What it would write now")]
    assert places == sorted(places)
    assert "It set" in page
    for value in ("b@example.com", "c@example.com", "a@example.com", "changed since, by no proposal"):
        assert value in plain(page)
    assert "Undo only this part" in page
    assert "somebody else approves this undo" in page
    data = {"seen_content": field(page, "seen_content"), "key": field(page, "key")}
    answer = rosa.post(f"/proposals/{row.pk}/undo/", data)
    assert answer.status_code == 302
    assert rosa.post(f"/proposals/{row.pk}/undo/", data)["Location"] == answer["Location"]  # a double click
    with workspace.within(cast.ws):
        made = Submission.objects.get(undoes=row)
    undo = gated(cast, made)
    assert "part of it only" in text(rosa.get(f"/proposals/{undo.pk}/"))
    assert f"undo of {row.pk}" in text(rosa.get("/"))  # in its row, too
    assert "Approve</button>" not in text(rosa.get(f"/proposals/{undo.pk}/"))
    under_way = text(rosa.get(f"/proposals/{row.pk}/undo/"))
    assert f"Proposal {undo.pk} undoes this already" in under_way
    assert f'href="{reverse_in(cast, "proposal", undo.pk)}"' in under_way


def reverse_in(cast: Cast, name: str, pk: int) -> str:
    return f"/w/{cast.workspace.slug}" + reverse(name, args=[pk], urlconf="portal.workspace_urls")


def test_an_older_change_names_the_newer_one_and_leads_to_its_undo(cast: Cast, rosa: Desk) -> None:
    target = steps.ticket(cast)
    older = applied(cast, target, {"priority": "P2"})
    newer = applied(cast, target, {"priority": "P1"})
    page = text(rosa.get(f"/proposals/{older.pk}/undo/"))
    assert f"undo proposal {newer.pk} first" in page
    assert f'href="{reverse_in(cast, "undo", newer.pk)}"' in page
    assert "seen_content" not in page
    answer = rosa.post(f"/proposals/{older.pk}/undo/", {"seen_content": "0" * 64, "key": "k"})
    assert (answer.status_code, f"undo proposal {newer.pk} first" in text(answer)) == (409, True)


def test_after_an_undo_the_page_says_who_took_it_back(cast: Cast, rosa: Desk) -> None:
    target = steps.contact(cast, {"city": "graz"})
    row = applied(cast, target, {"changes": {"city": "Graz"}})
    undo = undone(cast, row)
    assert f"taken back by proposal {undo.pk}" in text(rosa.get(f"/proposals/{row.pk}/undo/"))
    assert "Undo…" in text(rosa.get(f"/proposals/{undo.pk}/"))


def test_what_is_on_hold_is_stopped_instead_of_undone(cast: Cast, rosa: Desk) -> None:
    order, target = steps.order(cast), steps.ticket(cast, customer="cu-1")
    row = steps.propose(cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")
    row = steps.approve(cast, row, "rosa")
    page = text(rosa.get(f"/proposals/{row.pk}/undo/"))
    assert "It is on hold" in page
    assert "data-left=" in page
    assert 'data-key="u">Stop</button>' in page
    assert "Stop</button>" not in text(sit_down(cast, "ravi").get(f"/proposals/{row.pk}/undo/"))
    refused = rosa.post(f"/proposals/{row.pk}/undo/", {"seen_content": "0" * 64, "key": "k"})
    assert (refused.status_code, "Stop</button>" in text(refused)) == (409, True)
    assert rosa.decide(row, "stop").status_code == 302
    assert steps.fresh(cast, row).state == "pending"


def test_the_countdown_and_stop_stand_on_the_proposal_and_in_the_toast_and_a_rejection_can_be_reopened(
    cast: Cast, rosa: Desk
) -> None:
    order, target = steps.order(cast), steps.ticket(cast, customer="cu-1")
    row = steps.propose(cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")
    toast = text(rosa.client.get(rosa.decide(row, "approve")["Location"]))
    assert toast.count('data-key="u">Stop') >= 1
    assert "data-left=" in toast
    row = steps.fresh(cast, row)
    page = text(rosa.get(f"/proposals/{row.pk}/"))
    assert 'data-key="u">Stop</button>' in page
    assert "carried out in" in page
    rosa.decide(row, "stop")
    row = steps.fresh(cast, row)
    toast = text(rosa.client.get(rosa.decide(row, "reject", reason="other")["Location"]))
    assert 'data-key="u">Undo</button>' in toast
    row = steps.fresh(cast, row)
    assert 'data-key="u">Reopen</button>' in text(rosa.get(f"/proposals/{row.pk}/"))
    assert rosa.decide(row, "reopen").status_code == 302
    assert steps.fresh(cast, row).state == "pending"


def test_a_sent_refund_has_no_undo_button_but_a_recovery_case(cast: Cast, rosa: Desk) -> None:
    row = sent_refund(cast, "settled")
    page = text(rosa.get(f"/proposals/{row.pk}/"))
    assert "Undo" not in page.partition('class="decide"')[2].partition("</footer>")[0]
    assert "The money has arrived" in page
    assert "Open a recovery case" in page
    page = text(rosa.get(f"/proposals/{row.pk}/undo/"))
    assert "There is no undo for it" in page
    answer = rosa.post(f"/proposals/{row.pk}/recover/", {"key": field(page, "key")})
    assert answer.status_code == 302
    assert "The gate opens a recovery case just now" in text(rosa.get(f"/proposals/{row.pk}/undo/"))
    with workspace.within(cast.ws):
        submission = Submission.objects.get(undoes=row)
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        handoff = Handoff.objects.get(submission=submission)
    link = f'href="{reverse_in(cast, "handoff", handoff.pk)}"'
    assert link in text(rosa.get(f"/proposals/{row.pk}/"))
    assert link in text(rosa.get(f"/proposals/{row.pk}/undo/"))
    shown = text(rosa.get(f"/handoffs/{handoff.pk}/"))
    assert f'href="{reverse_in(cast, "proposal", row.pk)}">proposal {row.pk}</a>' in shown
    for words in ("45.10 EUR", "Something that was sent must be recovered", "re_1", "card-cu-1"):
        assert words in shown
    second = rosa.post(f"/proposals/{row.pk}/recover/", {"key": "other"})
    assert (second.status_code, f"hand-off {handoff.pk}" in text(second)) == (409, True)


def test_where_no_values_are_kept_the_page_says_so(cast: Cast, rosa: Desk) -> None:
    target = steps.contact(cast, {"city": "graz"})
    row = applied(cast, target, {"changes": {"city": "Graz"}})
    assert "Undo…" in text(rosa.get(f"/proposals/{row.pk}/"))
    erase(cast, row)
    page = text(rosa.get(f"/proposals/{row.pk}/"))
    assert ("Undo…" in page, "no longer kept" in page) == (False, True)
    assert "no longer kept" in text(rosa.get(f"/proposals/{row.pk}/undo/"))


def test_a_person_who_does_not_decide_sees_no_way_back(cast: Cast) -> None:
    row = applied(cast, steps.ticket(cast), {"priority": "P1"})
    odile = sit_down(cast, "odile")
    assert "Undo…" not in text(odile.get(f"/proposals/{row.pk}/"))
    assert odile.get(f"/proposals/{row.pk}/undo/").status_code == 403
    assert odile.post(f"/proposals/{row.pk}/recover/").status_code == 403


# Together ---------------------------------------------------------------------------------------------


def test_a_manager_undoes_an_agents_work_together(cast: Cast, mara: Desk) -> None:
    targets = [steps.contact(cast, {"city": "graz", "email": "a"}) for _ in range(3)]
    rows = [applied(cast, one, {"changes": {"city": "Graz", "email": "b"}}, agent="contacts") for one in targets]
    refund = sent_refund(cast, "pending")
    by_hand(cast, targets[0], email="c")
    page = text(mara.get("/undo/?agent=contacts"))
    order = [page.index(f">proposal {row.pk}<") for row in (rows[0], rows[2], rows[1])]
    assert order == sorted(order)
    ticked = re.findall(r'name="undo" value="(\d+:\w{64})" checked', page)
    assert [int(value.partition(":")[0]) for value in ticked] == [rows[2].pk, rows[1].pk]
    assert page.count('name="undo"') == 3  # the one in part stands there, unticked
    answer = mara.post("/undo/?agent=contacts", {"undo": ticked, "key": field(page, "key")})
    assert answer.status_code == 200
    assert "2 started, 0 changed since, 0 refused" in text(answer)
    assert "the gate checks it just now" in text(answer)
    with workspace.within(cast.ws):
        made = list(Submission.objects.filter(undoes__in=rows).order_by("pk"))
    for one in made:
        assert steps.apply(cast, gated(cast, one)).state == "applied"
    assert [contact_of(cast, target)["city"] for target in targets] == ["Graz", "graz", "graz"]
    window = text(mara.get("/undo/?agent=refunds"))
    assert "Cannot be taken back here" in window
    assert reverse_in(cast, "undo", refund.pk) in window


def test_what_changed_since_it_was_ticked_is_named(cast: Cast, mara: Desk) -> None:
    target = steps.contact(cast, {"city": "graz", "email": "a"})
    row = applied(cast, target, {"changes": {"city": "Graz", "email": "b"}}, agent="contacts")
    seen = f"{row.pk}:{look(cast, row).content}"
    by_hand(cast, target, email="c")
    page = text(mara.post("/undo/?agent=contacts", {"undo": [seen, "x", "9" * 30, f"{row.pk + 999}:"], "key": "k"}))
    assert "0 started, 1 changed since, 1 refused" in page


def test_a_window_is_read_in_the_persons_own_time_zone(cast: Cast, mara: Desk) -> None:
    mara_row = cast.people["mara"]
    with workspace.within(cast.ws, mara_row.pk):
        type(mara_row).objects.filter(pk=mara_row.pk).update(time_zone="Asia/Tokyo")
    row = applied(cast, steps.ticket(cast), {"priority": "P1"})
    now, hour = datetime.now(UTC), timedelta(hours=1)

    def window(middle: datetime) -> str:
        times = {"since": middle - hour, "until": middle + hour}
        return "/undo/?" + "&".join(f"{name}={time:%Y-%m-%dT%H:%M}" for name, time in times.items())

    assert f">proposal {row.pk}<" in text(mara.get(window(now + 9 * hour)))
    assert f">proposal {row.pk}<" not in text(mara.get(window(now)))


@pytest.mark.parametrize(
    "query",
    [
        "run=x", "run=0", "run=" + "9" * 40, "version=1", "since=yesterday",
        "since=2026-05-02T10:00&until=2026-05-01T10:00",
    ],
)  # fmt: skip
def test_a_search_that_is_off_is_told_so(mara: Desk, query: str) -> None:
    answer = mara.get(f"/undo/?{query}")
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)


def test_nothing_ticked_starts_nothing(cast: Cast, mara: Desk) -> None:
    assert mara.post("/undo/", {"key": "k"}).status_code == 422
    assert mara.get("/undo/").status_code == 200
    assert mara.get("/undo/?agent=nobody").status_code == 200
    assert mara.get("/undo/?agent=contacts&after=zz").status_code == 200
    for name in ("rosa", "ada", "odile"):
        assert sit_down(cast, name).get("/undo/").status_code == 403
        assert sit_down(cast, name).post("/undo/", {"undo": ["1:x"], "key": "k"}).status_code == 403


def test_no_page_of_the_way_back_carries_a_script_or_a_style_of_its_own(cast: Cast, mara: Desk) -> None:
    target = steps.contact(cast, {"city": "<script>alert(1)</script>", "email": "a"})
    row = applied(cast, target, {"changes": {"city": "<b>x</b>\u202e", "email": "b"}}, agent="contacts")
    by_hand(cast, target, email="<i>c</i>")
    for path in (f"/proposals/{row.pk}/undo/", "/undo/?agent=contacts"):
        page = text(mara.get(path))
        assert "&lt;script&gt;" in page
        assert "U+202E" in page
        assert "<i>c</i>" not in page
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page), path


def test_a_proposal_that_was_handed_in_by_hand_can_be_undone_too(cast: Cast, rosa: Desk) -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="t", actor="t", now=now, action="ticket.update", proposer_kind="person",
            tier="low", people="one",
        )  # fmt: skip
    row = undone(cast, undone(cast, applied(cast, steps.ticket(cast), {"priority": "P1"})))
    assert "Undo exactly this" in text(rosa.get(f"/proposals/{row.pk}/undo/"))
    start(cast, row)
    with workspace.within(cast.ws):
        assert Proposal.objects.filter(undoes__isnull=False).count() == 2

"""How considered approvals are: what is counted, who is shown what, and which rule could be relaxed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from approvals import decisions, milder
from approvals.considered import figures, reading
from approvals.considered.figures import Decided
from approvals.models import Proposal, Threshold
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def said(kind: str = "approve", *, ago: timedelta = timedelta(minutes=1), **more: Any) -> Decided:
    values = {"person": 1, "action": "ticket.update", "rule": "ticket-update", "size": 1, "seconds": 4, **more}
    return Decided(at=NOW - ago, kind=kind, **values)


def test_time_and_evidence_count_where_one_was_approved_by_itself() -> None:
    rows = [
        said(seconds=2, offered=True, opened=0), said(seconds=8, offered=True, opened=2), said(seconds=30),
        said(seconds=None), said(seconds=1, batch=True, offered=True, opened=0), said("reject", seconds=90),
    ]  # fmt: skip
    one = figures.figures(rows)
    assert (one.decided, one.approved_pct, one.median, one.quick_pct, one.opened_pct) == (6, 83, 8, 33, 50)


def test_of_nothing_nothing_is_said() -> None:
    assert figures.figures([]) == figures.Figures(0, None, None, None, None, 0)


def test_a_streak_is_of_one_person_and_ends_with_another_word() -> None:
    minutes = (timedelta(minutes=n) for n in range(60, 0, -1))
    rows = [
        said(kind, person=person, ago=next(minutes))
        for person, kind in [(1, "approve"), (2, "approve"), (1, "approve"), (1, "edit"), (2, "approve"),
                             (1, "approve"), (2, "approve"), (2, "send_back"), (2, "approve")]
    ]  # fmt: skip
    assert figures.streak(rows) == 3
    assert figures.by_person(rows)[1].streak == 2
    assert figures.streak(reversed(rows)) == 3


def test_weeks_go_back_from_now_and_sizes_are_three() -> None:
    rows = [said(ago=timedelta(days=days)) for days in (0, 6, 7, 50)]
    assert [one.decided for _, one in figures.by_week(rows, NOW)] == [2, 1, 0, 0, 0, 0, 0, 1]
    sizes = [said(size=size) for size in (0, 1, 2, 4, 5, 300)]
    assert [(size, one.decided) for _, size, one in figures.by_size(sizes)] == [
        ("one value", 1), ("two to four", 2), ("five and more", 2)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("one was rejected", [said("reject")]),
        ("one was edited", [said("edit")]),
        ("one was sent back", [said("send_back")]),
        ("one was undone", [said(undone=True)]),
        ("people took their time", [said(seconds=60) for _ in range(60)]),
    ],
)
def test_a_rule_is_relaxed_only_where_all_was_approved_unchanged_at_once(what: str, more: list[Decided]) -> None:
    always = [said() for _ in range(figures.RELAX_LEAST)]
    assert figures.to_relax(always) == [figures.Relaxable("ticket-update", "ticket.update", figures.RELAX_LEAST, 4)]
    assert figures.to_relax(always[1:]) == []
    assert figures.to_relax([*always, *more]) == [], what


def decide(cast: Cast, name: str, verb: str = "approve", **looked: int) -> Proposal:
    target = steps.ticket(cast)
    cites = [{"claim": "It says so", "source": target, "quote": "Where is my kettle?"}]
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"}, evidence=cites)
    more = {} if verb == "approve" else {"reason": "other", "note": ""}
    with workspace.within(cast.ws, cast.id(name)) as now:
        seen = decisions.Seen(row.revision, row.digest, **looked)
        getattr(decisions, verb)(workspace=cast.ws, proposal=row.pk, person=cast.id(name), now=now, seen=seen, **more)
    return row


def read(cast: Cast, name: str, *, names: bool = True) -> reading.Considered:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return reading.considered(workspace=cast.ws, person=cast.id(name), names=names, now=now)


def test_what_a_decision_tells_is_read_from_the_log(live: None) -> None:
    cast = gather()
    decide(cast, "rosa", seconds=3, opened=2)
    decide(cast, "rosa", seconds=9)
    decide(cast, "ravi", "reject", seconds=40)
    with workspace.within(cast.ws) as now:
        rows, more = reading.decided(cast.ws, now)
    assert not more
    assert [(row.kind, row.seconds, row.opened, row.rule, row.size) for row in rows] == [
        ("approve", 3, 2, "ticket-update", 1), ("approve", 9, None, "ticket-update", 1),
        ("reject", 40, None, "ticket-update", 1),
    ]  # fmt: skip
    seen = read(cast, "rosa")
    assert seen.own is not None
    assert (seen.own.decided, seen.own.median, seen.team.decided, seen.team.approved_pct) == (2, 6, 3, 67)
    assert [name for name, _ in seen.people] == sorted([cast.people["ravi"].name, cast.people["rosa"].name])


def test_names_are_for_managers_and_one_sees_ones_own(live: None) -> None:
    cast = gather()
    for _ in range(figures.LEAST_OF_ONE):
        decide(cast, "rosa", seconds=3)
    decide(cast, "ravi", seconds=50)
    pages = {name: text(sit_down(cast, name).get("/considered/")) for name in ("rosa", "ravi", "mara", "ada", "odile")}
    for name, page in pages.items():
        assert "This is announced" in page
        assert ("By name" in page) == (name == "mara")
    main = {name: page.partition("<main")[2] for name, page in pages.items()}
    assert cast.people["rosa"].name not in main["ravi"] + main["odile"] + main["ada"]
    assert main["mara"].index("week by week") < main["mara"].index("By name") < main["mara"].index(
        cast.people["rosa"].name
    )  # fmt: skip
    assert main["mara"].count("too few decisions") == 1
    assert "You decided nothing" in main["mara"]
    assert "You decided nothing" not in main["rosa"]


@pytest.mark.parametrize(
    ("people", "floor", "reversible", "least", "change"),
    [
        ("two", 80, False, 95, {"people": "one", "second_role": ""}),
        ("one", 80, True, 95, {"people": "automatic", "second_role": ""}),
        ("one", 80, False, 95, {}),
        ("automatic", 80, True, 65, {"confidence_floor_pct": 65}),
        ("automatic", 80, True, 95, {}),
        ("never", 80, True, 10, {}),
    ],
)
def test_milder_is_one_person_fewer_or_a_lower_floor(
    people: str, floor: int, reversible: bool, least: int, change: dict[str, Any]
) -> None:
    assert milder.milder(people=people, floor_pct=floor, reversible=reversible, least_pct=least) == change


@pytest.fixture
def always_yes(live: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Rosa approved three changes of a ticket at once, and nobody said anything else."""
    monkeypatch.setattr(figures, "RELAX_LEAST", 3)
    cast = gather()
    for _ in range(3):
        decide(cast, "rosa", seconds=2)
    return cast


def link(cast: Cast, name: str) -> str:
    page = text(sit_down(cast, name).get("/considered/"))
    assert "milder: people from one to automatic" in page
    with workspace.within(cast.ws):
        row = Threshold.objects.get(series="ticket-update")
    start = f"/admin/approvals/threshold/{row.pk}/change/"
    href = f"{start}?people=automatic&amp;second_role=#backtest"
    return href.replace("&amp;", "&").partition("#")[0] if href in page else start * (start in page)


def test_the_admin_gets_the_milder_row_filled_in_and_its_backtest(always_yes: Cast) -> None:
    ada = sit_down(always_yes, "ada")
    page = ada.get(link(always_yes, "ada"))
    html = text(page)
    assert "Filled in, and not saved: people from one to automatic" in html
    assert '<option value="automatic" selected>' in html
    assert 'hx-trigger="load, click"' in html
    form = page.context["adminform"].form
    posted = {name: form[name].value() for name in form.fields} | {"row": page.context["original"].pk}
    done = ada.post("/admin/approvals/threshold/backtest/", {k: "" if v is None else v for k, v in posted.items()})
    assert "3 writes of the last 90 days; 3 would have gone another way" in text(done)
    assert "This loosens something" in text(done)
    with workspace.within(always_yes.ws):
        assert Threshold.objects.get(series="ticket-update").people == "one", "nothing is saved"


@pytest.mark.parametrize("name", ["mara", "odile"])
def test_who_reads_the_admin_gets_the_backtest_of_the_milder_row(always_yes: Cast, name: str) -> None:
    desk = sit_down(always_yes, name)
    page = desk.get(link(always_yes, name))
    assert "With this row milder than it is: people from one to automatic" in text(page)
    done = desk.post("/admin/approvals/threshold/backtest/", {"token": page.context["token"]})
    assert "3 writes of the last 90 days; 3 would have gone another way" in text(done)
    assert "This loosens something" not in text(done)
    assert "attached" not in done.context
    assert desk.post("/admin/approvals/threshold/backtest/", {"people": "one"}).status_code == 403


@pytest.mark.parametrize("name", ["rosa", "ravi"])
def test_who_may_not_open_it_gets_no_link(always_yes: Cast, name: str) -> None:
    assert link(always_yes, name) == ""


def test_nothing_is_filled_in_that_no_threshold_may_say(always_yes: Cast) -> None:
    start = link(always_yes, "ada").partition("?")[0]
    for asked in ("people=everybody", "second_role=admin", "confidence_floor_pct=101", "people=one", "hold_seconds=0"):
        page = sit_down(always_yes, "ada").get(f"{start}?{asked}")
        assert "Filled in" not in text(page), asked
        assert page.context["adminform"].form.initial["people"] == "one"


def test_another_word_takes_the_rule_off_the_page(always_yes: Cast) -> None:
    decide(always_yes, "ravi", "reject", seconds=2)
    assert "milder:" not in text(sit_down(always_yes, "mara").get("/considered/"))


def test_the_form_says_what_was_opened_and_nonsense_counts_for_nothing(live: None) -> None:
    cast = gather()
    target = steps.ticket(cast)
    for told in ("3", "-1", "1e9", ""):
        row = steps.propose(cast, target, "ticket.update", target, {"tags": [f"t{len(told)}{told[:1]}"]})
        assert sit_down(cast, "rosa").decide(row, "approve", opened=told).status_code == 302
    with workspace.within(cast.ws) as now:
        assert [row.opened for row in reading.decided(cast.ws, now)[0]] == [3, None, None, None]

"""The practice queue: what is dealt, what is told after the answer, who sees how well it goes."""

import re
from html import escape

import pytest
from django.db import DatabaseError, connection

from approvals import execution
from approvals.models import PracticeItem, Proposal
from approvals.practice import catalogue, drills, showing, working
from audit.models import Entry
from portal import workspace
from tests import furnished
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.reading import words
from tests.cast import Cast, gather
from tests.conftest import signed_in


def deal(cast: Cast, name: str, seed: int = 7) -> list[PracticeItem]:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return working.deal(workspace=cast.ws, person=cast.id(name), now=now, seed=seed)


def answer_all(cast: Cast, name: str, said: dict[bool, str], seed: int = 7) -> None:
    """By whether something is off."""
    for item in deal(cast, name, seed):
        with workspace.within(cast.ws, cast.id(name)) as now:
            working.answer(workspace=cast.ws, person=cast.id(name), item=item.pk, said=said[item.planted], now=now)


RIGHT, CARELESS = {True: "reject", False: "approve"}, {True: "approve", False: "approve"}


@pytest.mark.parametrize("name", sorted(catalogue.DRILLS))
def test_each_drill_can_be_right_and_off_and_is_the_same_again(name: str) -> None:
    for seed in range(40):
        sound, off = (catalogue.make(name, seed, planted=planted) for planted in (False, True))
        assert (sound.wrong, bool(off.wrong)) == ("", True)
        assert (sound.changes, sound.effects) != (off.changes, off.effects)
        assert catalogue.make(name, seed, planted=True) == off


def test_a_hand_is_five_different_ones_with_two_or_three_planted() -> None:
    hands = [drills.hand(seed, list(catalogue.DRILLS)) for seed in range(200)]
    assert {len({name for name, _, _ in hand}) for hand in hands} == {5}
    assert {sum(planted for _, _, planted in hand) for hand in hands} == {2, 3}
    assert {name for hand in hands for name, _, _ in hand} == set(catalogue.DRILLS)


def test_one_finds_out_what_was_off_with_the_answer_and_not_before(live: None) -> None:
    cast = gather()
    rosa = sit_down(cast, "rosa")
    where = rosa.post("/practice/")["Location"].removeprefix(f"/w/{cast.workspace.slug}")
    with workspace.within(cast.ws, cast.id("rosa")):
        items = list(PracticeItem.objects.order_by("pk"))
        assert len(items) == 5
    assert where == f"/practice/{items[0].pk}/"
    planted = next(item for item in items if item.planted)
    off = escape(catalogue.make(planted.drill, planted.seed, planted=True).wrong)
    path = f"/practice/{planted.pk}/"
    assert off not in text(rosa.get(path))
    assert rosa.post(f"{path}answer/", {"answer": "maybe"}).status_code == 422
    assert rosa.post(f"{path}answer/", {"answer": "approve"}).status_code == 302
    told = text(rosa.get(path))
    assert off in told
    assert "Missed." in told
    assert rosa.post(f"{path}answer/", {"answer": "reject"}).status_code == 409
    assert "4 left" in text(rosa.get("/practice/"))


def test_a_hand_is_finished_before_another_is_dealt(live: None) -> None:
    cast = gather()
    assert [item.pk for item in deal(cast, "rosa")] == [item.pk for item in deal(cast, "rosa", seed=8)]


def test_the_page_shows_every_drill_through_the_parts_of_a_real_case(live: None) -> None:
    cast = gather()
    rosa = sit_down(cast, "rosa")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        rows = [
            PracticeItem.objects.create(
                workspace=cast.workspace, person=cast.people["rosa"], drill=name, seed=3, planted=True, dealt_at=now
            )
            for name in catalogue.DRILLS
        ]
    for row in rows:
        page, shown = text(rosa.get(f"/practice/{row.pk}/")), showing.of(row)
        assert "Evidence" in page
        table, says = words(page.partition("What changes")[2].partition("</table>")[0]), words(page)
        after = [words(piece.text) for line in shown.rows for piece in line.after if piece.text.strip()]
        sent = [words(piece.text) for effect in shown.effects for piece in effect.text if piece.text.strip()]
        told = [fact for effect in shown.effects for fact in (effect.title, *(value for _, value in effect.facts))]
        assert len(after) >= len(shown.rows), row.drill
        assert after or sent, row.drill
        assert ("What changes" in page, ">Before<" in page) == (bool(after), bool(after)), row.drill
        assert [one for one in after if one not in table] == [], row.drill
        assert [one for one in (*sent, *told) if one not in says] == [], row.drill


def test_how_one_does_is_ones_own_and_the_team_is_told_of_from_three_on(live: None) -> None:
    cast = gather()
    answer_all(cast, "rosa", RIGHT)
    answer_all(cast, "ravi", CARELESS)
    rosa, ravi = sit_down(cast, "rosa"), sit_down(cast, "ravi")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        rates, mine = working.own(cast.ws, cast.id("rosa"))
        assert (rates.catch_pct, rates.passed_pct, len(mine)) == (100, 100, 5)
        assert working.own(cast.ws, cast.id("ravi"))[1] == []  # whoever asks in her name finds nothing of his
        assert working.team(now) is None
    assert ravi.get(f"/practice/{mine[0].pk}/").status_code == 404
    assert "once three people" in text(rosa.get("/practice/"))
    answer_all(cast, "mara", CARELESS)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        team = working.team(now)
    assert team is not None
    planted = sum(planted for _, _, planted in drills.hand(7, list(catalogue.DRILLS)))
    assert (team.planted, team.caught, team.sound) == (3 * planted, planted, 3 * (5 - planted))
    assert f"{team.catch_pct}%" in text(rosa.get("/practice/"))


def test_that_somebody_practised_is_on_the_log_and_how_well_is_not(live: None) -> None:
    cast = gather()
    answer_all(cast, "rosa", CARELESS)
    with workspace.within(cast.ws):
        told = list(Entry.objects.filter(workspace_id=cast.ws, event="practice.answered"))
    assert {entry.actor for entry in told} == {f"person:{cast.id('rosa')}"}
    assert len(told) == 5
    assert not any(word in entry.canonical for entry in told for word in ("approve", "planted", "true"))


def test_only_who_decides_practises_and_nobody_for_somebody_else(live: None) -> None:
    cast = gather()
    for name in ("ada", "odile"):
        assert sit_down(cast, name).get("/practice/").status_code == 403
        assert sit_down(cast, name).post("/practice/").status_code == 403
    dealt = deal(cast, "rosa")
    ravi = sit_down(cast, "ravi")
    before = furnished.prints(cast)
    assert ravi.post(f"/practice/{dealt[0].pk}/answer/", {"answer": "reject"}).status_code == 404
    assert furnished.prints(cast) == before


def test_an_answer_stays_as_it_was_given(live: None) -> None:
    cast = gather()
    answer_all(cast, "rosa", CARELESS)
    for what in ("answer = 'reject'", "planted = false"):
        sql = f"UPDATE approvals_practiceitem SET {what} WHERE workspace_id = {cast.ws}"
        assert state_of(cast, "owner", sql) == "CS001"


def state_of(cast: Cast, role: str, sql: str) -> str:
    """The SQLSTATE that a role gets for a statement, "" where it is let through."""
    try:
        with signed_in(role), workspace.within(cast.ws, cast.id("rosa")), connection.cursor() as cursor:
            cursor.execute(sql)
    except DatabaseError as error:
        return str(getattr(error.__cause__, "sqlstate", ""))
    return ""


def test_33_a_planted_item_approved_has_no_effect_and_none_can_exist(live: None) -> None:
    cast = gather()
    steps.order(cast)
    rosa = sit_down(cast, "rosa")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        items = [
            PracticeItem.objects.create(
                workspace=cast.workspace, person=cast.people["rosa"], drill=name, seed=5, planted=True, dealt_at=now
            )
            for name in catalogue.DRILLS
        ]
    before = furnished.prints(cast)
    for item in items:
        assert rosa.post(f"/practice/{item.pk}/answer/", {"answer": "approve"}).status_code == 302
        for verb in ("approve", "stop", "undo"):  # its number at the real door
            assert rosa.post(f"/proposals/{item.pk}/{verb}/", {"revision": 1, "digest": "0" * 64}).status_code == 404
        with signed_in("apply"):
            execution.apply(workspace=cast.ws, proposal=item.pk)
    after = furnished.prints(cast)
    assert {table for table in before if before[table] != after[table]} == {"approvals_practiceitem", "audit_entry"}
    print(f"\n{len(items)} planted items approved: of {len(before)} tables none changed but practice and log")


def test_33_nothing_leads_from_a_planted_item_to_a_book(live: None) -> None:
    """Keys, grants and the door, each with what succeeds beside what does not."""
    cast = gather()
    deal(cast, "rosa")
    with signed_in("owner"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
            " AND 'approvals_practiceitem'::regclass IN (conrelid, confrelid)"
        )
        keys = set(cursor.fetchall())
    assert keys == {("approvals_practiceitem", "portal_person"), ("approvals_practiceitem", "portal_workspace")}
    for role in ("apply", "agents", "sealer"):
        assert state_of(cast, role, "SELECT 1 FROM approvals_practiceitem") == "42501"
    assert state_of(cast, "apply", "SELECT 1 FROM approvals_proposal") == ""
    for table in ("approvals_proposal", "approvals_receipt", "approvals_attempt"):
        assert state_of(cast, "web", f"INSERT INTO {table} (workspace_id) SELECT {cast.ws}") == "42501"
    assert state_of(cast, "web", "SELECT drill FROM approvals_practiceitem") == ""


def test_33_what_a_planted_item_shows_is_refused_at_the_door(live: None) -> None:
    cast = gather()
    case = steps.ticket(cast)
    effect = catalogue.make("destination", 5, planted=True).effects[0]
    args = {
        "kind": "return", "order_id": effect["order"], "item_ids": effect["items"], "refund_to": effect["to"],
        "amount_minor": effect["amount_minor"], "currency": "EUR", "reason": "",
    }  # fmt: skip
    order = steps.order(cast)
    for number, said in ((effect["order"], args), (order, steps.refund_args(order))):
        handed_in = steps.submit_as_agent(cast, case, "refund.create", f"order:{number}", said, agent="refunds")
        steps.pass_gate(cast, handed_in)
    with workspace.within(cast.ws):
        assert list(Proposal.objects.values_list("submission_id", flat=True)) == [handed_in.pk]


def test_a_catch_rate_is_told_as_it_comes_about(live: None) -> None:
    """Three people at their desks: one sees what is off, one approves all, one rejects all."""
    cast, told = gather(), []
    for name, said in (("rosa", RIGHT), ("ravi", CARELESS), ("mara", {True: "reject", False: "reject"})):
        desk = sit_down(cast, name)
        answered, where = 0, desk.post("/practice/")["Location"]
        while where:
            key = int(where.rstrip("/").rpartition("/")[2])
            with workspace.within(cast.ws, cast.id(name)):
                planted = PracticeItem.objects.get(pk=key).planted
            desk.post(f"/practice/{key}/answer/", {"answer": said[planted]})
            answered += 1
            where = next(iter(re.findall(r'href="([^"]+)">Next', text(desk.get(f"/practice/{key}/")))), "")
        own = re.findall(r'class="number">(\d+)%</b>', text(desk.get("/practice/")))[:2]
        told.append((name, answered, *own))
    print("\n" + "; ".join(f"{name} answered {n}: caught {c}%, let pass {p}%" for name, n, c, p in told))
    assert told == [("rosa", 5, "100", "100"), ("ravi", 5, "0", "100"), ("mara", 5, "100", "0")]
    assert "caught of" in text(sit_down(cast, "rosa").get("/practice/"))

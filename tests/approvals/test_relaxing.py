"""Loosening is a proposal: one admin makes it with its backtest, another agrees, present; the database says so too."""

from typing import Any

import pytest
from django.db import Error, connection

from approvals import relaxing, thresholds
from approvals.models import Loosening, Threshold
from audit.models import Entry, Unattributed
from portal import stepup, workspace
from tests.api.calls import browser
from tests.approvals.steps import contact, propose
from tests.cast import Cast, gather
from tests.presence import Codes, confirm, passed

LOOSER = {
    "action": "contact.update", "proposer_kind": "", "agent": "", "currency": "", "above": "", "up_to": "",
    "tier": "low", "people": "automatic", "second_role": "", "confidence_floor_pct": "80", "hold_seconds": "0",
    "fresh_minutes": "1440", "why": "They are always right",
}  # fmt: skip


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def at(cast: Cast, path: str) -> str:
    return f"/w/{cast.workspace.slug}/admin/approvals/{path}"


def in_force(cast: Cast, series: str = "contact-update") -> Threshold | None:
    with workspace.within(cast.ws):
        return next((row for row in thresholds.in_force(cast.ws) if row.series == series), None)


def proposed(cast: Cast, name: str = "anton", **change: Any) -> Loosening:
    row = in_force(cast)
    values = {column: getattr(row, column) for column in thresholds.COPIED} | {"people": "automatic"} | change
    with workspace.within(cast.ws, cast.id(name)) as now:
        return relaxing.propose(
            workspace=cast.ws, kind="threshold", series="contact-update", values=values, why="They are right",
            person=cast.id(name), now=now,
        )  # fmt: skip


def agree(cast: Cast, row: Loosening, name: str) -> Any:
    with workspace.within(cast.ws, cast.id(name)) as now:
        proof = passed(cast, relaxing.ask(row), name, now)
        return relaxing.agree(workspace=cast.ws, loosening=row.pk, person=cast.id(name), now=now, step_up=proof)


def test_one_proposes_it_with_its_backtest_and_another_agrees(cast: Cast) -> None:
    anton, ada, row = browser(cast, "anton"), browser(cast, "ada"), in_force(cast)
    target = contact(cast, {"first_name": "cleo"})
    propose(cast, target, "contact.update", target, {"changes": {"first_name": "Cleo"}}, agent="contacts")
    page = anton.post(at(cast, f"threshold/{row.pk}/change/"), LOOSER)
    done = anton.post(at(cast, "threshold/backtest/"), {"token": page.context["token"]})
    assert "People from one to automatic" in done.content.decode()
    kept = anton.post(
        at(cast, "loosening/propose/"), {"attached": done.context["attached"], "why": done.context["why"]}
    )
    assert kept.status_code == 302, kept.content.decode()
    assert in_force(cast).version == 1
    with workspace.within(cast.ws):
        waiting = Loosening.objects.get()
    assert waiting.backtest["tally"]["moves"] == [["one", "alone", 1]]
    hers, his = (one.get(kept["Location"]).content.decode() for one in (ada, anton))
    assert "They are always right" in hers
    assert ("Agree: it counts at once" in hers, "Agree: it counts at once" in his) == (True, False)
    decide = at(cast, f"loosening/{waiting.pk}/decide/")
    assert anton.post(decide, {"verdict": "agree"}).status_code == 403
    asked = ada.post(decide, {"verdict": "agree"})
    assert in_force(cast).version == 1
    assert confirm(ada, asked, Codes(cast, "ada")).status_code == 302
    now = in_force(cast)
    assert (now.version, now.people, now.made_by) == (2, "automatic", f"person:{cast.id('ada')}")
    history = ada.get(at(cast, f"threshold/{now.pk}/history/")).content.decode()
    assert all(said in history for said in (cast.people["anton"].name, cast.people["ada"].name, "always right"))
    with workspace.within(cast.ws):
        events = list(Entry.objects.filter(subject=f"loosening:{waiting.pk}").order_by("version"))
        assert [(e.event, e.actor) for e in events] == [
            ("loosening.proposed", f"person:{cast.id('anton')}"), ("loosening.agreed", f"person:{cast.id('ada')}"),
        ]  # fmt: skip
        assert not Unattributed.objects.exists()


@pytest.mark.parametrize(("name", "status"), [("mara", 403), ("odile", 403), ("rosa", 404)])
def test_only_admins_decide_on_it(cast: Cast, name: str, status: int) -> None:
    row = proposed(cast)
    for verdict in ("agree", "refuse"):
        answer = browser(cast, name).post(at(cast, f"loosening/{row.pk}/decide/"), {"verdict": verdict, "note": "No"})
        assert answer.status_code == status
    with pytest.raises(relaxing.NotAllowed):
        agree(cast, row, name)
    assert in_force(cast).version == 1


def test_it_says_why_and_waits_once_for_each_row(cast: Cast) -> None:
    proposed(cast)
    with pytest.raises(relaxing.Over, match="waits"):
        proposed(cast, "ada")
    row = in_force(cast, "ticket-update")
    values = {column: getattr(row, column) for column in thresholds.COPIED}
    with workspace.within(cast.ws, cast.id("ada")) as now:
        asked: dict[str, Any] = {"workspace": cast.ws, "kind": "threshold", "series": row.series, "now": now}
        with pytest.raises(relaxing.BadInput, match="why"):
            relaxing.propose(**asked, values=values | {"people": "automatic"}, why=" ", person=cast.id("ada"))
        with pytest.raises(relaxing.Over, match="Nothing is loosened"):
            relaxing.propose(**asked, values=values | {"people": "two"}, why="So", person=cast.id("ada"))


def test_what_was_changed_meanwhile_is_agreed_to_no_more(cast: Cast) -> None:
    row = proposed(cast)
    with workspace.within(cast.ws, cast.id("ada")) as now:
        values = {column: getattr(in_force(cast), column) for column in thresholds.COPIED}
        thresholds.set_threshold(
            workspace=cast.ws, series="contact-update", actor=f"person:{cast.id('ada')}", now=now,
            **(values | {"people": "two"}),
        )  # fmt: skip
    with pytest.raises(relaxing.Over, match="changed"):
        agree(cast, row, "ada")
    assert (in_force(cast).version, in_force(cast).people) == (2, "two")


def test_a_band_that_crosses_one_set_meanwhile_is_agreed_to_no_more(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("anton")) as now:
        small = next(
            row for row in thresholds.in_force(cast.ws)
            if row.action == "refund.create" and row.currency == "EUR" and row.up_to_minor and not row.above_minor
        )  # fmt: skip
        values = {column: getattr(small, column) for column in thresholds.COPIED}
        wider = relaxing.propose(
            workspace=cast.ws, kind="threshold", series=small.series, why="Larger ones are small too",
            values=values | {"up_to_minor": small.up_to_minor + 1_000}, person=cast.id("anton"), now=now,
        )  # fmt: skip
    with pytest.raises(relaxing.Over, match="crosses the row"):
        agree(cast, wider, "ada")
    assert in_force(cast, small.series).version == small.version


def test_a_refusal_says_why_and_who_proposed_it_may_take_it_back(cast: Cast) -> None:
    row = proposed(cast)
    ada, decide = browser(cast, "ada"), at(cast, f"loosening/{row.pk}/decide/")
    assert ada.post(decide, {"verdict": "refuse", "note": ""}).status_code == 422
    assert ada.post(decide, {"verdict": "refuse", "note": "Look at the last week"}).status_code == 302
    assert (
        "Look at the last week" in browser(cast, "anton").get(at(cast, f"loosening/{row.pk}/change/")).content.decode()
    )
    other = proposed(cast)
    with workspace.within(cast.ws, cast.id("anton")) as now:
        gone = relaxing.refuse(workspace=cast.ws, loosening=other.pk, person=cast.id("anton"), now=now)
    assert gone.state == "taken_back"
    with pytest.raises(relaxing.Over, match="taken back"):
        agree(cast, other, "ada")
    assert in_force(cast).version == 1


def test_presence_is_proved_for_exactly_what_is_loosened(cast: Cast) -> None:
    row = proposed(cast)
    with workspace.within(cast.ws, cast.id("ada")) as now:
        with pytest.raises(stepup.Needed):
            relaxing.agree(workspace=cast.ws, loosening=row.pk, person=cast.id("ada"), now=now)
        wrong = passed(cast, stepup.Ask("loosen", f"loosening:{row.pk}", "0" * 64, "Something else"), "ada", now)
        with pytest.raises(stepup.WrongDigest):
            relaxing.agree(workspace=cast.ws, loosening=row.pk, person=cast.id("ada"), now=now, step_up=wrong)
    assert in_force(cast).version == 1


def _refused(cast: Cast, name: str, statement: str, *values: Any) -> str:
    with pytest.raises(Error) as refused, workspace.within(cast.ws, cast.id(name)), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return str(getattr(refused.value.__cause__, "sqlstate", ""))


END = "UPDATE approvals_loosening SET state = %s, decided_by_id = %s, decided_at = now() WHERE id = %s"


def test_the_database_lets_nobody_agree_to_their_own_or_in_another_s_name(cast: Cast) -> None:
    row = proposed(cast)
    anton, ada, mara = (cast.id(name) for name in ("anton", "ada", "mara"))
    assert _refused(cast, "anton", END, "agreed", anton, row.pk) == "23514"
    assert _refused(cast, "anton", END, "agreed", ada, row.pk) == "CS009"
    assert _refused(cast, "mara", END, "agreed", mara, row.pk) == "CS009"
    assert _refused(cast, "ada", "UPDATE approvals_loosening SET values = '{}' WHERE id = %s", row.pk) == "42501"
    assert _refused(cast, "ada", "DELETE FROM approvals_loosening WHERE id = %s", row.pk) == "42501"
    agree(cast, row, "ada")
    assert _refused(cast, "ada", END, "refused", ada, row.pk) == "CS001"


def test_reverting_goes_through_the_same_door(cast: Cast) -> None:
    ada = browser(cast, "ada")
    row = in_force(cast)
    ada.post(at(cast, f"threshold/{row.pk}/change/"), LOOSER | {"people": "two", "why": "For a week"})
    assert in_force(cast).version == 2
    looser = ada.post(at(cast, "threshold/series/contact-update/1/"))
    assert (looser.status_code, in_force(cast).version) == (200, 2)
    assert "Looked at 0" in looser.content.decode()
    with workspace.within(cast.ws, cast.id("ada")) as now:
        values = {column: getattr(row, column) for column in thresholds.COPIED}
        thresholds.set_threshold(workspace=cast.ws, series="contact-update", actor="system:test", now=now, **values)
    assert ada.post(at(cast, "threshold/series/contact-update/2/")).status_code == 302
    assert (in_force(cast).version, in_force(cast).people) == (4, "two")
    history = ada.get(at(cast, "threshold/series/contact-update/")).content.decode()
    assert "Back to version 2." in history
    assert "For a week" in history
    for name, status in (("mara", 403), ("odile", 403), ("rosa", 404)):
        assert browser(cast, name).post(at(cast, "threshold/series/contact-update/1/")).status_code == status
    assert ada.get(at(cast, "threshold/series/contact-update/1/")).status_code == 403
    assert ada.post(at(cast, "threshold/series/no-such/1/")).status_code == 404


def test_a_row_ends_by_two_and_its_history_stays(cast: Cast) -> None:
    anton, row = browser(cast, "anton"), in_force(cast, "refund-jpy-low")
    page = anton.post(at(cast, f"threshold/{row.pk}/delete/"), {"post": "yes"})
    done = anton.post(at(cast, "threshold/backtest/"), {"token": page.context["token"]})
    kept = anton.post(at(cast, "loosening/propose/"), {"attached": done.context["attached"], "why": "Not needed"})
    assert kept.status_code == 302
    with workspace.within(cast.ws):
        waiting = Loosening.objects.get()
    agree(cast, waiting, "ada")
    assert in_force(cast, "refund-jpy-low") is None
    listed = anton.get(at(cast, "threshold/")).content.decode()
    assert "series/refund-jpy-low/" in listed
    assert "ended" in anton.get(at(cast, "threshold/series/refund-jpy-low/")).content.decode()


def test_what_was_attached_is_not_anybody_else_s(cast: Cast) -> None:
    anton, row = browser(cast, "anton"), in_force(cast)
    page = anton.post(at(cast, f"threshold/{row.pk}/change/"), LOOSER)
    done = anton.post(at(cast, "threshold/backtest/"), {"token": page.context["token"]})
    given = {"attached": done.context["attached"], "why": "So"}
    assert browser(cast, "ada").post(at(cast, "loosening/propose/"), given).status_code == 403
    assert anton.post(at(cast, "loosening/propose/"), {"attached": "forged", "why": "So"}).status_code == 403
    assert anton.post(at(cast, "loosening/propose/"), given | {"why": ""}).status_code == 422


def test_what_is_refused_still_shows_what_loosens_and_its_backtest(cast: Cast) -> None:
    anton, row = browser(cast, "anton"), in_force(cast)
    target = contact(cast, {"first_name": "cleo"})
    propose(cast, target, "contact.update", target, {"changes": {"first_name": "Cleo"}}, agent="contacts")
    page = anton.post(at(cast, f"threshold/{row.pk}/change/"), LOOSER)
    done = anton.post(at(cast, "threshold/backtest/"), {"token": page.context["token"]})
    given = {"attached": done.context["attached"], "why": " "}
    again = anton.post(at(cast, "loosening/propose/"), given)
    assert again.status_code == 422
    for said in ("say why", "People from one to automatic", "of the last 90 days", "who sees this backtest"):
        assert said in again.content.decode(), said
    proposed(cast, "ada")
    waits = anton.post(at(cast, "loosening/propose/"), given | {"why": "So"})
    assert waits.status_code == 409
    assert "People from one to automatic" in waits.content.decode()


def test_what_loosens_nothing_any_more_is_not_offered_again(cast: Cast) -> None:
    anton, row = browser(cast, "anton"), in_force(cast)
    page = anton.post(at(cast, f"threshold/{row.pk}/change/"), LOOSER)
    done = anton.post(at(cast, "threshold/backtest/"), {"token": page.context["token"]})
    agree(cast, proposed(cast, tier="low", confidence_floor_pct=0), "ada")
    late = anton.post(at(cast, "loosening/propose/"), {"attached": done.context["attached"], "why": "So"})
    assert late.status_code == 409
    assert "Nothing is loosened by this any more" in late.content.decode()
    assert "This loosens something" not in late.content.decode()


def test_who_only_reads_is_asked_for_no_reason(cast: Cast) -> None:
    row = in_force(cast)
    page = browser(cast, "mara").get(at(cast, f"threshold/{row.pk}/change/")).content.decode()
    assert "field-people" in page
    assert "field-why" not in page
    assert "field-why" in browser(cast, "ada").get(at(cast, f"threshold/{row.pk}/change/")).content.decode()


def test_a_new_row_begins_with_two_people(cast: Cast) -> None:
    page = browser(cast, "ada").get(at(cast, "threshold/add/")).content.decode()
    assert '<option value="two" selected>' in page
    assert '<option value="automatic">' in page

"""Approved actions reach an outside system at most once, whatever its answer; where nobody knows, it says so."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from approvals import decisions, following, presence, proposals, resolving, sending, sweeper, switches
from approvals.models import Attempt, Decision, Handoff, Outbox, Receipt
from audit.models import Entry
from portal import models, workspace
from tests.approvals import outside, steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in
from tests.presence import Codes, confirm
from tests.provider.process import Provider


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(Path(tmp_path_factory.mktemp("provider")) / "ledger.jsonl") as running:
        yield running


@pytest.fixture
def cast(live: None, provider: Provider) -> Cast:
    provider.clear()
    cast = gather()
    outside.serve(cast, provider)
    return cast


def test_a_refund_is_sent_once_and_our_books_follow(cast: Cast, provider: Provider) -> None:
    row = outside.apply(cast, outside.refund(cast, provider))
    assert (row.state, outside.attempts(cast, row)) == ("applied", ["done"])
    assert outside.effects(cast, provider, row) == 1
    with workspace.within(cast.ws):
        assert models.Payment.objects.get(type="refund").reference == f"proposal:{row.pk}"
        assert Receipt.objects.get(proposal=row).digest == row.digest
        assert not Outbox.objects.filter(object_id=row.pk, queue="apply").exists()
        told = Entry.objects.filter(subject__startswith="attempt:").order_by("pk").values_list("event", flat=True)
        assert list(told) == ["attempt.sent", "attempt.ended"]


def test_what_is_sent_is_what_was_approved(cast: Cast, provider: Provider) -> None:
    row = outside.apply(cast, outside.refund(cast, provider))
    with workspace.within(cast.ws):
        attempt = Attempt.objects.get(proposal=row)
    (effect,) = [e for e in provider.effects() if e["reference"] == str(attempt.key)]
    assert (effect["amount_minor"], effect["currency"]) == (4_510, "EUR")
    assert attempt.request["body"]["to"] == "card-cu-1"


@pytest.mark.parametrize("fault", ["drop_after_effect", "drop_before_effect", "malformed", "conflict", "redirect"])
def test_a_lost_answer_is_made_up_for_by_the_same_key(cast: Cast, provider: Provider, fault: str) -> None:
    row = outside.refund(cast, provider)
    provider.fault(fault)
    assert outside.apply(cast, row).state == "applying"
    assert outside.attempts(cast, row) == ["lost"]
    assert outside.reconcile(cast, row).state == "applied"
    assert outside.attempts(cast, row) == ["lost", "done"]
    assert outside.effects(cast, provider, row) == 1


def test_a_failure_that_may_be_replayed_is_looked_up_first(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)
    provider.fault("error_after_effect")
    assert outside.apply(cast, row).state == "applying"
    assert outside.reconcile(cast, row).state == "applied"
    assert (outside.attempts(cast, row), outside.effects(cast, provider, row)) == (["done"], 1)


def test_a_stored_failure_without_effect_fails_once_that_is_certain(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)
    provider.fault("error_before_effect")
    outside.apply(cast, row)
    assert outside.reconcile(cast, row).state == "applying", "an absence proves nothing yet"
    time.sleep(1.1)
    assert outside.reconcile(cast, row).state == "failed"
    assert outside.effects(cast, provider, row) == 0


def test_a_busy_system_is_asked_again_later(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)
    provider.fault("busy", retry_after="1")
    assert outside.apply(cast, row).state == "applying"
    assert outside.attempts(cast, row) == ["not_sent"]
    time.sleep(1.1)
    assert outside.reconcile(cast, row).state == "applied"
    assert outside.effects(cast, provider, row) == 1


def test_what_can_never_be_sent_fails_after_three_attempts(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)
    provider.fault("busy", times=9, retry_after="0")
    outside.apply(cast, row)
    outside.reconcile(cast, row)
    assert outside.reconcile(cast, row).state == "failed"
    assert outside.attempts(cast, row) == ["not_sent"] * 3
    provider.clear()
    assert outside.effects(cast, provider, row) == 0


def test_a_refusal_is_a_failure_in_words(cast: Cast, provider: Provider) -> None:
    row = outside.apply(cast, outside.refund(cast, provider, paid=100))
    assert (row.state, outside.attempts(cast, row)) == ("failed", ["refused"])
    with workspace.within(cast.ws):
        assert "refused" in str(Attempt.objects.get(proposal=row).answer["because"])


@pytest.mark.parametrize(("happened", "state"), [("yes", "applied"), ("no", "failed")])
def test_where_nobody_can_say_a_manager_does(cast: Cast, provider: Provider, happened: str, state: str) -> None:
    outside.serve(cast, provider, idempotency_hours=0, lookup=False)
    row = outside.refund(cast, provider)
    provider.fault("drop_after_effect" if happened == "yes" else "drop_before_effect")
    assert outside.apply(cast, row).state == "applying"
    row = outside.reconcile(cast, row)
    assert row.state == "unknown"
    assert outside.reconcile(cast, row).state == "unknown", "it is never sent again"
    with workspace.within(cast.ws, cast.id("rosa")) as now, pytest.raises(decisions.NotAllowed):
        _resolve(cast, row, "rosa", happened, now)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        proof = steps.passed(cast, presence.ask(row, "resolve"), "mara", now)
        _resolve(cast, row, "mara", happened, now, proof)
    assert outside.reconcile(cast, row).state == state
    assert outside.effects(cast, provider, row) == (happened == "yes")
    with workspace.within(cast.ws):
        assert Decision.objects.get(kind__in=("found", "not_found"), proposal=row).note == "looked at re_1"


def _resolve(cast: Cast, row, name: str, happened: str, now, proof=None):  # type: ignore[no-untyped-def]
    return resolving.resolve(
        workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id(name), happened=happened,
        evidence="looked at re_1", now=now, step_up=proof,
    )  # fmt: skip


def test_what_a_manager_found_is_confirmed_in_words_and_stands_there_until_it_is_booked(
    cast: Cast, provider: Provider
) -> None:
    outside.serve(cast, provider, idempotency_hours=0, lookup=False)
    row = outside.refund(cast, provider)
    provider.fault("drop_before_effect")
    outside.apply(cast, row)
    row = outside.reconcile(cast, row)
    codes, mara = Codes(cast, "mara"), sit_down(cast, "mara")
    with workspace.within(cast.ws):
        reference = str(Attempt.objects.get(proposal=row).key)
    page = text(mara.get(f"/proposals/{row.pk}/"))
    assert (page.count(reference), "Say what became of it" in page) == (2, True)  # above, and in the form
    asked = mara.decide(row, "resolve", happened="no", evidence="Not there <today>")
    assert "Say that it never happened: Refund 45.10 EUR" in text(mara.client.get(asked["Location"]))
    assert confirm(mara.client, asked, codes).status_code == 302
    page = text(mara.get(f"/proposals/{row.pk}/"))
    assert "Mara Okoye found that it never happened" in page
    assert "Not there &lt;today&gt;" in page
    assert "Say what became of it" not in page
    assert outside.reconcile(cast, row).state == "failed"
    assert "found that it never happened" not in text(mara.get(f"/proposals/{row.pk}/")).partition("What happened")[0]


def test_an_old_key_is_looked_up_before_anything_else(
    cast: Cast, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lifetime is over by our reckoning: had it been sent again, the provider would have done it twice."""
    row = outside.refund(cast, provider)
    provider.fault("drop_after_effect")
    outside.apply(cast, row)
    monkeypatch.setattr("approvals.recovery.KEY_SHARE", 0)
    provider.clock(25)
    try:
        assert outside.reconcile(cast, row).state == "applied"
    finally:
        provider.clock(0)
    assert (outside.attempts(cast, row), outside.effects(cast, provider, row)) == (["done"], 1)


def test_a_worker_that_comes_back_after_its_lease_is_fenced(
    cast: Cast, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = outside.refund(cast, provider)
    monkeypatch.setattr(sending, "LEASE", timedelta(0))
    late: list[Attempt] = []
    monkeypatch.setattr(sending, "call", late.append)
    outside.apply(cast, row)
    monkeypatch.undo()
    assert outside.reconcile(cast, row).state == "applied"
    with outside.apply_process():
        sending.call(late[0])
    assert outside.attempts(cast, row) == ["lost", "done"]
    assert outside.effects(cast, provider, row) == 1


def test_the_same_message_five_times_is_one_effect(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)
    for _ in range(5):
        outside.apply(cast, row)
        outside.reconcile(cast, row)
    assert (outside.attempts(cast, row), outside.effects(cast, provider, row)) == (["done"], 1)


def test_nothing_is_sent_again_while_a_switch_is_thrown(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)
    provider.fault("busy", retry_after="0")
    outside.apply(cast, row)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        who = f"person:{cast.id('mara')}"
        switches.throw(workspace=cast.ws, kind="autonomy_off", subject="", reason="a drill", actor=who, now=now)
    assert outside.reconcile(cast, row).state == "applying"
    assert (outside.attempts(cast, row), outside.effects(cast, provider, row)) == (["not_sent"], 0)


def test_money_that_comes_back_reopens_the_case(cast: Cast, provider: Provider) -> None:
    row = outside.apply(cast, outside.refund(cast, provider))
    with workspace.within(cast.ws):
        attempt = Attempt.objects.get(proposal=row)
    assert attempt.follow == "pending"
    provider.bounce(str(attempt.key))
    _look_now(cast, attempt)
    with outside.apply_process():
        assert cast.ws in sweeper.due_in()
        assert following.follow(workspace=cast.ws) == 1
        assert following.follow(workspace=cast.ws) == 0
    with workspace.within(cast.ws):
        assert Attempt.objects.get(pk=attempt.pk).follow == "bounced"
        assert Handoff.objects.get(reason="bounced", case=row.case).found["proposal"] == row.pk
        assert Entry.objects.filter(event="effect.bounced").count() == 1


def test_money_that_arrived_is_noted_once(cast: Cast, provider: Provider) -> None:
    row = outside.apply(cast, outside.refund(cast, provider))
    with workspace.within(cast.ws):
        attempt = Attempt.objects.get(proposal=row)
    provider.settle(str(attempt.key))
    _look_now(cast, attempt)
    with outside.apply_process():
        following.follow(workspace=cast.ws)
    with workspace.within(cast.ws):
        assert Attempt.objects.get(pk=attempt.pk).follow == "settled"
        assert not Handoff.objects.exists()


def _look_now(cast: Cast, attempt: Attempt) -> None:
    with signed_in("apply"), workspace.within(cast.ws) as now:
        Attempt.objects.filter(pk=attempt.pk).update(look_at=now)


def test_what_our_books_cannot_follow_is_told_to_a_person(
    cast: Cast, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It happened outside: whatever our books say, it must not look as if it had not."""
    from portal.systems.base import Conflict
    from portal.systems.books_writer import BooksWriter

    def refuse(*args: object) -> None:
        raise Conflict("order #W1: more would go back than was paid")

    monkeypatch.setattr(BooksWriter, "refund", refuse)
    row = outside.apply(cast, outside.refund(cast, provider))
    assert (row.state, outside.effects(cast, provider, row)) == ("applied", 1)
    with workspace.within(cast.ws):
        assert Receipt.objects.get(proposal=row).changed == []
        assert Handoff.objects.get(reason="books_behind")


def test_the_key_of_an_effect_is_that_of_its_revision(cast: Cast, provider: Provider) -> None:
    row = outside.refund(cast, provider)
    before = sending.key_of(row)
    row.revision, row.digest = 2, "0" * 64
    assert sending.key_of(row) != before
    assert proposals.APPLY != sending.RECONCILE

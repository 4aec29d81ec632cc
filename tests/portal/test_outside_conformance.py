"""What every registered system must do against a provider that fails in every way; a new one is in by itself."""

import logging
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from uuid import uuid4

import pytest

from portal.systems.outside import Answer, Lost, NotSent, OutsideError, Refused
from portal.systems.registry import SYSTEMS
from tests.portal.systems import ACCOUNTS, made, opened, operations, sending
from tests.provider.process import Provider

EACH = pytest.mark.parametrize(("name", "operation"), operations())
REFUNDING = pytest.mark.parametrize("name", [n for n, s in SYSTEMS.items() if "refund" in s.declared])


@pytest.fixture(scope="module")
def one_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(tmp_path_factory.mktemp("provider") / "ledger.jsonl") as provider:
        yield provider


@pytest.fixture
def provider(one_provider: Provider) -> Iterator[Provider]:
    yield one_provider
    one_provider.clear()
    one_provider.clock(0)


def test_every_registered_system_is_tested_here() -> None:
    assert set(ACCOUNTS) == set(SYSTEMS)


@EACH
def test_an_effect_is_made_once_for_a_key_and_found_by_it(provider: Provider, name: str, operation: str) -> None:
    system, sent = opened(name, provider), sending(name, operation, provider)
    assert system.find(sent) is None
    first = system.send(sent)
    again = system.send(sent)
    found = system.find(sent)
    (effect,) = made(provider, sent)
    assert {first.outside_id, again.outside_id, found.outside_id} == {effect["id"]}
    assert first.settled == found.settled == ("pending" if operation == "refund" else "")
    assert system.find(replace(sent, key=uuid4())) is None


@EACH
@pytest.mark.parametrize(
    ("fault", "effects", "stored"),
    [
        ("drop_after_effect", 1, False), ("drop_before_effect", 0, False), ("malformed", 1, False),
        ("oversized", 1, False), ("conflict", 0, False), ("redirect", 0, False), ("unavailable", 0, True),
        ("error_after_effect", 1, True), ("error_before_effect", 0, True),
    ],
)  # fmt: skip
def test_a_lost_answer_is_lost_and_the_same_key_never_doubles(
    provider: Provider, name: str, operation: str, fault: str, effects: int, stored: bool
) -> None:
    system, sent = opened(name, provider), sending(name, operation, provider)
    provider.fault(fault)
    with pytest.raises(Lost) as lost:
        system.send(sent)
    assert lost.value.stored is stored
    assert len(made(provider, sent)) == effects
    found = system.find(sent)
    assert (found is not None) is bool(effects)
    if fault.startswith("error"):
        with pytest.raises(Lost) as replayed:
            system.send(sent)
        assert replayed.value.stored
        assert len(made(provider, sent)) == effects
    else:
        assert system.send(sent).outside_id == made(provider, sent)[0]["id"]
        assert len(made(provider, sent)) == 1


@EACH
@pytest.mark.parametrize("fault", ["timeout_after_effect", "drip", "drip_headers"])
def test_an_answer_that_does_not_end_is_lost_in_time(provider: Provider, name: str, operation: str, fault: str) -> None:
    system = opened(name, provider, read_seconds=1, total_seconds=2)
    sent = sending(name, operation, provider)
    provider.fault(fault, seconds=8 if fault == "timeout_after_effect" else 0.2)
    began = time.monotonic()
    with pytest.raises(Lost) as lost:
        system.send(sent)
    assert time.monotonic() - began < 6
    assert not lost.value.stored
    assert system.find(sent).outside_id == made(provider, sent)[0]["id"]


@EACH
@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7), ("0", 1, 1), ("86400", 3600, 3600), ("soon", 30, 30), (timedelta(minutes=20), 900, 1200),
        (timedelta(days=3), 3600, 3600), (timedelta(days=-3), 1, 1),
    ],
)  # fmt: skip
def test_a_system_that_asks_to_wait_is_waited_for(
    provider: Provider, name: str, operation: str, header: str | timedelta, low: float, high: float
) -> None:
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    system, sent = opened(name, provider), sending(name, operation, provider)
    provider.fault("busy", retry_after=header)
    with pytest.raises(NotSent) as told:
        system.send(sent)
    assert low <= told.value.retry_seconds <= high
    assert system._egress.pace.rests == [told.value.retry_seconds]
    assert made(provider, sent) == []
    assert isinstance(system.send(sent), Answer)


@EACH
def test_a_slow_answer_is_an_answer(provider: Provider, name: str, operation: str) -> None:
    system, sent = opened(name, provider), sending(name, operation, provider)
    provider.fault("slow", seconds=1)
    assert system.send(sent).outside_id == made(provider, sent)[0]["id"]


@EACH
def test_the_same_key_at_once_makes_one_effect(provider: Provider, name: str, operation: str) -> None:
    system, sent = opened(name, provider), sending(name, operation, provider)
    provider.fault("slow", seconds=1)

    def call() -> object:
        try:
            return system.send(sent).outside_id
        except OutsideError as error:
            return type(error)

    with ThreadPoolExecutor(4) as pool:
        endings = [future.result() for future in [pool.submit(call) for _ in range(4)]]
    (effect,) = made(provider, sent)
    assert sorted(map(str, endings)) == sorted(map(str, [effect["id"], Lost, Lost, Lost]))


@EACH
@pytest.mark.parametrize("fault", ["unavailable", "busy", "redirect", "drop_after_effect", "malformed", "oversized"])
def test_looking_up_ends_in_an_answer_or_in_lost(provider: Provider, name: str, operation: str, fault: str) -> None:
    system, sent = opened(name, provider), sending(name, operation, provider)
    answer = system.send(sent)
    for ask in (lambda: system.find(sent), lambda: system.status(sent, answer.outside_id)):
        provider.fault(fault, on="find")
        with pytest.raises(Lost):
            ask()
    stranger = opened(name, provider, credential="another-credential")
    with pytest.raises(Lost):
        stranger.find(sent)
    assert system.find(sent).outside_id == answer.outside_id


@EACH
def test_a_wrong_credential_is_refused_and_never_told(
    provider: Provider, name: str, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "a-wrong-credential-nobody-may-read"
    system, sent = opened(name, provider, credential=secret), sending(name, operation, provider)
    with caplog.at_level(logging.DEBUG), pytest.raises(Refused) as refused:
        system.send(sent)
    assert made(provider, sent) == []
    assert secret not in caplog.text
    assert secret not in told_by(refused.value)
    provider.fault("drop_after_effect")
    system = opened(name, provider)
    with caplog.at_level(logging.DEBUG), pytest.raises(Lost) as lost:
        system.send(sent)
    right = ACCOUNTS[name].credential(provider)
    assert right not in caplog.text
    assert right not in told_by(lost.value)


def told_by(error: BaseException | None) -> str:
    """Everything that hangs on an exception, as a reporter of errors would find it."""
    found = ""
    while error is not None:
        found += repr(error) + repr(vars(error)) + repr(getattr(getattr(error, "request", None), "headers", ""))
        found += repr(dict(getattr(getattr(error, "_request", None), "headers", {})))
        error = error.__cause__ or error.__context__
    return found


@EACH
def test_a_promised_lifetime_is_within_the_provider_s(provider: Provider, name: str, operation: str) -> None:
    system, sent = opened(name, provider), sending(name, operation, provider)
    lifetime = system.capabilities[operation].idempotency
    assert lifetime is not None
    first = system.send(sent)
    provider.clock(lifetime.total_seconds() / 3600 - 0.1)
    assert system.send(sent).outside_id == first.outside_id
    assert len(made(provider, sent)) == 1
    provider.clock(25)
    assert system.find(sent).outside_id == first.outside_id


@EACH
def test_a_provider_that_is_away_gets_nothing(tmp_path: Path, name: str, operation: str) -> None:
    with Provider(tmp_path / "ledger.jsonl") as provider:
        system, sent = opened(name, provider), sending(name, operation, provider)
        provider.stop(signal.SIGKILL)
        with pytest.raises(NotSent):
            system.send(sent)
        with pytest.raises(Lost):
            system.find(sent)
        provider.restart()
        system.send(sent)
        provider.restart()
        assert system.find(sent).outside_id == made(provider, sent)[0]["id"]


@REFUNDING
def test_more_than_was_paid_is_refused(provider: Provider, name: str) -> None:
    system, sent = opened(name, provider), sending(name, "refund", provider, paid=5_000, amount=3_000)
    system.send(sent)
    second = replace(sent, key=uuid4())
    with pytest.raises(Refused):
        system.send(second)
    with pytest.raises(Refused):
        system.send(second)
    assert (made(provider, second), system.find(second)) == ([], None)
    rest = replace(sent, key=uuid4(), body={**sent.body, "amount_minor": 2_000})
    assert system.send(rest).outside_id != system.find(sent).outside_id


@REFUNDING
@pytest.mark.parametrize(
    "change",
    [
        {"payment": "pi_nowhere"}, {"payment": ""}, {"currency": "USD"}, {"currency": "jpy"}, {"amount_minor": 0},
        {"amount_minor": -1}, {"amount_minor": None}, {"amount_minor": True},
        {"payment": "pi_1\r\nX-Injected: yes"}, {"payment": "../../v1/customers"},
    ],
)  # fmt: skip
def test_a_refund_that_cannot_be_is_refused(provider: Provider, name: str, change: dict[str, object]) -> None:
    system, sent = opened(name, provider), sending(name, "refund", provider)
    wrong = replace(sent, body={**sent.body, **change})
    with pytest.raises(Refused):
        system.send(wrong)
    assert made(provider, sent) == []
    system.send(sent)


@REFUNDING
def test_other_bytes_under_the_same_key_are_not_sent_as_new(provider: Provider, name: str) -> None:
    system, sent = opened(name, provider), sending(name, "refund", provider)
    system.send(sent)
    with pytest.raises(Lost):
        system.send(replace(sent, body={**sent.body, "amount_minor": 1}))
    assert len(made(provider, sent)) == 1


@REFUNDING
def test_where_the_money_stands_is_told(provider: Provider, name: str) -> None:
    system = opened(name, provider)
    for tell, expected in ((provider.settle, "settled"), (provider.bounce, "bounced")):
        sent = sending(name, "refund", provider)
        answer = system.send(sent)
        assert system.status(sent, answer.outside_id) == "pending"
        tell(str(sent.key))
        assert system.status(sent, answer.outside_id) == expected
        assert system.find(sent).settled == expected
        with pytest.raises(Lost):
            system.status(sent, "re_nobody_knows")


@REFUNDING
def test_a_refund_is_found_behind_many_others(provider: Provider, name: str) -> None:
    system, sent = opened(name, provider), sending(name, "refund", provider, paid=100_000, amount=1)
    first = system.send(sent)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: system.send(replace(sent, key=uuid4())), range(105)))
    assert system.find(sent).outside_id == first.outside_id
    assert system.find(replace(sent, key=uuid4())) is None


def test_an_absence_is_believed_only_where_the_provider_says_so(provider: Provider) -> None:
    """The 404 of a wrong address is not the 404 of an effect that never happened."""
    sent = sending("http", "reply", provider)
    system = opened("http", provider, base_url=f"{provider.url}/elsewhere")
    with pytest.raises(Lost):
        system.find(sent)
    assert opened("http", provider).find(sent) is None


def test_what_a_provider_promises_less_is_declared_less(provider: Provider) -> None:
    system = opened("http", provider, idempotency_hours=0, lookup=False, settling_seconds=300, calls_per_second=2)
    promise = system.capabilities["refund"]
    assert (promise.idempotency, promise.look_up) == (None, False)
    assert (promise.settling, promise.calls_per_second) == (timedelta(minutes=5), 2)
    sent = sending("http", "refund", provider)
    answer = system.send(sent)
    with pytest.raises(Lost):
        system.find(sent)
    assert system.status(sent, answer.outside_id) == ""

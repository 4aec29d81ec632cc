"""What may be done after a lost call: nothing is sent again without a promise of the other side."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import recovery
from approvals.recovery import Call, Step
from portal.systems.outside import Capabilities

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def promise(*, keys: timedelta | None = DAY, look_up: bool = True, settling: int = 30) -> Capabilities:
    return Capabilities(
        reversibility="cancellable", idempotency=keys, look_up=look_up, settling=timedelta(seconds=settling),
        read_seconds=20, calls_per_second=10,
    )  # fmt: skip


def call(seconds_ago: float = 10, *, stored: bool = False, reached: bool = True) -> Call:
    return Call(NOW - timedelta(seconds=seconds_ago), reached, stored)


@pytest.mark.parametrize(
    ("said", "calls", "step"),
    [
        (promise(), [call()], Step.SEND_AGAIN),
        (promise(look_up=False), [call()], Step.SEND_AGAIN),
        (promise(keys=None), [call()], Step.LOOK_UP),
        (promise(keys=None, look_up=False), [call()], Step.UNKNOWN),
        (promise(), [call(stored=True)], Step.LOOK_UP),
        (promise(look_up=False), [call(stored=True)], Step.UNKNOWN),
        (promise(), [call(stored=True), call(5)], Step.LOOK_UP),
        (promise(), [call(86_000)], Step.LOOK_UP),
        (promise(look_up=False), [call(86_000)], Step.UNKNOWN),
        (promise(), [call(), call(), call()], Step.LOOK_UP),
        (promise(look_up=False), [call(), call(), call()], Step.UNKNOWN),
    ],
)
def test_a_lost_call_leads_to_the_next_safe_step(said: Capabilities, calls: list[Call], step: Step) -> None:
    assert recovery.after_loss(said, calls, NOW).step is step


@pytest.mark.parametrize(
    ("calls", "step"),
    [
        ([call(5)], Step.WAIT),
        ([call(40)], Step.SEND_AGAIN),
        ([call(90_000)], Step.SEND_AGAIN),
        ([call(40, stored=True)], Step.FAIL),
        ([call(60), call(50), call(40)], Step.FAIL),
        ([call(60), call(50), call(5)], Step.WAIT),
    ],
)
def test_an_absence_is_a_proof_only_after_the_settling_time(calls: list[Call], step: Step) -> None:
    assert recovery.after_absence(promise(), calls, NOW).step is step


def test_what_never_left_is_tried_three_times_and_then_fails_or_is_looked_up() -> None:
    away = call(reached=False)
    assert recovery.after_not_sent([away], 7, NOW) == recovery.Plan(
        Step.WAIT, "nothing was sent", NOW + timedelta(seconds=7)
    )
    assert recovery.after_not_sent([away] * 3, 7, NOW).step is Step.FAIL
    assert recovery.after_not_sent([call(), away, away], 7, NOW).step is Step.LOOK_UP


CALLS = st.lists(
    st.builds(call, st.floats(0, 200_000), stored=st.booleans()), min_size=1, max_size=5
)  # fmt: skip
KEYS = st.one_of(st.none(), st.timedeltas(timedelta(minutes=1), timedelta(days=3)))


@given(calls=CALLS, keys=KEYS, look_up=st.booleans())
def test_nothing_is_sent_again_without_a_live_key(calls: list[Call], keys: timedelta | None, look_up: bool) -> None:
    if recovery.after_loss(promise(keys=keys, look_up=look_up), calls, NOW).step is Step.SEND_AGAIN:
        assert keys is not None
        assert all(NOW - c.sent_at < keys for c in calls)
        assert not any(c.stored for c in calls)
        assert len(calls) < recovery.ATTEMPTS


@given(calls=CALLS)
def test_an_absence_never_leads_to_a_second_effect_while_one_may_still_appear(calls: list[Call]) -> None:
    if recovery.after_absence(promise(), calls, NOW).step in (Step.SEND_AGAIN, Step.FAIL):
        assert all(c.sent_at + timedelta(seconds=30) <= NOW for c in calls)

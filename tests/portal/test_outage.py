"""A database, a cache or a broker that is away: 503 and try again, counting that goes on, nobody waits."""

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from celery.exceptions import Reject
from celery.utils.threads import LocalStack
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, connection
from django.http import HttpResponse
from django.test import Client

from approvals.models import Case
from approvals.views import desk as views
from portal import broker, cache, outage, workspace
from portal.circuit import Circuit
from tests.approvals.desk import Desk, sit_down
from tests.cast import Cast, gather

NOWHERE = "unix:///nonexistent/redis.sock"
SHORT_SECONDS = 2.0


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def rosa(cast: Cast) -> Desk:
    desk = sit_down(cast, "rosa")
    desk.client.raise_request_exception = False
    return desk


def failing(cause: Exception, kind: type[Exception] = OperationalError) -> Exception:
    """An error as Django raises it."""
    error = kind(str(cause))
    error.__cause__ = cause
    return error


def raising(*errors: Exception | None) -> Callable[..., HttpResponse]:
    """A view that fails in these ways, one after the other, and then answers."""
    waiting = list(errors)

    def view(request: Any, **_: Any) -> HttpResponse:
        made = Case.objects.create(workspace=request.workspace, subject=f"ticket:{len(waiting)}")
        error = waiting.pop(0) if waiting else None
        if error is not None:
            raise error
        return HttpResponse(f"made {made.subject}")

    return view


DEADLOCK = psycopg.errors.DeadlockDetected("deadlock detected")


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (failing(psycopg.errors.TooManyConnections()), True),
        (failing(psycopg.errors.DiskFull()), True),
        (failing(psycopg.errors.AdminShutdown()), True),
        (failing(psycopg.OperationalError("server closed the connection unexpectedly")), True),
        (failing(psycopg.InterfaceError("the connection is closed"), InterfaceError), True),
        (failing(psycopg.DatabaseError("server closed the connection unexpectedly"), DatabaseError), True),
        (failing(psycopg.errors.UndefinedTable(), ProgrammingError), False),
        (ValueError("something of ours"), False),
        (None, False),
    ],
)
def test_what_passes_by_itself_is_told_from_a_mistake_of_ours(error: Exception | None, away: bool) -> None:
    assert outage.is_outage(error) is away


def test_a_page_without_its_database_is_503_and_says_when_to_come_back(
    rosa: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "show", raising(failing(psycopg.errors.DiskFull())))
    answer = rosa.get("/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "does not answer" in answer.content.decode()
    with workspace.within(rosa.cast.ws):
        assert not Case.objects.exists()  # nothing half done


def test_a_mistake_of_ours_stays_a_500(rosa: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "show", raising(ValueError("of ours")))
    assert rosa.get("/").status_code == 500


def test_a_program_is_told_in_its_own_form(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise failing(psycopg.OperationalError("connection refused"))

    monkeypatch.setattr("portal.tokens.bearer", away)
    answer = Client(raise_request_exception=False).get(f"/w/{cast.workspace.slug}/api/cases/")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["status"] == 503


def test_a_deadlocks_victim_is_done_once_more_as_if_there_had_been_no_first(
    rosa: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "show", raising(failing(DEADLOCK)))
    answer = rosa.get("/")
    assert (answer.status_code, answer.content) == (200, b"made ticket:0")
    with workspace.within(rosa.cast.ws):
        assert list(Case.objects.values_list("subject", flat=True)) == ["ticket:0"]


def test_a_second_deadlock_is_503_and_not_tried_a_third_time(rosa: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "show", raising(failing(DEADLOCK), failing(DEADLOCK), None))
    assert rosa.get("/").status_code == 503
    with workspace.within(rosa.cast.ws):
        assert not Case.objects.exists()


def test_once_more_is_once() -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        raise failing(DEADLOCK)

    with pytest.raises(OperationalError):
        outage.once_more(act)
    assert len(tries) == 2


def test_without_redis_the_cache_counts_in_its_own_memory_and_does_not_wait() -> None:
    alone = cache.Cache(NOWHERE, {})
    start = time.monotonic()
    assert alone.add("tries", 1, 60)
    assert not alone.add("tries", 1, 60)
    assert alone.incr("tries") == 2
    alone.set("list", [1, 2], 60)
    assert (alone.get("tries"), alone.get("list"), alone.get("none", 7)) == (2, [1, 2], 7)
    assert alone.get_many(["tries", "none"]) == {"tries": 2}
    assert alone.touch("tries", 60)
    assert alone.delete("tries")
    assert alone.get("tries") is None
    assert time.monotonic() - start < SHORT_SECONDS


def test_what_was_counted_before_redis_went_away_still_counts(live: None) -> None:
    from django.conf import settings

    shared = cache.Cache(settings.CACHES["default"]["LOCATION"], {"KEY_PREFIX": "outage"})
    shared.set("failed", [1.0, 2.0, 3.0], 60)
    shared._redis = cache.Cache(NOWHERE, {})._redis
    assert shared.get("failed") == [1.0, 2.0, 3.0]
    shared.clear()


def test_a_circuit_opens_for_its_time_and_closes_by_itself() -> None:
    now = [100.0]
    circuit = Circuit(3.0, clock=lambda: now[0])
    assert circuit.closed
    circuit.broke()
    assert not circuit.closed
    now[0] += 3.0
    assert circuit.closed


def test_a_broker_that_is_away_costs_one_short_try(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from portal.celery import app

    monkeypatch.setattr(broker, "_circuit", Circuit(60))
    broker_before = app.conf.broker_url
    app.conf.broker_url = "redis+socket:///nonexistent/redis.sock"
    try:
        start = time.monotonic()
        assert not broker.publish("approvals.tasks.apply", [1, 2], queue="apply", headers={})
        for _ in range(50):
            assert not broker.publish("approvals.tasks.apply", [1, 2], queue="apply", headers={})
        assert time.monotonic() - start < SHORT_SECONDS
    finally:
        app.conf.broker_url = broker_before


class Counted(broker.Task):
    """A task that counts how often it ran."""

    name = "tests.counted"
    request_stack = LocalStack()
    ran = 0

    def run(self) -> None:
        self.ran += 1
        connection.close()


def called(task: Counted, **request: Any) -> None:
    task.push_request(**request)
    try:
        task()
    finally:
        task.pop_request()


def test_a_message_of_a_newer_version_goes_back(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "GIVEN_BACK_SECONDS", 0)
    task = Counted()
    called(task, v=broker.VERSION)
    called(task)
    with pytest.raises(Reject) as caught:
        called(task, v=broker.VERSION + 1)
    assert (task.ran, caught.value.requeue) == (2, True)


def test_many_waiting_messages_of_a_periodic_task_are_one(live: None) -> None:
    task = Counted()
    task.least_pause = 30.0
    for _ in range(100):
        called(task)
    assert task.ran == 1

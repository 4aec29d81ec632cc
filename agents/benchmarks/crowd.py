"""Processes that start together and do one thing; forked, so that each has connections of its own."""

import multiprocessing
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

FORK = multiprocessing.get_context("fork")
# Nothing measured here takes this long, in seconds; what does is broken.
LIMIT_SECONDS = 900


class CrowdError(Exception):
    """One of the processes failed; the message is its own."""


@dataclass(frozen=True, slots=True)
class Done:
    """What the processes returned, in order, and the seconds from the common start to the last one's end."""

    results: list[Any]
    seconds: float


def at_once(count: int, act: Callable[[int], Any]) -> Done:
    """`act(number)` in `count` processes; what it returns must pickle.

    Raises:
        CrowdError.
    """
    connection.close()
    barrier, answers = FORK.Barrier(count + 1), FORK.Queue()
    crowd = [FORK.Process(target=_work, args=(number, act, barrier, answers), daemon=True) for number in range(count)]
    for process in crowd:
        process.start()
    try:
        _together(barrier, answers)
        started = time.perf_counter()
        found = dict(_taken(answers, crowd) for _ in crowd)
        seconds = time.perf_counter() - started
    finally:
        for process in crowd:
            process.join(5)
            if process.is_alive():
                process.kill()
    return Done([found[number] for number in range(count)], seconds)


def _together(barrier: Any, answers: Any) -> None:
    """Wait for all of them to be ready; what one of them says before that is why it is not."""
    while barrier.n_waiting < barrier.parties - 1:
        if not answers.empty():
            raise CrowdError(answers.get()[2])
        time.sleep(0.01)
    barrier.wait(LIMIT_SECONDS)


def _taken(answers: Any, crowd: list[Any]) -> tuple[int, Any]:
    until = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < until:
        try:
            number, result, fault = answers.get(timeout=1)
        except queue.Empty:
            if killed := [process.exitcode for process in crowd if process.exitcode]:
                raise CrowdError(f"a process ended by itself with code {killed[0]}") from None
            continue
        if fault:
            raise CrowdError(fault)
        return number, result
    raise CrowdError(f"not done after {LIMIT_SECONDS} s")


def _work(number: int, act: Callable[[int], Any], barrier: Any, answers: Any) -> None:
    try:
        connection.ensure_connection()
        barrier.wait(LIMIT_SECONDS)
        answers.put((number, act(number), ""))
    except BaseException as error:  # whatever it is, the parent must hear of it
        answers.put((number, None, f"{type(error).__name__}: {error}"))
    finally:
        connection.close()

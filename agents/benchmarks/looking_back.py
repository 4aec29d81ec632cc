"""A backtest over a quarter of a year of proposals, in seconds, and held against the gate's own verdict.

The replay reads what was handed in, from its submission, and judges it as the gate does: the action's preview from the
books, what taints it, Cedar, and the thresholds in force; before the change, and after it was really made.
"""

import gc
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from agents.benchmarks import changing, past, shelves
from agents.evals import throwaway
from approvals import backtest, backtesting, opening, tainting, thresholds, verdicts
from approvals.backtest import Past, Tally
from approvals.backtesting import Question
from approvals.models import Submission
from portal import workspace
from portal.systems.books import BooksReader

ITEMS, SAMPLE, DAYS = 100_000, 500, 90
# More passes by itself; a wider band; stricter; a row that ends.
QUESTIONS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("contact-update", {"people": "automatic", "confidence_floor_pct": 60}),
    ("refund-eur-low", {"up_to_minor": 30_000}),
    ("ticket-reply", {"people": "two", "second_role": "manager"}),
    ("refund-usd-medium", {"retired": True}),
)


class Differs(Exception):
    """The backtest does not add up, or the gate says otherwise; the message names a write."""


def measure(*, items: int = ITEMS, sample: int = SAMPLE, say: Callable[[str], None]) -> dict[str, Any]:
    """Seconds of the slowest of the backtests, and how many of a random sample of each the gate judges the same.

    Raises:
        Differs, filling.NotWatched.
    """
    with throwaway.database(durable=True):
        say(f"filling {items} proposals, with {changing.CHANGES} changes of thresholds")
        history = past.fill(items)
        gc.collect()
        gc.freeze()  # what the filling keeps is in no web process, whose collector would not look at it
        timed: list[float] = []
        equal = asked = moved = 0
        for series, change in QUESTIONS:
            throwaway.sign_in("web")
            question = _question(history.workspace, series, change)
            tally = _timed(question, timed, say)
            ways = _each(question, tally)
            chosen = secrets.SystemRandom().sample(sorted(ways), min(sample, len(ways)))
            say(f"{len(chosen)} of them at the gate again")
            equal += _replayed(history, chosen, ways, series, change)
            asked, moved = asked + len(chosen), moved + tally.moved
    gc.unfreeze()
    told = Counter(one.outcome for one, _, _ in ways.values())
    return {
        "seconds": max(timed), "backtests": len(timed), "writes": len(ways), "versions": history.versions,
        "moved": moved, "replayed": asked, "equal": equal, **{name: told[name] for name in backtest.REGRETS},
    }  # fmt: skip


def _question(ws: int, series: str, change: Mapping[str, Any]) -> Question:
    with workspace.within(ws) as now:
        values = changing.current(ws, series, **change)
        return Question(ws, series, values, now - timedelta(days=DAYS), thresholds.newest(ws))


def _timed(question: Question, timed: list[float], say: Callable[[str], None]) -> Tally:
    """Part by part as the page does it, each in a transaction of its own, and told."""
    begun, progress = time.perf_counter(), backtesting.begin()
    while progress.behind:
        kept = Tally.of_json(progress.tally.as_json())
        with workspace.within(question.workspace):
            progress = backtesting.go_on(backtesting.Progress(progress.behind, kept), question)
        say(f"looked at {progress.tally.total} in {time.perf_counter() - begun:.2f} s")
    timed.append(round(time.perf_counter() - begun, 2))
    return progress.tally


def _each(question: Question, tally: Tally) -> dict[str, tuple[Past, str, str]]:
    """Which way each write goes, now and then; all together they are what was counted."""
    found: dict[str, tuple[Past, str, str]] = {}
    with workspace.within(question.workspace):
        judge, behind = question.judge(), backtesting.begin().behind
        while behind and len(found) < tally.total:
            some, behind = backtesting.read(question, behind, backtesting.PART)
            for one in some:
                now, then = judge.ways(one)
                found[one.item] = one, now, then
    if Counter((now, then) for _, now, then in found.values()) != tally.moves:
        raise Differs("one by one there are other writes than were counted")
    return found


def _replayed(
    history: past.History, chosen: Sequence[str], ways: Mapping[str, tuple[Past, str, str]], series: str,
    change: Mapping[str, Any],
) -> int:  # fmt: skip
    """How many of the chosen the gate sends the same way, before and after the change is made."""
    ws, numbers = history.workspace, {item: int(item.partition(":")[2]) for item in chosen}
    shelves.fill(ws, [history.writes[number] for number in numbers.values()])
    throwaway.sign_in("web")
    before = _at_the_gate(ws, numbers)
    with workspace.within(ws) as now:
        values = changing.current(ws, series, **change)
        thresholds.set_threshold(workspace=ws, series=series, actor=changing.ACTOR, now=now, **values)
    after = _at_the_gate(ws, numbers)
    differ = [item for item in chosen if (before[item], after[item]) != ways[item][1:]]
    if differ:
        raise Differs(f"{differ[0]} goes {before[differ[0]]}, then {after[differ[0]]} at the gate: {ways[differ[0]]}")
    return len(chosen)


def _at_the_gate(ws: int, numbers: Mapping[str, int]) -> dict[str, str]:
    """Which way each goes by the gate's own verdict on what was handed in, with what is in force now."""
    with workspace.within(ws) as now:
        rulebook, reader = verdicts.Rulebook(ws), BooksReader(ws)
        rows = Submission.objects.select_related("case").in_bulk(numbers.values())
        ways: dict[str, str] = {}
        for item, number in numbers.items():
            asked = opening.take_apart(rows[number])
            parsed = asked.action.parse(asked.args)
            preview = asked.action.preview(asked.target, parsed, asked.submission.case.customer, reader)
            asked = tainting.mark(asked, preview, reader)
            verdict = verdicts.judge(
                rulebook, action=asked.action, preview=preview, proposer=asked.submission.proposer,
                confidence_pct=asked.confidence_pct, flags=asked.flags, now=now,
            )  # fmt: skip
            ways[item] = backtest.way_of(verdict)
    return ways

"""Work for the faults to break: many refunds through the door, approved by people, and what became of them."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from django.db import DatabaseError, Error, InterfaceError, connection

from approvals import decisions, outbox, proposals
from approvals.models import Case, Proposal
from portal import outage, workspace
from portal.celery import app
from tests.approvals import steps
from tests.audit.seals import seal
from tests.cast import Cast
from tests.faults.ground import until

AMOUNT = 4_510
T = TypeVar("T")
LOST_CONNECTION = (DatabaseError, InterfaceError)


def patiently(act: Callable[[], T], seconds: float = 60) -> T:
    """Do it again until the database answers: what a person at a page that says 503 does."""
    done: list[T] = []

    def tried() -> bool:
        try:
            done.append(act())
        except Error as error:
            if not outage.is_outage(error):
                raise
            connection.close()
            return False
        return True

    until(tried, seconds, pause=0.1)
    return done[0]


def submit_refund(cast: Cast, *, by: str = "mara", order: str = "") -> int:
    """A refund proposed by a person, so that no agent's caps speak; returns the submission."""
    order = order or steps.order(cast, customer="cu-1", amount=AMOUNT)
    target = steps.ticket(cast, customer="cu-1")
    return submit(cast, target, "refund.create", f"order:{order}", steps.refund_args(order), by=by)


def submit_update(cast: Cast, *, by: str = "mara") -> int:
    """A change of a ticket; returns the submission."""
    target = steps.ticket(cast)
    return submit(cast, target, "ticket.update", target, {"priority": "P1"}, by=by)


def submit(cast: Cast, case: str, action: str, target: str, args: dict[str, object], *, by: str) -> int:
    """Hand something in as a person does by hand."""
    with workspace.within(cast.ws, cast.id(by)):
        row = proposals.submit(
            workspace=cast.ws, case=Case.objects.get(subject=case).pk, kind="action", key=case,
            proposer=f"person:{cast.id(by)}",
            payload={
                "action": action, "target": target, "args": args, "confidence": 1, "evidence": [], "flags": [],
                "justification": "By hand.",
            },
        )  # fmt: skip
    return int(row.pk)


def gated(cast: Cast, submissions: Sequence[int], seconds: float = 60) -> list[int]:
    """Wait for the gate; the proposals' ids in the order of the submissions."""
    found: dict[int, int] = {}

    def all_there() -> bool:
        def ask() -> dict[int, int]:
            with workspace.within(cast.ws):
                rows = Proposal.objects.filter(submission__in=submissions).values_list("submission", "pk")
                return dict(rows)

        found.update(patiently(ask))
        return len(found) == len(submissions)

    until(all_there, seconds, pause=0.1)
    return [found[one] for one in submissions]


def approve(cast: Cast, proposal: int, name: str = "rosa") -> str:
    """One vote through the service; the state after it. Safe to say again when the answer was lost."""

    def vote() -> str:
        with workspace.within(cast.ws, cast.id(name)) as now:
            row = Proposal.objects.get(pk=proposal)
            try:
                return decisions.approve(
                    workspace=cast.ws, proposal=proposal, seen=steps.seen(row), person=cast.id(name), now=now
                ).state
            except decisions.Gone:
                return Proposal.objects.get(pk=proposal).state

    return patiently(vote)


def approve_and_seal(cast: Cast, proposal: int) -> None:
    """Approved, sealed, and said again, as the relay would where a beat wakes it: what goes out waits for its seal."""
    approve(cast, proposal)
    seal()
    outbox.send(proposals.APPLY, "apply", cast.ws, proposal, again=False)


def states(cast: Cast, ids: Iterable[int]) -> dict[str, int]:
    """How many stand where."""
    wanted = list(ids)

    def ask() -> dict[str, int]:
        counted: dict[str, int] = {}
        with workspace.within(cast.ws):
            for state in Proposal.objects.filter(pk__in=wanted).values_list("state", flat=True):
                counted[state] = counted.get(state, 0) + 1
        return counted

    return patiently(ask)


def applied(cast: Cast, ids: Sequence[int], seconds: float) -> float:
    """Wait until all of them are; how long it took."""
    try:
        return until(lambda: states(cast, ids) == {"applied": len(ids)}, seconds, pause=0.2)
    except AssertionError as error:
        raise AssertionError(f"{error}: {states(cast, ids)}") from error


def in_threads(act: Callable[[int], object], items: Sequence[int], threads: int = 4) -> None:
    """Work through the items side by side, each thread with a connection of its own; the first error is raised."""
    waiting, errors, lock = list(items), [], threading.Lock()

    def run() -> None:
        try:
            while not errors:
                with lock:
                    if not waiting:
                        return
                    one = waiting.pop(0)
                act(one)
        except BaseException as error:  # raised in the test's own thread
            errors.append(error)
        finally:
            connection.close()

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]


def queued() -> int:
    """Messages that no worker has taken yet."""
    with app.connection_for_read() as link:
        return int(link.default_channel.client.llen("apply"))

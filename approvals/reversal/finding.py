"""What a run, a version of an agent or a window of time carried out, to undo it together; and how often that was.

Reads only: no COUNT of all, no OFFSET.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from approvals import actions
from approvals.models import Proposal, Receipt, Submission
from approvals.reversal import previews
from approvals.reversal.previews import Undo, UndoError
from approvals.state import OPEN, State
from portal.retold import kept, say
from portal.systems.base import Reader

PAGE = 50
UNDOES_IT = kept("Proposal %(number)s undoes it already and is %(state)s.")
NAME_ONE = kept("Name a run, an agent, or a time it begins at.")
NAME_AGENT = kept("name the agent it is of")
BEFORE_SINCE = kept("lies before since")
IN_CHECK = kept("An undo of it was started; the gate checks it just now.")


class BadSearch(UndoError):
    """Nothing was named that could be searched for; the message names the field."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Something that was carried out and cannot be undone here: `outward` ones get a recovery case."""

    proposal: Proposal
    why: str
    outward: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One page: `undos` with those that meet a later change first, else newest first; `after` asks for the next."""

    undos: tuple[Undo, ...]
    apart: tuple[Apart, ...]
    after: int | None


@dataclass(frozen=True, slots=True)
class Rate:
    """How much of what an agent's version carried out was undone, whole or in part. `rate_pct` is a percentage."""

    agent: str
    action: str
    version: str
    applied: int
    undone: int
    rate_pct: float

    @property
    def title(self) -> str:
        """The action in the reader's words."""
        return say(actions.ACTIONS[self.action].title) if self.action in actions.ACTIONS else self.action


def find(
    *,
    workspace: int,
    run: int | None = None,
    agent: str = "",
    version: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    after: int | None = None,
) -> Found:
    """What was carried out, with what its undo would do now; what is named narrows. `after` is of the page before.

    Undos within a window cancel what they undid in it, so neither is offered.

    Raises:
        BadSearch: nothing is named.
    """
    rows = _carried_out(workspace, run, agent, version, since, until)
    rows = rows.filter(pk__lt=after) if after else rows
    receipts = list(rows.select_related("proposal__case").order_by("-pk")[: PAGE + 1])
    shown = receipts[:PAGE]
    undos, apart = _split(workspace, shown)
    undos.sort(key=lambda undo: not undo.conflicts)
    return Found(tuple(undos), tuple(apart), shown[-1].pk if len(receipts) > PAGE else None)


def _carried_out(
    workspace: int, run: int | None, agent: str, version: str, since: datetime | None, until: datetime | None
) -> "QuerySet[Receipt]":
    if version and not agent:
        raise BadSearch("version: " + NAME_AGENT)
    if since and until and until <= since:
        raise BadSearch("until: " + BEFORE_SINCE)
    if not (run or agent or since):
        raise BadSearch(NAME_ONE)
    wanted: dict[str, Any] = {
        "proposal__submission__run": run and f"run:{run}", "proposal__proposer": agent and f"agent:{agent}",
        "proposal__proposer_version": version, "applied_at__gte": since, "applied_at__lte": until,
    }  # fmt: skip
    rows = Receipt.objects.filter(workspace_id=workspace, **{name: value for name, value in wanted.items() if value})
    return rows.filter(Q(proposal__undoes=None) | Q(proposal__undoes__receipt__applied_at__lt=since)) if since else rows


def _split(workspace: int, receipts: list[Receipt]) -> tuple[list[Undo], list[Apart]]:
    """What can be undone at least in part, or could once something else is, and what cannot."""
    undos: list[Undo] = []
    apart: list[Apart] = []
    reader: Any = _Once(actions.reader(workspace))
    targets, oldest = {receipt.proposal.target for receipt in receipts}, receipts[-1].pk if receipts else 0
    later, under_way = previews.writes_on(workspace, targets, after=oldest), _under_way(receipts)
    for receipt in receipts:
        row = receipt.proposal
        row.receipt = receipt
        try:
            previews.require_carried_out(row)
            found = previews.worked_out(
                row, reader, [write for write in later.get(row.target, ()) if write.receipt > receipt.pk]
            )
        except previews.Outward as outward:
            apart.append(Apart(row, str(outward), outward=True))
        except UndoError as error:
            apart.append(Apart(row, str(error)))
        else:
            if row.pk in under_way:
                apart.append(Apart(row, under_way[row.pk]))
            elif found.changes or found.conflicts:
                undos.append(found)
            else:
                apart.append(Apart(row, found.nothing))
    return undos, apart


def _under_way(receipts: list[Receipt]) -> dict[int | None, str]:
    """Open undos in words, by what they undo."""
    keys = [receipt.proposal_id for receipt in receipts]
    new = Submission.objects.filter(undoes__in=keys, status=Submission.Status.NEW, kind=Submission.Is.ACTION)
    found = dict.fromkeys(new.values_list("undoes", flat=True), IN_CHECK)
    for undone, pk, state in Proposal.objects.filter(undoes__in=keys, state__in=OPEN).values_list(
        "undoes", "pk", "state"
    ):
        found[undone] = UNDOES_IT % {"number": pk, "state": state}
    return found


class _Once:
    """A reader that asks for each record once; for one page of previews."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._reader, name)
        if name in ("ticket", "contact", "queues"):
            asked = self.__dict__[name] = cache(asked)
        return asked


def undo_rate(*, workspace: int, since: datetime) -> tuple[Rate, ...]:
    """Of what agents carried out since and can be undone: how much was, most undone first. One statement."""
    reversible = [name for name, action in actions.ACTIONS.items() if action.reversibility == "reversible"]
    taken_back = Proposal.objects.filter(undoes=OuterRef("proposal"), state=State.APPLIED)
    rows = (
        Receipt.objects.filter(
            workspace_id=workspace, applied_at__gte=since, proposal__proposer__startswith="agent:",
            proposal__action__in=reversible,
        )
        .values_list("proposal__proposer", "proposal__action", "proposal__proposer_version")
        .annotate(applied=Count("pk"), undone=Count("pk", filter=Exists(taken_back)))
    )  # fmt: skip
    rates = [
        Rate(proposer.removeprefix("agent:"), action, version, applied, undone, round(100 * undone / applied, 1))
        for proposer, action, version, applied, undone in rows
    ]
    return tuple(sorted(rates, key=lambda rate: (-rate.rate_pct, -rate.applied, rate.agent, rate.action)))

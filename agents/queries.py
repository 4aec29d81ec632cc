"""Reads about runs that are more than a filter: what is not settled yet, and what came of cases."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F

from agents.models import Run
from approvals.models import Handoff, Proposal, Revision, Submission

OPEN_RUNS = (Run.State.QUEUED, Run.State.RUNNING)


def count_unsettled(*, workspace: int, cases: Sequence[int]) -> int:
    """How many runs have not ended, and submissions have not been gated, of these cases."""
    runs = Run.objects.filter(workspace=workspace, case__in=cases, state__in=OPEN_RUNS)
    waiting = Submission.objects.filter(
        workspace=workspace, case__in=cases, status=Submission.Status.NEW
    )  # fmt: skip
    return runs.count() + waiting.count()


def results(*, workspace: int, cases: Sequence[int]) -> list[dict[str, Any]]:
    """What came of each case, in the order given: `case, outcome, proposals, handoff`.

    `outcome` is proposal, handoff, question or nothing, and None while the run has not ended; money is in
    minor units. Five queries, however many cases.
    """
    proposals = _by_case(_proposals(workspace, cases))
    handoffs = _by_case(
        Handoff.objects.filter(workspace=workspace, case__in=cases)
        .order_by("id")
        .values("case_id", "kind", "reason", "summary")
    )
    ended = dict(
        Run.objects.filter(workspace=workspace, case__in=cases)
        .exclude(state__in=OPEN_RUNS)
        .order_by("id")
        .values_list("case_id", "outcome")
    )
    return [
        {
            "case": case,
            "outcome": _outcome(proposals[case], handoffs[case], case in ended),
            "proposals": [{k: v for k, v in row.items() if k != "case_id"} for row in proposals[case]],
            "handoff": next(({"reason": h["reason"], "summary": h["summary"]} for h in handoffs[case]), None),
        }
        for case in cases
    ]


def _proposals(workspace: int, cases: Sequence[int]) -> list[dict[str, Any]]:
    rows = list(
        Proposal.objects.filter(workspace=workspace, case__in=cases)
        .order_by("id")
        .values("case_id", "id", "action", "state", "target", "amount_minor", "currency")
    )
    args = dict(
        Revision.objects.filter(
            workspace=workspace, proposal__case__in=cases, number=F("proposal__revision")
        ).values_list("proposal_id", "args")
    )
    return [{**row, "args": args[row["id"]]} for row in rows]


def _by_case(rows: Iterable[Mapping[str, Any]]) -> defaultdict[int, list[Mapping[str, Any]]]:
    found: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["case_id"]].append(row)
    return found


def _outcome(proposals: Sequence[Any], handoffs: Sequence[Mapping[str, Any]], ended: bool) -> str | None:
    if proposals:
        return "proposal"
    if handoffs:
        return str(handoffs[0]["kind"])
    return "nothing" if ended else None

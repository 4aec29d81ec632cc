"""Why a proposal is here, in words for its page: who must agree and why, how sure the agent is, what came before."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from approvals import actions, reversal, wording
from approvals.models import Proposal, Revision, Threshold
from portal import retold

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Why:
    """Why it is here, in words."""

    people: str
    reasons: tuple[str, ...]
    reversible: str
    confidence: str
    history: str
    flags: tuple[tuple[str, str], ...]
    taint: str


def of(proposal: Proposal, revision: Revision, taint: str) -> Why:
    """All of it; `taint` says what rests on the customer's own words alone."""
    rule = _rule(proposal.workspace_id, revision)
    confidence = f"{proposal.confidence_pct}%" if proposal.proposer.startswith("agent:") else ""
    if rule is not None and confidence:
        below = proposal.confidence_pct < rule.confidence_floor_pct
        words = (
            _("%(own)s, below the floor of %(floor)s") if below else _("%(own)s, at or above the floor of %(floor)s")
        )
        confidence = words % {"own": confidence, "floor": f"{rule.confidence_floor_pct}%"}
    return Why(
        people=wording.people_needed(revision.people, revision.second_role),
        reasons=tuple(map(retold.say, revision.verdict.get("reasons", ()))),
        reversible=reversal.way_back(proposal) or wording.reversible(actions.named(proposal.action).reversibility),
        confidence=confidence,
        history=_history(proposal),
        flags=tuple(wording.flag(flag) for flag in proposal.flags),
        taint=taint,
    )


def _rule(workspace: int, revision: Revision) -> Threshold | None:
    """The threshold row that decided, `series vN` in the verdict."""
    series, _v, version = next(iter(revision.verdict.get("rules", ())), "").rpartition(" v")
    if not (series and version.isdecimal()):
        return None
    return Threshold.objects.filter(workspace_id=workspace, series=series, version=int(version)).first()


def _history(proposal: Proposal) -> str:
    """How often money was proposed for this customer within a week."""
    if not proposal.customer or proposal.amount_minor is None:
        return ""
    same = Proposal.objects.filter(
        workspace_id=proposal.workspace_id,
        customer=proposal.customer,
        action=proposal.action,
        created_at__gt=proposal.created_at - WEEK,
        created_at__lt=proposal.created_at,
    )[:20]
    times = len(same.values_list("pk"))
    if not times:
        return _("The first of these for this customer in a week")
    return _("%(times)s more of these for this customer in the week before") % {"times": times}

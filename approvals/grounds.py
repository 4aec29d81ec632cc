"""Why a proposal is here, in words for its page: who must agree and why, how sure the agent is, what came before."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.humanize.templatetags.humanize import ordinal
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import actions, rerun, reversal, wording
from approvals.models import Proposal, Revision, Threshold
from approvals.state import OPEN, State
from portal import retold

WEEK = timedelta(days=7)
# What an action is called where several are counted.
THINGS = {
    "refund.create": noop("refund"), "ticket.reply": noop("reply"), "ticket.update": noop("ticket update"),
    "contact.update": noop("contact update"), "contact.merge": noop("merge of contacts"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Why:
    """Why it is here, in words. `checked` is what an edit's rerun changed, `verifier` what looked again and agreed."""

    people: str
    reasons: tuple[str, ...]
    reversible: str
    confidence: str
    history: tuple[str, ...]
    flags: tuple[tuple[str, str], ...]
    taint: str
    checked: str
    verifier: str


def of(proposal: Proposal, revision: Revision, taint: str, earlier: Revision | None = None, verified: str = "") -> Why:
    """All of it; `taint` says what rests on the customer's own words alone, `earlier` is the revision before."""
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
        checked=rerun.words(earlier, revision) if earlier else "",
        verifier=_verifier(verified, revision),
    )


def _verifier(verified: str, revision: Revision) -> str:
    """It saw what the agent drafted; what a person wrote since it did not."""
    words = retold.say(verified)
    if not words or not revision.made_by.startswith("person:"):
        return words
    return _("Of the agent's draft, before it was edited: %(words)s") % {"words": words}


def _rule(workspace: int, revision: Revision) -> Threshold | None:
    """The threshold row that decided, `series vN` in the verdict."""
    series, _v, version = next(iter(revision.verdict.get("rules", ())), "").rpartition(" v")
    if not (series and version.isdecimal()):
        return None
    return Threshold.objects.filter(workspace_id=workspace, series=series, version=int(version)).first()


def _history(proposal: Proposal) -> tuple[str, ...]:
    """Whether this kind was ever carried out for this customer before, and which one it is within a week.

    What came to nothing does not count; an undo is none of them. One statement.
    """
    if not proposal.customer or proposal.undoes_id:
        return ()
    applied, counts = Q(state=State.APPLIED), Q(state__in=[*OPEN, State.APPLIED])
    before = Proposal.objects.filter(
        workspace_id=proposal.workspace_id, customer=proposal.customer, action=proposal.action, undoes=None,
        created_at__lt=proposal.created_at,
    ).aggregate(
        ever=Count("pk", filter=applied), week=Count("pk", filter=counts & Q(created_at__gt=proposal.created_at - WEEK))
    )  # fmt: skip
    told = {"what": _(THINGS.get(proposal.action, proposal.action)), "count": before["ever"]}
    first = _("First time for this customer: no %(what)s was ever carried out before") % told
    lines = [_("%(what)s carried out for this customer before: %(count)s") % told if before["ever"] else first]
    if before["week"]:
        told["nth"] = ordinal(before["week"] + 1)
        lines.append(_("The %(nth)s %(what)s for this customer within a week") % told)
    return tuple(line[:1].upper() + line[1:] for line in lines)

"""Tables of the door; triggers in `approvals/sql/` hold what a constraint cannot say."""

from approvals.models.limits import CapUse, DailyCap, Threshold
from approvals.models.record import Decision, Outbox, Receipt, Revision
from approvals.models.work import Case, Claim, Dependency, Handoff, Proposal, Submission

__all__ = [
    "CapUse",
    "Case",
    "Claim",
    "DailyCap",
    "Decision",
    "Dependency",
    "Handoff",
    "Outbox",
    "Proposal",
    "Receipt",
    "Revision",
    "Submission",
    "Threshold",
]

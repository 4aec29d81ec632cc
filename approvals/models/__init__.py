"""Tables of the door; triggers in `approvals/sql/` hold what a constraint cannot say."""

from approvals.models.blind import SecondLook
from approvals.models.clocks import Mark, Timer
from approvals.models.desk import SavedView
from approvals.models.limits import CapUse, DailyCap, Loosening, Switch, SwitchEverywhere, Threshold
from approvals.models.practice import PracticeItem
from approvals.models.record import Attempt, Decision, Outbox, Pulse, Receipt, Revision
from approvals.models.shifts import ShiftNote
from approvals.models.texts import ReusableText
from approvals.models.work import Case, Claim, Dependency, Handoff, Instruction, Proposal, Submission

__all__ = [
    "Attempt",
    "CapUse",
    "Case",
    "Claim",
    "DailyCap",
    "Decision",
    "Dependency",
    "Handoff",
    "Instruction",
    "Loosening",
    "Mark",
    "Outbox",
    "PracticeItem",
    "Proposal",
    "Pulse",
    "Receipt",
    "ReusableText",
    "Revision",
    "SavedView",
    "SecondLook",
    "ShiftNote",
    "Submission",
    "Switch",
    "SwitchEverywhere",
    "Threshold",
    "Timer",
]

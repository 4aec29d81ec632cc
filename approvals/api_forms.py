"""What the API shows of cases and proposals, and what it takes to decide. Shapes only."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from approvals import diff, revising
from approvals.decisions import Seen
from approvals.models import Case, Decision, Dependency, Handoff, Proposal, Revision
from approvals.state import State
from portal.api.pages import Page, PageQuery
from portal.api.views import Answer, Form

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Tier = Literal["low", "medium", "high"]


class CaseShown(Answer):
    """One subject (`ticket:T-1`, `contact:c-1`)."""

    id: int
    subject: str
    title: str
    customer: str
    opened_at: datetime
    waiting_since: datetime | None = Field(description="Since when it waits for its customer, null where it does not.")


class ProposalShown(Answer):
    """One action on one target. Amounts are whole minor units; `people` is how many must approve."""

    id: int
    case: int = Field(validation_alias="case_id")
    action: str
    target: str
    state: State
    version: int
    revision: int
    digest: str
    tier: Tier
    people: int
    proposer: str
    customer: str
    amount_minor: int | None
    currency: str
    confidence_pct: int
    summary: str
    flags: list[str]
    undoes: int | None = Field(validation_alias="undoes_id")
    created_at: datetime
    fresh_until: datetime
    hold_until: datetime | None
    decided_at: datetime | None


class Vote(Answer):
    """What one person decided on one digest."""

    person: int = Field(validation_alias="person_id")
    role: str
    kind: str
    revision: int
    digest: str
    reason: str
    note: str
    created_at: datetime


class DiffShown(Answer):
    """Our own form: changes with `field, op, before, after` (an absent value has no key), outward effects.

    `json_patch` says the changes as RFC 6902: test, then replace.
    """

    changes: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    json_patch: list[dict[str, Any]]


class ProposalWhole(ProposalShown):
    """With its diff, what it rests on, why it was allowed, and who decided."""

    diff: DiffShown
    basis: dict[str, Any]
    verdict: dict[str, Any]
    votes: list[Vote]
    depends_on: list[int]
    wrote: int = Field(
        description="The `seq` of the customer's last message on the case's ticket, 0 without one; for an edit."
    )


class HandoffShown(Answer):
    """What a person must do instead, or answer."""

    id: int
    kind: Literal["handoff", "question"]
    reason: str
    summary: str
    state: Literal["open", "resolved"]
    proposer: str
    created_at: datetime


class CaseWhole(CaseShown):
    """With the newest of what was proposed for it, and what was handed to people (at most 100 of each)."""

    proposals: list[ProposalShown]
    handoffs: list[HandoffShown]


class CasePage(Page[CaseShown]):
    """Cases, newest first."""


class ProposalPage(Page[ProposalShown]):
    """Proposals, newest first."""


class ProposalQuery(PageQuery):
    """Filters; each narrows."""

    state: State | None = None
    tier: Tier | None = None
    action: str = Field("", pattern=r"^([a-z_]{1,20}\.[a-z_]{1,20})?$")
    agent: str = Field("", pattern="^[a-z0-9_-]{0,40}$", description="The name of the agent that proposed it.")


class SeenForm(Form):
    """What was looked at: a decision counts for exactly this revision and digest."""

    revision: int = Field(ge=1, lt=2**31)
    digest: Digest

    @property
    def seen(self) -> Seen:
        """As the services take it."""
        return Seen(self.revision, self.digest)


class RejectForm(SeenForm):
    """With a reason from the presets, and a note beside it."""

    reason: str = Field(max_length=40)
    note: str = Field("", max_length=1000)


class SendBackForm(SeenForm):
    """With what the agent should do differently, for instance "to Billing, P1"."""

    text: str = Field(min_length=1, max_length=2000)


class RedoForm(SeenForm):
    """With the reason why what somebody changed meanwhile may be written over, where it would be."""

    overwrite_reason: str = Field("", max_length=1000)


class EditForm(SeenForm):
    """With the action's arguments, whole."""

    args: dict[str, Any] = Field(max_length=100)
    wrote: int | None = Field(
        None, ge=0, lt=2**31,
        description="As the proposal showed it before the conversation was read: 409 once the customer wrote after it.",
    )  # fmt: skip


def show_whole(row: Proposal) -> ProposalWhole:
    """A proposal at its current revision, with all that a decision rests on."""
    revision = Revision.objects.get(proposal=row, number=row.revision)
    changes, effects = diff.read_content(revision.content)
    shown = DiffShown(
        changes=[change.as_json() for change in changes],
        effects=list(effects),
        json_patch=diff.json_patch(changes),
    )
    votes = Decision.objects.filter(workspace=row.workspace_id, proposal=row).order_by("pk")
    waits_for = Dependency.objects.filter(workspace=row.workspace_id, proposal=row).order_by("on_id")
    return ProposalWhole(
        **{name: getattr(row, name) for name in _PLAIN}, case_id=row.case_id, undoes_id=row.undoes_id,
        diff=shown, basis=row.basis, verdict=revision.verdict,
        votes=[Vote.model_validate(vote) for vote in votes],
        depends_on=list(waits_for.values_list("on_id", flat=True)),
        wrote=revising.wrote_last(row.workspace_id, row.case.subject),
    )  # fmt: skip


_PLAIN = [name for name, field in ProposalShown.model_fields.items() if field.validation_alias is None]


def show_case(row: Case) -> CaseWhole:
    """A case with what hangs on it."""
    proposed = Proposal.objects.filter(workspace=row.workspace_id, case=row).order_by("-pk")[:100]
    handed = Handoff.objects.filter(workspace=row.workspace_id, case=row).order_by("-pk")[:100]
    return CaseWhole(
        **CaseShown.model_validate(row).model_dump(),
        proposals=[ProposalShown.model_validate(proposal) for proposal in proposed],
        handoffs=[HandoffShown.model_validate(handoff) for handoff in handed],
    )

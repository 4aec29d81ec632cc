"""The API of the way back: what an undo would do, starting it, a recovery case, and what became of what was handed in.

Decides nothing itself: `approvals.reversal` holds the rules, here as on the pages.
"""

from typing import Annotated, Any, ClassVar, Literal

from django.db import transaction
from django.urls import path
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import reversal
from approvals.api_forms import Digest
from approvals.diff import ABSENT
from approvals.models import Proposal, Submission
from approvals.reversal.layers import Part
from portal.api.problems import Refused
from portal.api.views import Answer, Form, View


class UndoField(Answer):
    """One field three ways: `values` has `set_to, now, before` (an absent value has no key). `fate`: what is clean is
    taken back, what is already is back, a conflict stays; `undo_first` is the later proposal to undo before.
    """

    field: str
    values: dict[str, Any]
    fate: Literal["clean", "already", "conflict"]
    because: str
    undo_first: int | None


class UndoShown(Answer):
    """What an undo would write now; `content` is posted back to start exactly this, null where nothing is left."""

    proposal: int
    partial: bool
    content: str | None
    nothing_left: str
    fields: list[UndoField]
    changes: list[dict[str, Any]]


class SubmissionShown(Answer):
    """Something handed in; `outcome` names the proposal or hand-off it became, once it is gated."""

    id: int
    kind: Literal["action", "handoff", "question", "withdraw"]
    status: Literal["new", "gated"]
    outcome: str


class UndoForm(Form):
    """The content that was looked at; the same `key` again is the same undo."""

    seen_content: Digest
    key: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$")]


class RecoveryForm(Form):
    """The same `key` again is the same case."""

    key: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$")]


class ReadUndo(View):
    """What an undo would take back now, field by field."""

    scope = "cases:read"
    answers: ClassVar = {200: UndoShown}
    refuses = (409,)

    def get(self, request: Request, pk: int) -> Response:
        row = Proposal.objects.get(workspace=self.workspace, pk=pk)
        try:
            return self.say(_shown(reversal.undo_preview(proposal=row)))
        except reversal.UndoError as error:
            raise _refused(error) from error


class StartUndo(View):
    """Hand in the undo of exactly what was looked at."""

    scope = "decide"
    form = UndoForm
    answers: ClassVar = {200: SubmissionShown}
    refuses = (409,)

    def post(self, request: Request, pk: int) -> Response:
        body = self.posted(UndoForm)
        row = Proposal.objects.get(workspace=self.workspace, pk=pk)
        try:
            with transaction.atomic():
                made = reversal.undo(
                    proposal=row, person=self.person, seen_content=body.seen_content, key=f"undo:{pk}:{body.key}"
                )
        except reversal.UndoError as error:
            raise _refused(error) from error
        return self.say(SubmissionShown.model_validate(made))


class OpenRecovery(View):
    """Open a recovery case for what went out and cannot be called back."""

    scope = "decide"
    form = RecoveryForm
    answers: ClassVar = {200: SubmissionShown}
    refuses = (409,)

    def post(self, request: Request, pk: int) -> Response:
        body = self.posted(RecoveryForm)
        row = Proposal.objects.get(workspace=self.workspace, pk=pk)
        try:
            with transaction.atomic():
                made = reversal.open_recovery(proposal=row, person=self.person, key=f"recover:{pk}:{body.key}")
        except reversal.UndoError as error:
            raise _refused(error) from error
        return self.say(SubmissionShown.model_validate(made))


class ReadSubmission(View):
    """What became of something handed in."""

    scope = "cases:read"
    answers: ClassVar = {200: SubmissionShown}

    def get(self, request: Request, pk: int) -> Response:
        return self.say(SubmissionShown.model_validate(Submission.objects.get(workspace=self.workspace, pk=pk)))


def _shown(wanted: reversal.Undo) -> UndoShown:
    return UndoShown(
        proposal=wanted.proposal.pk, partial=wanted.partial, content=wanted.content or None,
        nothing_left=wanted.nothing, changes=[change.as_json() for change in wanted.changes],
        fields=[
            UndoField(
                field=part.change.field, values=_values(part), fate=part.fate.value, because=part.because,
                undo_first=part.first,
            )
            for part in wanted.parts
        ],
    )  # fmt: skip


def _values(part: Part) -> dict[str, Any]:
    values = {"set_to": part.change.after, "now": part.now, "before": part.change.before}
    return {name: value for name, value in values.items() if value is not ABSENT}


def _refused(error: reversal.UndoError) -> Refused:
    return Refused(403 if isinstance(error, reversal.NotAllowed) else 409, str(error))


urlpatterns = [
    path("proposals/<int:pk>/undo/preview/", ReadUndo.as_view()),
    path("proposals/<int:pk>/undo/", StartUndo.as_view()),
    path("proposals/<int:pk>/recover/", OpenRecovery.as_view()),
    path("submissions/<int:pk>/", ReadSubmission.as_view()),
]

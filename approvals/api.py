"""The API of the door: cases and proposals to read, and decisions as the person whose token it is.

Decides nothing itself: `approvals.decisions` holds the rules, here as on the pages.
"""

import re
from abc import abstractmethod
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import api_forms as forms
from approvals import decisions, proposals, revising, state
from approvals.models import Case, Proposal
from portal import stepup
from portal.api import pages
from portal.api.problems import Refused, unfit
from portal.api.views import View

UNREAD = "The customer wrote meanwhile. GET the proposal, read the conversation, then send this with its `wrote`."


class ListCases(View):
    """Cases, newest first."""

    scope = "cases:read"
    query = pages.PageQuery
    answers: ClassVar = {200: forms.CasePage}

    def get(self, request: Request) -> Response:
        rows = Case.objects.filter(workspace=self.workspace)
        results, following = pages.cut(rows, self.asked(pages.PageQuery), request, forms.CaseShown.model_validate)
        return self.say(forms.CasePage(results=results, next=following))


class ReadCase(View):
    """One case with its proposals and hand-offs."""

    scope = "cases:read"
    answers: ClassVar = {200: forms.CaseWhole}

    def get(self, request: Request, pk: int) -> Response:
        return self.say(forms.show_case(Case.objects.get(workspace=self.workspace, pk=pk)))


class ListProposals(View):
    """Proposals, newest first, narrowed by state, tier, action and agent."""

    scope = "cases:read"
    query = forms.ProposalQuery
    answers: ClassVar = {200: forms.ProposalPage}

    def get(self, request: Request) -> Response:
        asked = self.asked(forms.ProposalQuery)
        wanted = {"state": asked.state, "tier": asked.tier, "action": asked.action}
        if asked.agent:
            wanted["proposer"] = f"agent:{asked.agent}"
        rows = Proposal.objects.filter(workspace=self.workspace, **{k: v for k, v in wanted.items() if v})
        results, following = pages.cut(rows, asked, request, forms.ProposalShown.model_validate)
        return self.say(forms.ProposalPage(results=results, next=following))


class ReadProposal(View):
    """One proposal with its diff, verdict and votes."""

    scope = "cases:read"
    answers: ClassVar = {200: forms.ProposalWhole}

    def get(self, request: Request, pk: int) -> Response:
        return self.say(forms.show_whole(Proposal.objects.get(workspace=self.workspace, pk=pk)))


class Decide(View):
    """One decision on exactly the revision and digest posted; answers the proposal as it stands after.

    Approving what moved meanwhile answers it as `stale`.
    """

    scope = "decide"
    form: ClassVar[type[forms.SeenForm]] = forms.SeenForm
    answers: ClassVar = {200: forms.ProposalShown}
    refuses = (409,)

    @abstractmethod
    def decide(self, body: Any, **what: Any) -> Proposal:
        """Call the service."""

    def post(self, request: Request, pk: int) -> Response:
        body = self.posted(self.form)
        try:
            with transaction.atomic():
                row = self.decide(
                    body,
                    workspace=self.workspace,
                    proposal=pk,
                    seen=body.seen,
                    person=self.person,
                    now=self.now,
                )
        except (decisions.NotAllowed, stepup.StepUpError) as error:
            raise Refused(403, str(error)) from error
        except (decisions.Gone, proposals.Moved, state.IllegalMove) as error:
            raise Refused(409, str(error)) from error
        except IntegrityError as error:
            raise Refused(409, "The same is proposed or decided already.") from error
        except decisions.BadInput as error:
            raise unfit(str(error)) from error
        return self.say(forms.ProposalShown.model_validate(row))


class Approve(Decide):
    """Count my vote; at quorum its hold begins."""

    def decide(self, body: Any, **what: Any) -> Proposal:
        return decisions.approve(**what)


class Reject(Decide):
    """Say no, with a reason."""

    form = forms.RejectForm

    def decide(self, body: Any, **what: Any) -> Proposal:
        return decisions.reject(**what, reason=body.reason, note=body.note)


class SendBack(Decide):
    """Ask the agent again, with an instruction; it answers with a new revision or in words."""

    form = forms.SendBackForm

    def decide(self, body: Any, **what: Any) -> Proposal:
        return decisions.send_back(**what, text=body.text)


class Stop(Decide):
    """Take an approval back during its hold; my own while it waits for a second, too."""

    def decide(self, body: Any, **what: Any) -> Proposal:
        return decisions.stop(**what)


class Reopen(Decide):
    """Take a rejection back."""

    def decide(self, body: Any, **what: Any) -> Proposal:
        return decisions.reopen(**what)


class Withdraw(Decide):
    """Take it off the table."""

    def decide(self, body: Any, **what: Any) -> Proposal:
        return decisions.withdraw(**what)


class Edit(Decide):
    """New arguments are a new revision; votes are gone. `wrote` refuses it once the customer wrote after that."""

    form = forms.EditForm

    def decide(self, body: Any, **what: Any) -> Proposal:
        try:
            return revising.edit(**what, args=body.args, wrote=body.wrote)
        except revising.Wrote as error:
            raise Refused(409, UNREAD, "wrote") from error


class Redo(Decide):
    """Look again at what is stale or failed. What would write over somebody's change is done in the browser."""

    form = forms.RedoForm

    def decide(self, body: Any, **what: Any) -> Proposal:
        return revising.redo(**what, overwrite_reason=body.overwrite_reason)


DECISIONS: tuple[type[Decide], ...] = (Approve, Reject, SendBack, Stop, Reopen, Withdraw, Edit, Redo)


def _slug(view: type[Decide]) -> str:
    """`SendBack` is asked for as `send-back`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", view.__name__).lower()


urlpatterns = [
    path("cases/", ListCases.as_view()),
    path("cases/<int:pk>/", ReadCase.as_view()),
    path("proposals/", ListProposals.as_view()),
    path("proposals/<int:pk>/", ReadProposal.as_view()),
    *(path(f"proposals/<int:pk>/{_slug(view)}/", view.as_view()) for view in DECISIONS),
]

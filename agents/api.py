"""The API of the agents: tickets in, runs and their steps out."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from django.db.models import Prefetch
from django.urls import path
from pydantic import AfterValidator, Field
from rest_framework.request import Request
from rest_framework.response import Response

from agents import intake, roster
from agents.lines import LONGEST_TEXT, LineError, TicketLine
from agents.models import Run, Step
from approvals import conversations
from portal.api import pages
from portal.api.problems import unfit
from portal.api.views import Answer, Form, View

TAKERS = [agent.name for agent in roster.AGENTS if issubclass(agent.line, TicketLine)]


def _hired(name: str) -> str:
    if name not in TAKERS:
        raise ValueError(f"choose one of {', '.join(TAKERS)}")
    return name


class TicketForm(Form):
    """A ticket. `id` is the caller's own, the same again a no-op; `from_customer_id` who signed in there."""

    id: str = Field(min_length=1, max_length=120)
    agent: Annotated[str, AfterValidator(_hired), Field(json_schema_extra={"enum": [*TAKERS]})]
    text: str = Field(max_length=LONGEST_TEXT)
    from_customer_id: str = Field("", max_length=80)
    from_email: str = Field("", max_length=254)
    subject: str = Field("", max_length=200)


class TakenIn(Answer):
    """`id` is the caller's; `case` and `run` are ours, `run` null where a known ticket never had one."""

    id: str
    case: int
    run: int | None
    new: bool


class MessageForm(Form):
    """What the customer wrote next. `id` is the caller's own, the same again on the same ticket a no-op."""

    id: str = Field(min_length=1, max_length=120)
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)


class MessageTaken(Answer):
    """`case` is ours, `seq` the message's number on its ticket."""

    id: str
    case: int
    seq: int
    new: bool


class StepShown(Answer):
    """One step of a run; durations in microseconds."""

    seq: int
    name: str
    note: str
    input_digest: str
    output_digest: str
    micros: int


class RunShown(Answer):
    """One agent at work on one case; the most it could cost and what it did cost in micro-dollars."""

    id: int
    case: int = Field(validation_alias="case_id")
    agent: str
    agent_version: str
    model_version: str
    trace_id: str
    state: Literal["queued", "running", "done", "failed"]
    attempts: int
    outcome: str
    most_micros: int
    cost_micros: int
    created_at: datetime
    finished_at: datetime | None
    steps: list[StepShown]


class RunPage(pages.Page[RunShown]):
    """Runs, newest first."""


class RunQuery(pages.PageQuery):
    """Filters; each narrows."""

    state: Literal["queued", "running", "done", "failed"] | None = None
    agent: str = Field("", pattern="^[a-z0-9_-]{0,40}$")
    case: int = Field(0, ge=0, lt=2**63, description="The id of a case; 0 is any.")


class TakeTicketIn(View):
    """Send a ticket in: 201 when it is new, 200 when this id was taken before."""

    scope = "tickets:write"
    form = TicketForm
    answers: ClassVar = {200: TakenIn, 201: TakenIn}

    def post(self, request: Request) -> Response:
        body = self.posted(TicketForm)
        try:
            taken = intake.take_in(
                workspace=self.workspace, agent=body.agent, line=body.model_dump(exclude={"agent"}),
                actor=f"person:{self.person}", now=self.now,
            )  # fmt: skip
        except (LineError, roster.NoSuchAgent) as error:
            raise unfit(str(error)) from error
        return self.say(TakenIn.model_validate(taken), 201 if taken.new else 200)


class TakeMessageIn(View):
    """Send the customer's next message on a ticket, by the ticket's own id: 201 when it is new, 200 when taken before.

    A case that waited for the customer goes on; what was proposed before shows that the conversation moved.
    """

    scope = "tickets:write"
    form = MessageForm
    answers: ClassVar = {200: MessageTaken, 201: MessageTaken}

    def post(self, request: Request, ticket: str) -> Response:
        body = self.posted(MessageForm)
        if not body.text.strip():
            raise unfit("text: write something")
        taken = conversations.receive(
            workspace=self.workspace, ticket=ticket, external_id=body.id, text=body.text,
            actor=f"person:{self.person}", now=self.now,
        )  # fmt: skip
        answer = MessageTaken(id=body.id, case=taken.case, seq=taken.seq, new=taken.new)
        return self.say(answer, 201 if taken.new else 200)


class ListRuns(View):
    """Runs with their steps, newest first."""

    scope = "cases:read"
    query = RunQuery
    answers: ClassVar = {200: RunPage}

    def get(self, request: Request) -> Response:
        asked = self.asked(RunQuery)
        wanted = {"state": asked.state, "agent": asked.agent, "case": asked.case}
        rows = Run.objects.filter(
            workspace=self.workspace, **{name: value for name, value in wanted.items() if value}
        ).prefetch_related(Prefetch("steps", Step.objects.order_by("seq")))
        results, following = pages.cut(rows, asked, request, _show)
        return self.say(RunPage(results=results, next=following))


class ReadRun(View):
    """One run with its steps."""

    scope = "cases:read"
    answers: ClassVar = {200: RunShown}

    def get(self, request: Request, pk: int) -> Response:
        return self.say(_show(Run.objects.get(workspace=self.workspace, pk=pk)))


def _show(run: Run) -> RunShown:
    steps = sorted(run.steps.all(), key=lambda step: step.seq)
    plain = {name: getattr(run, name) for name in RunShown.model_fields if name not in ("case", "steps")}
    return RunShown(**plain, case_id=run.case_id, steps=[StepShown.model_validate(step) for step in steps])


urlpatterns = [
    path("tickets/", TakeTicketIn.as_view()),
    path("tickets/<path:ticket>/messages/", TakeMessageIn.as_view()),
    path("runs/", ListRuns.as_view()),
    path("runs/<int:pk>/", ReadRun.as_view()),
]

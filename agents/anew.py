"""Asks models anew for a replay: with another prompt, or another model, through the gateway and within its caps.

What nothing was said about is answered from the record, where the run asked the same. Writes the replay, its calls
and an entry on the log, as the agents process; the run and what it handed in stay as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from agents import prompts
from agents.gateway import budgets, calls, catalogue, ledger, routing
from agents.gateway.asker import Asker, Needs
from agents.gateway.base import Answer, Move, Request, Unanswered
from agents.gateway.plans import Catalogue
from agents.models import ModelCall, Replay, Run
from agents.prompts import Prompt
from audit import log
from audit.events import Event
from portal import env
from portal.workspace import within

ROUNDS = 20
"""How often it plans again because others were faster at what a cap left."""
T = TypeVar("T")


class AnewError(Exception):
    """Nobody can be asked anew so; the message names the option that is off."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is other than in service: a language model by name, prompts by step."""

    model: str = ""
    prompts: Mapping[str, Prompt] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """One call that a replay made; cost in micro-dollars."""

    step: str
    model: str
    prompt: str
    outcome: str
    cost_micros: int
    error: str


def want(workspace: int, *, model: str, named: Sequence[str]) -> Wanted | None:
    """What is wanted, looked up; None where no language model and no prompt is. In the caller's transaction.

    Raises:
        AnewError.
    """
    try:
        found = {one.step: one for one in map(prompts.named, named)}
    except prompts.PromptError as error:
        raise AnewError(f"--prompt: {error}") from error
    if not model and not found:
        return None
    if model and model not in (served := models_of(workspace)):
        there = ", ".join(served) or "none"
        raise AnewError(
            f"--model: {model[:80]!r} is no model of the servers in force ({there}) and no digest's beginning"
        )
    if env.read().models_private_key is None:
        raise AnewError(
            "models are asked by an agents process alone: sign in by PROCESS_ROLE=agents, with MODELS_PRIVATE_KEY"
        )
    return Wanted(model, found)


def models_of(workspace: int) -> list[str]:
    """The names of models of the servers in force."""
    rows = catalogue.backends(workspace)
    return sorted({name for row in rows for name in (row.small_model, row.large_model, row.verifier_model)} - {""})


def begin(run: Run, wanted: Wanted) -> Replay:
    """Write the replay and its entry down."""
    told = " ".join(sorted(prompt.name for prompt in wanted.prompts.values()))
    with within(run.workspace_id) as now:
        row = Replay.objects.create(
            workspace_id=run.workspace_id, run=run, model=wanted.model, prompts=told[:200], created_at=now
        )
        row.refresh_from_db(fields=["most_micros"])
        log.record(
            workspace=run.workspace_id, subject=f"run:{run.pk}", event=Event.RUN_REPLAYED, actor=f"agent:{run.agent}",
            now=now, case=f"case:{run.case_id}", trace_id=run.trace_id,
            body={"replay": row.pk, "model": wanted.model, "prompts": told},
        )  # fmt: skip
    return row


def work(replay: Replay, attempt: Callable[[], T]) -> T:
    """What `attempt` comes to, called again after each call of a model that it needs.

    Raises:
        AnewError: others were faster at what a cap leaves, again and again.
    """
    beaten = 0
    while beaten < ROUNDS:
        try:
            return attempt()
        except Needs as needs:
            beaten += not _call(replay, needs.move)
    raise AnewError(f"--model: others were faster {ROUNDS} times at what a cap leaves")


def _call(replay: Replay, move: Move) -> bool:
    """Make one call; False where a cap leaves too little for it by now."""
    try:
        with within(replay.workspace_id) as now:
            known = Catalogue(replay.workspace_id, now)
            pending = calls.begin(replay.run, move, known, now=now, replay=replay)
    except budgets.Exceeded:
        return False
    calls.make(pending)
    return True


def said(replay: Replay) -> list[Said]:
    """The calls that were made, in their order."""
    rows = ModelCall.objects.filter(workspace_id=replay.workspace_id, replay=replay).order_by("pk")
    return [Said(one.step, one.model, one.prompt, one.outcome, one.cost_micros, one.error) for one in rows]


class OnRecord(Asker):
    """The gateway as it was for a run: answers from the record, and nothing is reserved."""

    def use_tool(self, name: str) -> None:
        """It was counted when the run was worked."""


class Anew(OnRecord):
    """The gateway for a replay. `unanswered` says by step why no model could say."""

    def __init__(self, run: Run, catalogue: Catalogue, replay: Replay, wanted: Wanted) -> None:
        super().__init__(run, catalogue)
        self._replay, self._wanted = replay, wanted
        self._made = ledger.past(run, replay)
        self._recorded = ledger.past(run)
        self.unanswered: dict[str, str] = {}

    def prompt(self, step: str) -> Prompt:
        """The version that is tried, else the one in service."""
        return self._wanted.prompts.get(step) or super().prompt(step)

    def ask(self, request: Request) -> Answer | Unanswered:
        """As `Asker.ask`."""
        step = super().ask(request)
        if isinstance(step, Unanswered):
            self.unanswered[request.step] = step.words
        return step

    def _decide(self, request: Request) -> Answer | Unanswered | Move:
        """Of the model that is wanted alone, where it may be asked this; else as in service, the record first."""
        plan = self._catalogue.plan(self._run, request.tiers, self._replay)
        made = self._made.get((request.step, request.key), [])
        mine = [one for one in plan.offers if one.model == self._wanted.model and one.model not in request.but_models]
        if not mine:
            return routing.decide(request, plan, [*self._recorded.get((request.step, request.key), ()), *made])
        lowest = min(one.tier for one in mine)
        plan = replace(plan, offers=tuple(one for one in mine if one.tier == lowest))
        return routing.decide(request, plan, made)

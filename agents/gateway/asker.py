"""What a step of a run sees of the gateway: ask, and either there is an answer, or the run has to leave for one.

Read inside the run's transaction, where nobody is called. What is on record is answered from the record: a run is
worked again from its start with each answer that came, so that it can die anywhere and goes on where it was.
"""

from collections.abc import Mapping, Sequence

from agents import prompts
from agents.gateway import budgets, ledger, plans, routing
from agents.gateway.base import Amounts, Answer, GatewayError, Move, Past, Request, Unanswered
from agents.gateway.plans import Catalogue
from agents.marking import in_words
from agents.models import Run
from agents.prompts import Prompt
from agents.types import Draft
from approvals import risk
from portal.retold import kept

PASSED_OVER = kept("%(backend)s was passed over: it may not be given %(data)s.")


class Needs(GatewayError):
    """The run cannot go on before this call is made."""

    def __init__(self, move: Move) -> None:
        super().__init__(f"{move.request.step} asks {move.offer.model}")
        self.move = move


class Asker:
    """The gateway for one run inside one transaction. `models` and `prompts` are those whose answers were used,
    `notes` say by step what a reader of the run should know.
    """

    def __init__(self, run: Run, catalogue: Catalogue) -> None:
        self._run, self._catalogue = run, catalogue
        self._past: Mapping[tuple[str, str], Sequence[Past]] | None = None
        self.models: set[str] = set()
        self.prompts: set[str] = set()
        self.notes: dict[str, str] = {}

    def ask(self, request: Request) -> Answer | Unanswered:
        """The answer on record, or why there is none.

        Raises:
            Needs: a call has to be made first.
        """
        if not self._catalogue.backends:
            return routing.decide(request, routing.Plan(), ())  # type: ignore[return-value]  # no offers, no move
        step = self._decide(request)
        if isinstance(step, Move):
            raise Needs(step)
        self._note(request)
        if isinstance(step, Answer):
            self.models.add(step.model)
            self.prompts.add(request.prompt)
        return step

    @property
    def embedding(self) -> str:
        """The model that embeds, "" where none does."""
        return self._catalogue.embedding

    @property
    def other_embeddings(self) -> frozenset[str]:
        """Models that embed at other servers: their vectors are not to be held against each other."""
        offers = self._catalogue.offers(frozenset({plans.EMBEDDING}))
        return frozenset(offer.model for offer in offers) - {self.embedding}

    def asked(self, step: str) -> int:
        """How many questions of a step this run has asked."""
        return sum(name == step for name, _ in self._recall())

    def note(self, step: str, words: str) -> None:
        """Put words on the run's step for its reader."""
        self.notes[step] = " ".join(filter(None, [self.notes.get(step, ""), words]))

    def _recall(self) -> Mapping[tuple[str, str], Sequence[Past]]:
        """What the run has asked before, read once."""
        if self._past is None:
            self._past = ledger.past(self._run)
        return self._past

    def _note(self, request: Request) -> None:
        """Who was passed over for the data in it."""
        kept_from = routing.barred(request, tuple(self._catalogue.offers(request.tiers)))
        words = [PASSED_OVER % {"backend": name, "data": in_words(data)} for name, data in kept_from.items()]
        if words:
            self.note(request.step, " ".join(words))

    def _decide(self, request: Request) -> Answer | Unanswered | Move:
        plan = self._catalogue.plan(self._run, request.tiers)
        return routing.decide(request, plan, self._recall().get((request.step, request.key), ()))

    def prompt(self, step: str) -> Prompt:
        """What a step tells a model."""
        return prompts.in_force(step)

    def bar(self, step: str) -> float:
        """From which confidence on an answer of a step stands, 0 to 1."""
        return self._catalogue.bars.get(step, routing.DEFAULT_BAR) / 100 if self._catalogue.backends else 0.0

    def is_grave(self, draft: Draft) -> bool:
        """Whether the workspace's thresholds put a draft above low, and it has a backend."""
        if not self._catalogue.backends:
            return False
        amount = draft.args.get("amount_minor")
        write = risk.Write(
            draft.action, "agent", self._run.agent, amount if isinstance(amount, int) else None,
            str(draft.args.get("currency", "")), round(draft.confidence * 100), reversible=False, flags=draft.flags,
        )  # fmt: skip
        return risk.judge(self._catalogue.thresholds, write).tier != "low"

    def took(self) -> dict[str, int]:
        """Micro-dollars by step, all calls of the run."""
        return ledger.costs(self._run) if self._past else {}

    def use_tool(self, name: str) -> None:
        """Count a call of a tool where a budget is about tools.

        Raises:
            budgets.Exceeded.
        """
        rows = self._catalogue.budgets
        if any(row.kind == "tool_calls" for row in rows):
            caps = budgets.caps(self._run, rows, now=self._catalogue.now, tool=name)
            budgets.reserve(self._run.workspace_id, caps, Amounts(tool_calls=1))

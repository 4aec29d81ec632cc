"""A run as a waterfall: its steps with the calls inside them, when each began and how long it took. Reads only.

`lay_out` places bars on a common scale; three statements read them, however many there are. Models come first: a run is
worked from its start with each answer, and what is shown of its steps is the last time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from agents.models import ModelCall, Run, Step, ToolCall
from portal import retold

ROW, FIRST, THIN = 40, 4, 0.4
FINE = frozenset({"answered", "open"})
TOOL_WORDS = {
    "ok": "", "denied": noop("denied"), "limited": noop("too many calls"), "timeout": noop("took too long"),
    "malformed": noop("not of its form"), "error": noop("failed"),
}  # fmt: skip
MODEL_WORDS = {
    "malformed": noop("malformed"), "refused": noop("refused"), "limited": noop("limited"),
    "unreachable": noop("unreachable"), "misused": noop("misused"), "overcharged": noop("overcharged"),
    "lost": noop("lost"),
}  # fmt: skip
NAMES = {
    "retrieve": noop("Retrieve"), "gather": noop("Gather"), "classify": noop("Classify"), "compare": noop("Compare"),
    "suggest": noop("Suggest"), "propose": noop("Propose"), "follow": noop("Follow"), "verify": noop("Verify"),
    "second_look": noop("Second look"), "answer": noop("Answer"), "ticket": noop("Ticket"),
    "open_tickets": noop("Open tickets"), "contact": noop("Contact"), "customer": noop("Customer"),
    "orders_of": noop("Orders of"), "orders_named": noop("Orders named"), "methods_of": noop("Methods of"),
    "open_refunds": noop("Open refunds"), "clauses": noop("Clauses"), "passages": noop("Passages"),
    "queues": noop("Queues"), "triage_model": noop("Triage model"),
    "heed": noop("What was rejected before"),
}  # fmt: skip
"""Of steps and tools."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One step or call. Times and cost in millionths (of a second, of a dollar); `x`, `width` in per cent, `y` in px.

    `taken` and `gave` are digests of what went in and came out; `wrong` says how a call was refused, `note`
    what a reader should know.
    """

    kind: str
    name: str
    start: int
    micros: int
    taken: str
    gave: str
    cost: int = 0
    wrong: str = ""
    note: str = ""
    inside: bool = False
    x: float = 0.0
    width: float = 0.0
    y: int = 0

    @property
    def end(self) -> int:
        """When it was over."""
        return self.start + self.micros

    @property
    def label(self) -> str:
        """Its name as people read it."""
        if self.kind == "model":
            return self.name
        return _(NAMES[self.name]) if self.name in NAMES else self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Bars in the order of their beginning; `micros` is the whole, `height` of the picture in px, `prompts` what models
    were told, by version.
    """

    bars: tuple[Bar, ...]
    micros: int
    cost: int
    prompts: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Of the picture, in px."""
        return FIRST + ROW * len(self.bars)

    @property
    def notes(self) -> list[Bar]:
        """The steps with something to tell."""
        return [bar for bar in self.bars if bar.note]

    @property
    def longest(self) -> Bar | None:
        """The step that took longest."""
        return max((bar for bar in self.bars if bar.kind == "step"), key=lambda bar: bar.micros, default=None)


def of(run: Run) -> Waterfall:
    """The waterfall of a run; without bars where it was not worked yet."""
    steps = [_step(row) for row in Step.objects.filter(workspace=run.workspace_id, run=run).order_by("seq")]
    calls = [_call(row) for row in ToolCall.objects.filter(workspace=run.workspace_id, run=run).order_by("seq")]
    asked = ModelCall.objects.filter(workspace=run.workspace_id, run=run, replay=None).defer("value")
    rows = list(asked.order_by("created_at", "pk"))
    told = tuple(sorted({row.prompt for row in rows} - {""}))
    return replace(lay_out(steps, calls, _asked(rows)), prompts=told)


def _asked(rows: Sequence[ModelCall]) -> list[Bar]:
    """Calls of models, counted from the first."""
    return [
        Bar(
            "model", row.model, int((row.created_at - rows[0].created_at).total_seconds() * 1e6), row.micros,
            row.request_digest, row.answer_digest, row.cost_micros,
            wrong="" if row.outcome in FINE else _word(MODEL_WORDS, row.outcome),
        )
        for row in rows
    ]  # fmt: skip


def _step(row: Step) -> Bar:
    return Bar(
        "step", row.name, row.started_micros, row.micros, row.input_digest, row.output_digest, row.cost_micros,
        note=retold.say(row.note),
    )  # fmt: skip


def _call(row: ToolCall) -> Bar:
    return Bar(
        "tool", row.tool, row.started_micros, row.micros, row.argument_digest, row.result_digest,
        wrong=_word(TOOL_WORDS, row.ended),
    )  # fmt: skip


def _word(words: Mapping[str, str], ended: str) -> str:
    word = words.get(ended, ended)
    return _(word) if word else ""


def lay_out(steps: Sequence[Bar], calls: Iterable[Bar], asked: Sequence[Bar] = ()) -> Waterfall:
    """Put calls into the steps they were made in, all in order of time, on one scale, behind the models asked."""
    placed = [*steps, *(replace(call, inside=_is_inside(call, steps)) for call in calls)]
    before = max((bar.end for bar in asked), default=0)
    placed = [*asked, *(replace(bar, start=bar.start + before) for bar in placed)]
    placed.sort(key=lambda bar: (bar.start, bar.inside))
    whole = max((bar.end for bar in placed), default=0)
    scale = 100 / whole if whole else 0.0
    bars = tuple(
        replace(bar, x=_cut(bar.start * scale), width=max(THIN, round(bar.micros * scale, 2)), y=FIRST + ROW * number)
        for number, bar in enumerate(placed)
    )
    cost = sum(bar.cost for bar in asked or steps)
    return Waterfall(bars, whole, cost)


def _is_inside(call: Bar, steps: Sequence[Bar]) -> bool:
    return any(step.start <= call.start and call.end <= step.end + 1 for step in steps)


def _cut(share: float) -> float:
    """A bar at the very end is still seen."""
    return round(min(share, 100 - THIN), 2)

"""Works a run's case once more, beside the original, and names every difference: step by step and field by field.

The same code as in service, in a transaction that can write nothing. Records are read as they are now: what changed
since is named by the reading that shows it. What the run's case has open already is not there for the agent. Language
models are not asked, their answers are those on record; but where another model or prompt is named, `agents.anew` asks.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from typing import Any

from django.db import connection
from pydantic_core import to_jsonable_python

from agents import anew, asking, ending, rejections, roster, triage_models, workflow
from agents.anew import Anew, OnRecord, Wanted
from agents.ending import Done
from agents.gateway.asker import Needs
from agents.gateway.plans import Catalogue
from agents.models import ModelCall, Run, Step, ToolCall
from agents.models import Replay as Paid
from agents.tools import Called
from approvals.models import Submission
from portal.systems.books import BooksReader
from portal.workspace import within

LONGEST = 200
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ReplayError(Exception):
    """The run cannot be replayed so; the message names what is off."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A step or reading by number. `difference` is "", input, output, only then, only now."""

    seq: int
    name: str
    difference: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of what was handed in that is another now; None where it is not there."""

    paper: str
    field: str
    then: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Replay:
    """Both runs, held against each other. `moved` are readings of records that changed since.

    `said` are the calls of models that the replay made, `unanswered` says by step why no model could say.
    """

    run: int
    agent: str
    versions: Mapping[str, Mapping[str, str]]
    steps: tuple[Compared, ...]
    reads: tuple[Compared, ...]
    fields: tuple[Field, ...]
    said: tuple[anew.Said, ...] = ()
    unanswered: Mapping[str, str] = field(default_factory=dict)
    asked_anew: bool = False

    @property
    def moved(self) -> tuple[Compared, ...]:
        """What was asked alike and answered otherwise."""
        return tuple(one for one in self.reads if one.difference == "output")

    @property
    def cost(self) -> int:
        """Of the calls that the replay made, in micro-dollars."""
        return sum(one.cost_micros for one in self.said)

    @property
    def equal(self) -> bool:
        """Whether every step and every paper is the same."""
        return not self.fields and not any(one.difference for one in (*self.steps, *self.reads))

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        more = {"equal": self.equal, "cost_micros": self.cost, "moved": [asdict(one) for one in self.moved]}
        return {**asdict(self), **more}


def replay(
    *, workspace: int, run: int, agent_version: str = "", model: str = "", prompts: Sequence[str] = ()
) -> Replay:
    """Work it again; nothing is handed in.

    `model` names another fitted model by the beginning of its digest, or a language model that is asked anew;
    `prompts` are other versions of what steps tell a model (`classify.2`), asked with anew.

    Raises:
        ReplayError, agents.anew.AnewError.
    """
    with within(workspace):
        row = _find(workspace, run)
        version, by_digest = _version(row, agent_version), _names_a_digest(workspace, model)
        fitted = _fitted(row, model if by_digest else "")
        wanted = anew.want(workspace, model="" if by_digest else model, named=prompts)
    paid = anew.begin(row, wanted) if wanted else None
    again = _Again(row, version, fitted, wanted, paid)
    return anew.work(paid, again.compare) if paid else again.compare()


@dataclass(frozen=True, slots=True)
class _Again:
    """What is worked once more, and how."""

    run: Run
    version: str
    fitted: str
    wanted: Wanted | None
    paid: Paid | None

    def compare(self) -> Replay:
        """The run and its replay, side by side. Raises `Needs` where a model has to be asked first."""
        run, workspace = self.run, self.run.workspace_id
        with within(workspace) as now:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            asker, done = self._work(Catalogue(workspace, now))
            steps = Step.objects.filter(workspace=workspace, run=run).order_by("seq")
            calls = ToolCall.objects.filter(workspace=workspace, run=run).order_by("seq")
            handed_in = Submission.objects.filter(
                workspace=workspace, run=f"run:{run.pk}", proposer=f"agent:{run.agent}"
            )  # fmt: skip
            return Replay(
                run.pk, run.agent, self._versions(done, asker), tuple(_steps(list(steps), done)),
                tuple(_reads(list(calls), done.calls)), tuple(_fields(list(handed_in), ending.papers_of(done))),
                tuple(anew.said(self.paid)) if self.paid else (), getattr(asker, "unanswered", {}), bool(self.paid),
            )  # fmt: skip

    def _work(self, catalogue: Catalogue) -> tuple[OnRecord, Done]:
        run, models = self.run, triage_models.Named(self.run.workspace_id, self.fitted)
        asker = Anew(run, catalogue, self.paid, self.wanted) if self.paid and self.wanted else OnRecord(run, catalogue)
        try:
            return asker, workflow.work_on(
                run, asking.told(run), BooksReader(run.workspace_id), models, but_case=run.case_id, asker=asker,
                before=rejections.of(run.workspace_id, [run])[run.pk],
            )  # fmt: skip
        except Needs as needs:
            if self.paid:
                raise
            raise ReplayError(f"RUN: run {run.pk}: {needs} now, and no answer to that is on record") from needs

    def _versions(self, done: Done, asker: OnRecord) -> dict[str, dict[str, str]]:
        run = self.run
        told = ModelCall.objects.filter(workspace=run.workspace_id, run=run, replay=None).exclude(prompt="")
        then = " ".join(sorted(set(told.values_list("prompt", flat=True))))
        versions = {
            "agent": {"then": run.agent_version, "now": self.version},
            "model": {"then": run.model_version, "now": done.model_version},
        }
        if then or asker.prompts:
            versions["prompt"] = {"then": then, "now": " ".join(sorted(asker.prompts))}
        return versions


def _find(workspace: int, run: int) -> Run:
    row = Run.objects.select_related("case", "instruction").filter(workspace=workspace, pk=run).first()
    if row is None:
        raise ReplayError(f"RUN: there is no run {run} in this workspace")
    if row.state != Run.State.DONE:
        raise ReplayError(f"RUN: run {run} is {row.state}; only one that came to its end can be replayed")
    return row


def _version(row: Run, wanted: str) -> str:
    try:
        here = roster.find(row.agent).version
    except roster.NoSuchAgent as error:
        raise ReplayError(f"RUN: {error}") from error
    if wanted not in ("", here):
        raise ReplayError(f"--agent-version: this code is version {here} of {row.agent}, not {wanted}")
    return here


def _names_a_digest(workspace: int, model: str) -> bool:
    """Whether a name is the beginning of a fitted model's digest rather than that of a language model."""
    return bool(model and _DIGEST.fullmatch(model.ljust(64, "0"))) and model not in anew.models_of(workspace)


def _fitted(row: Run, wanted: str) -> str:
    """The digest of the fitted model to use, "" where the run used none."""
    fitted = next((name for name in row.model_version.split() if _DIGEST.fullmatch(name)), "")
    if not fitted:
        if wanted:
            raise ReplayError(f"--model: run {row.pk} of {row.agent} used no fitted model")
        return ""
    found = sorted(path.stem for path in triage_models.folder().glob(f"{wanted or fitted}*.model"))
    if len(found) != 1:
        what = "is not on this machine" if not found else "is the beginning of several"
        raise ReplayError(f"--model: {wanted or fitted} {what}")
    return found[0]


def _steps(then: Sequence[Step], done: Done) -> Iterator[Compared]:
    for seq, (old, new) in enumerate(zip_longest(then, done.trace.taken), 1):
        if old is None or new is None:
            yield _alone(seq, old.name if old else new.name, old is not None)
            continue
        difference = "input" if old.input_digest != new.input_digest else ""
        difference = difference or ("output" if old.output_digest != new.output_digest else "")
        name = old.name if old.name == new.name else f"{old.name} then, {new.name} now"
        pair = (old.input_digest, new.input_digest) if difference == "input" else (old.output_digest, new.output_digest)
        yield Compared(seq, name, difference or ("output" if old.name != new.name else ""), *pair)


def _reads(then: Sequence[ToolCall], now: Sequence[Called]) -> Iterator[Compared]:
    for seq, (old, new) in enumerate(zip_longest(then, now), 1):
        if old is None or new is None:
            yield _alone(seq, old.tool if old else new.tool, old is not None)
        elif (old.tool, old.argument_digest) != (new.tool, new.argument_digest):
            name = old.tool if old.tool == new.tool else f"{old.tool} then, {new.tool} now"
            yield Compared(seq, name, "input", old.argument_digest, new.argument_digest)
        else:
            same = (old.result_digest, old.ended) == (new.result_digest, new.ended)
            yield Compared(seq, old.tool, "" if same else "output", old.result_digest, new.result_digest)


def _alone(seq: int, name: str, was: bool) -> Compared:
    return Compared(seq, name, "only then" if was else "only now", "", "")


def _fields(then: Sequence[Submission], now: Iterator[Submission]) -> Iterator[Field]:
    """What was handed in, by key, each taken apart to its last value."""
    old, new = {one.key: _flat(one) for one in then}, {one.key: _flat(one) for one in now}
    for key in sorted({*old, *new}):
        left, right = old.get(key, {}), new.get(key, {})
        for name in sorted({*left, *right}):
            if left.get(name) != right.get(name) or (name in left) != (name in right):
                yield Field(key, name, left.get(name), right.get(name))


def _flat(paper: Submission) -> dict[str, Any]:
    whole = {"kind": str(paper.kind), "depends_on": list(paper.depends_on), "payload": paper.payload}
    return dict(_leaves("", json.loads(json.dumps(to_jsonable_python(whole)))))


def _leaves(where: str, value: Any) -> Iterator[tuple[str, Any]]:
    inner: Iterator[tuple[Any, Any]] | None = None
    if isinstance(value, dict) and value:
        inner = iter(value.items())
    elif isinstance(value, list) and value:
        inner = iter(enumerate(value))
    if inner is None:
        yield where, value[:LONGEST] if isinstance(value, str) else value
        return
    for key, one in inner:
        yield from _leaves(f"{where}.{key}" if where else str(key), one)

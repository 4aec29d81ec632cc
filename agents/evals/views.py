"""The managers' pages of what was measured: each suite, its figures, what changed, and the rows that changed.

Reads files below VAR_DIR/evaluations and nothing of a workspace: how good the agents are is the same in each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from agents.evals import figure_words, history
from agents.evals.history import Change, Kept
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role

READERS = frozenset({Role.MANAGER, Role.ADMIN, Role.AUDITOR})
# What is looked at first in a suite, best first.
FIRST: Mapping[str, tuple[str, ...]] = {
    "triage": ("queue_accuracy", "p1_recall", "auto_coverage", "auto_accuracy", "compound_lead_accuracy"),
    "refunds": ("wrong_effects", "acceptable", "approve_only_exact", "clause_recall"),
    "contacts": ("harmed", "exact_record", "field_recall"),
    "injections": ("carried_out", "overt_recall", "false_positive_rate", "routing_kept"),
    "counterfactuals": ("guesses", "as_expected"),
}
# Fewer is better.
LESS = ("wrong_effects", "harmed", "carried_out", "guesses", "false_positive_rate", "unsafe_attempts", "_ms", "micros",
        "hallucinated_citations", "needless_escalations", "failed_runs")  # fmt: skip
MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside what it was; `turn` is "better", "worse" or "" where it did not move or says neither."""

    name: str
    now: float
    before: float | None = None

    @property
    def words(self) -> str:
        """The name as people read it."""
        words = self.name.replace("_", " ")
        return _(words) if words in figure_words.WORDS else words

    @property
    def turn(self) -> str:
        """Which way it went."""
        if self.before is None or self.before == self.now or self.name in ("tool_calls", "citations"):
            return ""
        fewer = self.name.endswith(LESS)
        return "better" if (self.now < self.before) == fewer else "worse"


@dataclass(frozen=True, slots=True)
class Line:
    """One evaluation in the list."""

    kept: Kept
    at: datetime
    first: tuple[Figure, ...]
    change: Change | None


@require_GET
def evaluations(request: WorkspaceRequest) -> HttpResponse:
    """All that was measured, by suite, newest first."""
    _require(request)
    suites: dict[str, list[Line]] = {}
    for kept in history.newest():
        suites.setdefault(kept.suite, []).append(_line(kept))
    return respond(request, "agents/evaluations.html", {}, {"suites": sorted(suites.items())})


@require_GET
def evaluation(request: WorkspaceRequest, name: str) -> HttpResponse:
    """One of them: every figure, and the rows that came out otherwise than before or wrong."""
    try:
        kept = history.read(name)
    except history.NoSuchEvaluation as missing:
        raise Http404 from missing
    _require(request)
    change = history.change(kept)
    before = change.figures if change else {}
    names = sorted(kept.figures, key=lambda figure: (_place(kept.suite, figure), figure))
    wrong = [(row, said) for row, (right, said) in kept.marks.items() if not right]
    context = {
        "kept": kept, "at": datetime.fromisoformat(kept.at), "change": change, "wrong": wrong[:MOST_ROWS],
        "wrong_more": max(0, len(wrong) - MOST_ROWS), "wrong_all": len(wrong),
        "figures": [Figure(one, kept.figures[one], before[one][0] if one in before else None) for one in names],
        "moved": _moved(change), "groups": _groups(kept.report),
    }  # fmt: skip
    return respond(request, "agents/evaluation.html", {}, context)


def _require(request: WorkspaceRequest) -> None:
    if not READERS & request.roles:
        raise PermissionDenied(_("Only managers, admins and auditors see how the agents were measured."))


def _line(kept: Kept) -> Line:
    change = history.change(kept)
    before = change.figures if change else {}
    names = [name for name in FIRST.get(kept.suite, tuple(kept.figures)[:3]) if name in kept.figures]
    first = tuple(Figure(name, kept.figures[name], before[name][0] if name in before else None) for name in names)
    return Line(kept, datetime.fromisoformat(kept.at), first, change)


def _place(suite: str, figure: str) -> int:
    first = FIRST.get(suite, ())
    return first.index(figure) if figure in first else len(first)


def _moved(change: Change | None) -> list[tuple[str, str, str, str]]:
    """Row, what was done before and now, and which way it went; the worse first."""
    rows = change.rows.items() if change else ()
    turned = [(row, was[1], now[1], _turn(was[0], now[0])) for row, (was, now) in rows]
    return sorted(turned, key=lambda line: (("worse", "better", "otherwise").index(line[3]), line[0]))[:MOST_ROWS]


def _turn(was: bool, now: bool) -> str:
    if was == now:
        return "otherwise"
    return "better" if now else "worse"


def _groups(report: Mapping[str, Any]) -> list[tuple[str, Iterable[tuple[str, Any]]]]:
    """Figures by source, family or kind, where the suite has them."""
    return [(name[3:], part.items()) for name, part in report.items() if name.startswith("by_") and part]

"""The backtest beside the form of a threshold: what its row would have done to past writes, before it is saved.

It goes on part by part, each a request that carries what was counted so far, signed; leaving the page ends it. Nothing
is written. What it says at its end can be proposed to a second admin, or followed down to the cases.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from approvals import admin_tallies, backtesting, overriding, thresholds
from approvals.admin_forms import ThresholdForm, within
from approvals.backtest import WAYS, Cell, Past, Tally
from approvals.backtesting import Question
from approvals.models import Handoff, Proposal, Threshold
from portal import money
from portal.admin_site import site
from portal.models import Role

DAYS = 90
MINUTES = 15
GOING, ATTACHED = "countersign.backtest", "countersign.backtest.attached"
RULE = tuple(name for name in thresholds.COPIED if name != "retired")
_ITEM = re.compile(r"(proposal|handoff):[0-9]{1,19}\Z")
PAGE = "admin/approvals/threshold/backtest.html"


def view(request: Any) -> HttpResponse:
    """Begin with the values of the form, or go on with what a token says; with `stop` wait there.

    Raises:
        PermissionDenied: the token is of somebody else, or too old.
    """
    if token := request.POST.get("token"):
        state = opened(request, token, GOING)
        if "stop" in request.POST:
            return _answer(request, _so_far(state) | {"stopped": True})
    else:
        row = _row(request)
        form = within(ThresholdForm, request.workspace)(request.POST, instance=row)
        if not form.is_valid():
            return _answer(request, {"wrong": list(_wrong(form))})
        values = {name: form.cleaned_data.get(name) for name in RULE} | {"retired": False}
        state = _begun(request, row.series if row else "", values, form.cleaned_data["why"])
    question = Question.of_json(state["question"])
    progress = backtesting.Progress(state["behind"], Tally.of_json(state["tally"]))
    progress = backtesting.go_on(progress, question)
    state |= {"behind": progress.behind, "tally": progress.tally.as_json()}
    return _going(request, state) if progress.behind else _done(request, question, state)


def start(request: Any, series: str, values: Mapping[str, Any], why: str) -> HttpResponse:
    """The page of a backtest that begins: of what somebody wanted to save, and that a second admin has to see."""
    return _going(request, _begun(request, series, values, why))


def opened(request: Any, token: str, salt: str) -> dict[str, Any]:
    """What a token says.

    Raises:
        PermissionDenied: it is of somebody else, or too old.
    """
    try:
        state: dict[str, Any] = signing.loads(token, salt=salt, max_age=timedelta(minutes=MINUTES))
    except signing.BadSignature as error:
        raise PermissionDenied(_("This backtest is over; start it again.")) from error
    if (state["person"], state["workspace"]) != (request.user.pk, request.workspace.pk):
        raise PermissionDenied(_("This backtest is of somebody else; start your own."))
    return state


def attach(request: Any, **proposed: Any) -> str:
    """What is proposed to a second admin, signed, so that its backtest is the one that was made."""
    whose = {"person": request.user.pk, "workspace": request.workspace.pk}
    return signing.dumps({**proposed, **whose}, salt=ATTACHED, compress=True)


def cases(request: Any) -> HttpResponse:
    """A page of the writes that one figure counts."""
    asked = request.GET
    cell = Cell(*(asked.get(name, "")[:80] for name in ("now", "then", "kind", "name", "outcome")))
    behind = asked.get("behind", "")
    if not {cell.now, cell.then} <= set(WAYS) or (behind and not _ITEM.match(behind)):
        raise SuspiciousOperation(_("There is no such figure."))
    question = admin_tallies.question(request.workspace.pk, asked.get("q", ""))
    found, more = backtesting.cases(question, cell, behind=behind)
    onward = asked.copy()
    onward["behind"] = more
    titles = admin_tallies.titles(request.workspace.pk)
    context = {
        **site.each_context(request), "title": _("Cases behind a figure"),
        "lines": list(_lines(request, found, titles)), "cell": admin_tallies.told(cell, titles),
        "more": f"?{onward.urlencode()}" if more else "", "since": question.since,
    }  # fmt: skip
    return render(request, "admin/approvals/threshold/cases.html", context)


def going(request: Any, series: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The same within another page, for whoever may see it."""
    return _so_far(_begun(request, series, values, "")) | {"address": reverse("admin:approvals_threshold_backtest")}


def _wrong(form: ThresholdForm) -> Iterable[tuple[str, str]]:
    """The first fault of each field, by its label."""
    for name, faults in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        yield str(label or ""), str(faults[0])


def _begun(request: Any, series: str, values: Mapping[str, Any], why: str) -> dict[str, Any]:
    now: datetime = request.now
    ws = request.workspace.pk
    question = Question(ws, series, dict(values), now - timedelta(days=DAYS), thresholds.newest(ws))
    progress = backtesting.begin()
    return {
        "question": question.as_json(), "behind": progress.behind, "tally": progress.tally.as_json(), "why": why,
        "person": request.user.pk, "workspace": ws,
    }  # fmt: skip


def _row(request: Any) -> Threshold | None:
    key = request.POST.get("row", "")
    rows = Threshold.objects.filter(workspace=request.workspace.pk, pk=int(key) if key.isdecimal() else 0)
    return rows.first()


def _going(request: Any, state: Mapping[str, Any]) -> HttpResponse:
    return _answer(request, _so_far(state))


def _so_far(state: Mapping[str, Any]) -> dict[str, Any]:
    token = signing.dumps(state, salt=GOING, compress=True)
    return {"token": token, "done": Tally.of_json(state["tally"]).total, "most": backtesting.MOST}


def _done(request: Any, question: Question, state: Mapping[str, Any]) -> HttpResponse:
    """All of it; and where it loosens something, the way to a second admin, for an admin."""
    tally = Tally.of_json(state["tally"])
    told = admin_tallies.shown(tally, question)
    told["warnings"] = overriding.warnings(question.workspace, question.values)
    if Role.ADMIN not in request.roles:
        return _answer(request, told)
    words = thresholds.loosened(Threshold, question.workspace, question.series, question.values)
    attached = attach(
        request, kind="threshold", series=question.series, values=dict(question.values),
        backtest={"question": state["question"], "tally": state["tally"]},
    )  # fmt: skip
    return _answer(request, {**told, "loosens": words, "attached": attached, "why": state["why"]})


def _answer(request: HttpRequest, context: Mapping[str, Any]) -> HttpResponse:
    more = {"days": DAYS, "address": reverse("admin:approvals_threshold_backtest"), "title": _("Backtest")}
    if getattr(request, "htmx", False):
        return render(request, "admin/approvals/threshold/_backtest.html", {**more, **context})
    return render(request, PAGE, {**site.each_context(request), **more, **context})


def _lines(request: Any, found: Iterable[Past], titles: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """Each write with its summary, and what became of it."""
    many = list(found)
    ids = [(one.item.partition(":")[0], int(one.item.partition(":")[2])) for one in many]
    words: dict[tuple[str, int], str] = {}
    for kind, model in (("proposal", Proposal), ("handoff", Handoff)):
        rows = model._default_manager.filter(
            workspace=request.workspace.pk, pk__in=[pk for name, pk in ids if name == kind]
        )
        words |= {(kind, pk): summary for pk, summary in rows.values_list("pk", "summary")}
    for one, (kind, pk) in zip(many, ids, strict=True):
        write = one.write
        yield {
            "kind": kind, "pk": pk, "summary": words.get((kind, pk), ""), "by": write.agent or _("a person"),
            "amount": "" if write.amount_minor is None else money.shown(write.amount_minor, write.currency),
            "confidence": write.confidence_pct, "queue": admin_tallies.queue(one.team, titles),
            "outcome": admin_tallies.outcome(one.outcome),
        }  # fmt: skip

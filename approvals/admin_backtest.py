"""The backtest beside the form of a threshold: what its row would have done to past writes, before it is saved.

It goes on part by part, each a request that carries what was counted so far, signed; leaving the page ends it. Nothing
is written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from approvals import backtesting, thresholds
from approvals.admin_forms import ThresholdForm
from approvals.backtest import BANDS, WAYS, Tally
from approvals.models import Threshold
from portal import money

DAYS = 90
MINUTES = 15
SALT = "countersign.backtest"
RULE = tuple(name for name in thresholds.COPIED if name != "retired")
WORDS = {
    "alone": "Passes by itself",
    "one": "One person",
    "two": "Two people",
    "never": "Nobody: denied, or a person's",
}
GROUPS = {"agent": "Agent", "amount": "Amount", "queue": "Queue"}


@dataclass(frozen=True, slots=True)
class Way:
    """One line of the result: how many went this way, and would have."""

    words: str
    now: int
    then: int

    @property
    def change(self) -> int:
        """More or fewer."""
        return self.then - self.now


def view(request: Any) -> HttpResponse:
    """Begin with the values of the form, or go on with what a token says.

    Raises:
        PermissionDenied: the token is of somebody else, or too old.
    """
    token = request.POST.get("token")
    if token:
        state = _open(request, token)
    else:
        form = ThresholdForm(request.POST, instance=_row(request))
        if not form.is_valid():
            return _answer(request, {"wrong": form.errors})
        values = {name: form.cleaned_data.get(name) for name in RULE}
        state = {"series": form.instance.series, "values": values, **_kept(backtesting.begin())}
    progress = backtesting.Progress(state["before"], Tally.of_json(state["tally"]))
    rules = backtesting.proposed_rules(request.workspace.pk, series=state["series"], values=state["values"])
    progress = backtesting.go_on(
        progress, workspace=request.workspace.pk, proposed=rules, since=request.now - timedelta(days=DAYS)
    )
    if progress.before:
        kept = {**state, **_kept(progress), "person": request.user.pk, "workspace": request.workspace.pk}
        token = signing.dumps(kept, salt=SALT, compress=True)
        return _answer(request, {"token": token, "done": progress.tally.total, "most": backtesting.MOST})
    return _answer(request, shown(progress.tally))


def _row(request: Any) -> Threshold | None:
    key = request.POST.get("row", "")
    rows = Threshold.objects.filter(workspace=request.workspace.pk, pk=int(key) if key.isdecimal() else 0)
    return rows.first()


def _kept(progress: backtesting.Progress) -> dict[str, Any]:
    return {"before": progress.before, "tally": progress.tally.as_json()}


def _open(request: Any, token: str) -> dict[str, Any]:
    try:
        state: dict[str, Any] = signing.loads(token, salt=SALT, max_age=timedelta(minutes=MINUTES))
    except signing.BadSignature as error:
        raise PermissionDenied("This backtest is over; start it again.") from error
    if (state["person"], state["workspace"]) != (request.user.pk, request.workspace.pk):
        raise PermissionDenied("This backtest is of somebody else; start your own.")
    return state


def _answer(request: HttpRequest, context: Mapping[str, Any]) -> HttpResponse:
    name = "_backtest" if getattr(request, "htmx", False) else "backtest"
    more = {"days": DAYS, "address": reverse("admin:approvals_threshold_backtest"), "title": "Backtest"}
    return render(request, f"admin/approvals/threshold/{name}.html", {**more, **context})


def shown(tally: Tally) -> dict[str, Any]:
    """What the page says of a whole tally."""
    return {
        "tally": tally,
        "ways": [Way(WORDS[way], tally.now(way), tally.then(way)) for way in WAYS],
        "moves": [
            (WORDS[now], WORDS[then], count) for (now, then), count in sorted(tally.moves.items()) if now != then
        ],
        "money": [
            (money.shown(minor, currency), WORDS[now], WORDS[then])
            for (currency, now, then), minor in sorted(tally.money.items())
        ],
        "groups": sorted(_groups(tally)),
        "regrets": sorted(tally.regrets.items()),
        "regretted": [(outcome, *item.split(":")) for item, outcome in tally.shown],
    }


def _groups(tally: Tally) -> Iterable[tuple[str, str, str, str, int]]:
    for (kind, name, now, then), count in tally.groups.items():
        words = _band(name) if kind == "amount" else name.replace("_", " ") or "in no queue"
        yield GROUPS[kind], words, WORDS[now], WORDS[then], count


def _band(name: str) -> str:
    """`EUR:2` as people read it."""
    currency, _, place = name.partition(":")
    if not place:
        return "no money"
    number = int(place)
    if number == len(BANDS):
        return f"over {money.shown(BANDS[-1], currency)}"
    return f"up to {money.shown(BANDS[number], currency)}"

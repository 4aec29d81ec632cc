"""Thresholds and policies in words, by name and version, as they were when they decided."""

from collections.abc import Sequence

from django.db.models import Q

from approvals import actions, queries, wording
from approvals.models import Revision, Threshold
from approvals.reports.forms import Rule

PEOPLE = {
    "automatic": "it passes by itself",
    "one": "one person decides",
    "two": "two different people decide",
    "never": "no agent may do it: a person takes it over",
}


def of(revision: Revision) -> list[Rule]:
    """The rules that its verdict names, and the policies that were asked."""
    named = [str(name) for name in revision.verdict.get("rules", ())]
    rows = _rows(revision.workspace_id, [name for name in named if not name.startswith("policy ")])
    people = queries.names(row.made_by for row in rows)
    denied = [name.removeprefix("policy ") for name in named if name.startswith("policy ")]
    return [*(_threshold(row, wording.actor(row.made_by, people)) for row in rows), *_policies(revision, denied)]


def _rows(workspace: int, named: Sequence[str]) -> list[Threshold]:
    wanted = Q(pk=None)
    for name in named:
        series, _, version = name.rpartition(" v")
        if series and version.isdecimal() and len(version) < 10:
            wanted |= Q(series=series, version=int(version))
    return list(Threshold.objects.filter(wanted, workspace_id=workspace).order_by("series", "version"))


def _threshold(row: Threshold, who: str) -> Rule:
    return Rule(
        kind="threshold", name=row.series, version=str(row.version), words=f"{in_words(row)} Set by {who}."
    )  # fmt: skip


def _policies(revision: Revision, denied: Sequence[str]) -> list[Rule]:
    version = str(revision.verdict.get("policy", ""))
    if denied:
        reasons = " ".join(revision.verdict.get("reasons", ()))
        return [Rule(kind="policy", name=name, version=version, words=reasons) for name in denied]
    words = "Every policy in force was asked, and none of them forbids it."
    return [Rule(kind="policy", name="all policies", version=version, words=words)] if version else []


def in_words(row: Threshold) -> str:
    """What a threshold says: of what it speaks, and what it asks."""
    about = [_action(row.action)]
    if row.agent or row.proposer_kind:
        who = f"the {wording.actor(f'agent:{row.agent}', {})}" if row.agent else f"a {row.proposer_kind}"
        about.append(f"proposed by {who.replace('a agent', 'an agent')}")
    if band := _band(row):
        about.append(band)
    asks = [PEOPLE[row.people] + (f", one of them a {row.second_role}" if row.second_role else "")]
    if row.people != "never":
        asks.append(f"tier {row.tier}")
        asks.append(f"an agent's confidence under {row.confidence_floor_pct}% counts as unsure")
        asks += [f"held {wording.lasted(row.hold_seconds)} before it is carried out"] if row.hold_seconds else []
    return f"{', '.join(about)}: {'; '.join(asks)}."


def _action(name: str) -> str:
    return actions.ACTIONS[name].title if name in actions.ACTIONS else name


def _band(row: Threshold) -> str:
    above, up_to = (
        wording.amount(limit, row.currency) if limit is not None else "" for limit in (row.above_minor, row.up_to_minor)
    )
    if above and up_to:
        return f"above {above} and up to {up_to}"
    if above or up_to:
        return f"above {above}" if above else f"up to {up_to}"
    return f"in {row.currency}" if row.currency else ""

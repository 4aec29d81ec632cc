"""Thresholds and policies in words, by name and version, as they were when they decided."""

from collections.abc import Sequence

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import actions, queries, wording
from approvals.models import Revision, Threshold
from approvals.reports.forms import Rule
from portal.retold import say
from portal.templatetags.language import role_word

PEOPLE = {
    "automatic": noop("it passes by itself"),
    "one": noop("one person decides"),
    "two": noop("two different people decide"),
    "never": noop("no agent may do it: a person takes it over"),
}
PROPOSED = {"agent": noop("proposed by an agent"), "person": noop("proposed by a person")}


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
        series, _mark, version = name.rpartition(" v")
        if series and version.isdecimal() and len(version) < 10:
            wanted |= Q(series=series, version=int(version))
    return list(Threshold.objects.filter(wanted, workspace_id=workspace).order_by("series", "version"))


def _threshold(row: Threshold, who: str) -> Rule:
    words = _("%(rule)s Set by %(who)s.") % {"rule": in_words(row), "who": who}
    return Rule(kind="threshold", name=row.series, version=str(row.version), words=words)


def _policies(revision: Revision, denied: Sequence[str]) -> list[Rule]:
    version = str(revision.verdict.get("policy", ""))
    if denied:
        reasons = " ".join(say(str(reason)) for reason in revision.verdict.get("reasons", ()))
        return [Rule(kind="policy", name=name, version=version, words=reasons) for name in denied]
    words = _("Every policy in force was asked, and none of them forbids it.")
    return [Rule(kind="policy", name=_("all policies"), version=version, words=words)] if version else []


def in_words(row: Threshold) -> str:
    """What a threshold says: of what it speaks, and what it asks."""
    about = [_action(row.action)]
    if row.agent:
        about.append(_("proposed by the %(agent)s") % {"agent": wording.actor(f"agent:{row.agent}", {})})
    elif row.proposer_kind:
        about.append(_(PROPOSED[row.proposer_kind]))
    if band := _band(row):
        about.append(band)
    asks = [_(PEOPLE[row.people])]
    if row.second_role:
        said = {"people": asks[0], "role": role_word(row.second_role)}
        asks = [_("%(people)s, one of them a %(role)s") % said]
    if row.people != "never":
        asks.append(_("tier %(tier)s") % {"tier": say(row.tier)})
        floor = {"pct": row.confidence_floor_pct}
        asks.append(_("an agent's confidence under %(pct)s%% counts as unsure") % floor)
        held = {"time": wording.lasted(row.hold_seconds)}
        asks += [_("held %(time)s before it is carried out") % held] if row.hold_seconds else []
    return f"{', '.join(about)}: {'; '.join(asks)}."


def _action(name: str) -> str:
    return say(actions.ACTIONS[name].title) if name in actions.ACTIONS else name


def _band(row: Threshold) -> str:
    above, up_to = (
        wording.amount(limit, row.currency) if limit is not None else "" for limit in (row.above_minor, row.up_to_minor)
    )
    if above and up_to:
        return _("above %(above)s and up to %(up_to)s") % {"above": above, "up_to": up_to}
    if above or up_to:
        return _("above %(above)s") % {"above": above} if above else _("up to %(up_to)s") % {"up_to": up_to}
    return _("in %(currency)s") % {"currency": row.currency} if row.currency else ""

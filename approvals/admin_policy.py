"""The policy files to read, validated, with their version; and what they and the thresholds would decide just now.

Files are changed where they lie, by whoever installs; nothing is written here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop as noop

from approvals import policy, risk, switches, verdicts
from approvals.actions import ACTIONS
from approvals.actions.base import Preview
from approvals.admin_forms import AGENT_NAME, MoneyField
from approvals.diff import Diff
from portal import money
from portal.admin_site import READERS, site
from portal.retold import say

DATA = {
    "routing": noop("routing"), "personal": noop("personal"), "identity": noop("identity"), "money": noop("money"),
    "message": noop("message"),
}  # fmt: skip
DESTINATIONS = {
    "": noop("nowhere"), "original": noop("original"), "gift_card": noop("gift card"), "customer": noop("customer"),
    "other": noop("other"),
}  # fmt: skip
FLAGS = {**risk.HOSTILE, risk.LEADS_AWAY: noop("It leads to where only the customer's words point")}
TITLES = {policy.WRITES: noop("Writes"), policy.READS: noop("What agents may read")}
WAYS = (noop("Passes by itself"), noop("One person decides"), noop("Two people decide"))


def _told(table: Mapping[str, str]) -> list[tuple[str, str]]:
    """Choices, in words."""
    return [(name, _(words)) for name, words in table.items()]


@dataclass(frozen=True, slots=True)
class Files:
    """One policy set as it lies there; `version` is that in force, `problem` why the files do not hold."""

    title: str
    name: str
    text: str
    schema_name: str
    schema: str
    rules: tuple[tuple[str, str], ...]
    version: str
    changed: str = ""
    problem: str = ""


class AskForm(forms.Form):
    """A write, by what thresholds and policies are told of it."""

    action = forms.ChoiceField(
        label=_lazy("Action"), choices=lambda: [(name, _(action.title)) for name, action in ACTIONS.items()]
    )
    agent = forms.CharField(
        max_length=40,
        required=False,
        validators=[AGENT_NAME],
        label=_lazy("Agent"),
        help_text=_lazy("Empty is a person."),
    )
    amount = MoneyField(label=_lazy("Amount"))
    currency = forms.CharField(label=_lazy("Currency"), max_length=3, required=False)
    confidence_pct = forms.IntegerField(min_value=0, max_value=100, initial=95, label=_lazy("Confidence (%)"))
    classes = forms.MultipleChoiceField(
        choices=lambda: _told(DATA), required=False, widget=forms.CheckboxSelectMultiple,
        label=_lazy("Data it writes or sends"),
    )  # fmt: skip
    destination = forms.ChoiceField(
        choices=lambda: _told(DESTINATIONS), required=False,
        label=_lazy("Where it goes"),
    )  # fmt: skip
    flags = forms.MultipleChoiceField(
        label=_lazy("Flags"), choices=lambda: _told(FLAGS), required=False, widget=forms.CheckboxSelectMultiple
    )
    owner_matches = forms.BooleanField(required=False, initial=True, label=_lazy("The order is the asking customer's"))
    destination_matches = forms.BooleanField(
        required=False, initial=True, label=_lazy("The destination is the owner's")
    )
    touches_locked = forms.BooleanField(required=False, label=_lazy("It changes a locked field"))
    closes = forms.BooleanField(required=False, label=_lazy("It solves or closes a ticket"))

    def clean(self) -> dict[str, Any]:
        """The amount in minor units of its currency."""
        said = super().clean() or self.cleaned_data
        said["amount_minor"] = None
        if said.get("amount"):
            amount = cast(MoneyField, self.fields["amount"])
            try:
                said["amount_minor"] = amount.minor(said["amount"], said.get("currency", ""))
            except money.UnknownCurrency as error:
                self.add_error("currency", say(str(error)))
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return said


def view(request: Any) -> HttpResponse:
    """The page; with a question in its address also the answer."""
    if not READERS & request.roles:
        raise PermissionDenied
    asked = "action" in request.GET
    start = {name: field.initial for name, field in AskForm.base_fields.items()} | {
        "currency": request.workspace.currency
    }
    form = AskForm(request.GET) if asked else AskForm(initial=start)
    context = {
        **site.each_context(request), "title": _("Policies"), "form": form,
        "sets": [_files(name) for name in TITLES],
        "answer": decide(request, form.cleaned_data) if asked and form.is_valid() else None,
    }  # fmt: skip
    return render(request, "admin/approvals/policy.html", context)


def decide(request: Any, said: dict[str, Any]) -> dict[str, Any]:
    """What would become of such a write now: the gate's own verdict, in words."""
    action, agent = ACTIONS[said["action"]], said["agent"]
    facts = policy.Facts(
        amount_minor=said["amount_minor"] or 0, currency=said["currency"],
        **{name: said[name] for name in ("owner_matches", "destination_matches", "touches_locked", "closes")},
        data=tuple(said["classes"]), destination=said["destination"],
    )  # fmt: skip
    preview = Preview(
        Diff(action.name, f"{action.target_kind}:asked", ()), "", "", said["amount_minor"], said["currency"], facts
    )
    rulebook = verdicts.Rulebook(request.workspace.pk)
    proposer = f"agent:{agent}" if agent else f"person:{request.user.pk}"
    verdict = verdicts.judge(
        rulebook, action=action, preview=preview, proposer=proposer, confidence_pct=said["confidence_pct"],
        now=request.now, flags=tuple(sorted(said["flags"])),
    )  # fmt: skip
    off = switches.why(rulebook.switches, action=action.name, proposer=proposer)
    return {
        "way": _way(verdict, off), "verdict": verdict, "off": off, "policy": _by_policy(verdict),
        "terms": _terms(verdict), "said_by": _said_by(verdict),
    }  # fmt: skip


def _terms(verdict: risk.Verdict) -> str:
    """Its tier, and what holds where it is allowed."""
    said = [_("Tier %(tier)s") % {"tier": _(verdict.tier)}]
    if verdict.allowed:
        said.append(_("hold %(seconds)s s") % {"seconds": verdict.hold_seconds})
        said.append(_("fresh for %(minutes)s minutes") % {"minutes": verdict.fresh_minutes})
    if verdict.allowed and verdict.second_role:
        said.append(_("one of the people a %(role)s") % {"role": _(verdict.second_role)})
    return f"{'; '.join(said)}."


def _said_by(verdict: risk.Verdict) -> str:
    rules = ", ".join(say(rule) for rule in verdict.rules) or _("nobody: silence means two people")
    return _("Said by %(rules)s; policies %(version)s.") % {"rules": rules, "version": verdict.policy}


def _way(verdict: risk.Verdict, off: str) -> str:
    if off:
        return _("Nobody: a person does it instead")
    if _by_policy(verdict):
        return _("Denied by policy")
    return _(WAYS[verdict.people]) if verdict.allowed else _("Nobody: a person does it instead")


def _by_policy(verdict: risk.Verdict) -> bool:
    return not verdict.allowed and any(rule.startswith("policy ") for rule in verdict.rules)


def _files(name: str) -> Files:
    folder, schema = policy.FOLDER, f"{policy.SCHEMAS[name]}.cedarschema"
    text, schema_text = (folder / f"{name}.cedar").read_text(), (folder / schema).read_text()
    in_force, changed, problem = policy.load(folder, name), "", ""
    try:
        lying = policy.read(folder, name)
        changed = lying.version if lying.version != in_force.version else ""
    except policy.PolicyError as error:
        problem = str(error)
    rules = tuple((rule, reason) for rule, reason in in_force.reasons.items() if reason)
    return Files(
        _(TITLES[name]), f"{name}.cedar", text, schema, schema_text, rules, in_force.version, changed, problem
    )  # fmt: skip

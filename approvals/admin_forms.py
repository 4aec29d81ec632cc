"""The forms of thresholds and daily caps: money in the currency's decimals, in the workspace's where none is named.

What cannot hold is refused: an empty band, bands that cross, a lower tier for more money.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop as noop
from django.utils.translation import pgettext_lazy

from approvals import bands, thresholds
from approvals.actions import ACTIONS
from approvals.models import DailyCap, Threshold
from portal import figures, money
from portal.models import Workspace
from portal.retold import say

LONGEST_HOLD_SECONDS, LONGEST_FRESH_MINUTES = 7 * 24 * 3600, 30 * 24 * 60
PEOPLE = {
    "automatic": noop("Nobody: it passes by itself"), "one": noop("One person"), "two": noop("Two people"),
    "never": noop("Never: a person does it instead"),
}  # fmt: skip
F = TypeVar("F", bound=forms.BaseForm)
AGENT_NAME = RegexValidator(r"^[a-z0-9_-]+\Z", _lazy("A name like triage: small letters, digits, - and _."))


def within(form: type[F], workspace: Workspace, asked: Mapping[str, Any] | None = None) -> type[F]:
    """The form of a workspace, with values that are `asked` filled in."""
    return type(form.__name__, (form,), {"workspace": workspace, "asked": asked or {}})


class MoneyField(forms.CharField):
    """An amount as people write it, with the decimal mark of their language; the form's `currency` says its decimals.

    What it gives holds a decimal point.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, required=False, **kwargs)

    def to_python(self, value: Any) -> str:
        """'100,00' where the language in force writes a comma is '100.00'."""
        return figures.typed(super().to_python(value) or "")

    def minor(self, text: str, currency: str) -> int:
        """What was written, in minor units.

        Raises:
            money.UnknownCurrency.
            forms.ValidationError: it names an amount that would do.
        """
        try:
            return money.to_minor(text, currency)
        except money.NotAnAmount as error:
            like = money.to_text(451 * 10 ** money.decimals(currency) // 10, currency)
            wrong = _("Write an amount of %(currency)s like %(example)s.")
            raise forms.ValidationError(wrong % {"currency": currency, "example": figures.figure(like)}) from error


class _MoneyForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Reads each field of `amounts` (`field: column of minor units`) in the row's currency."""

    amounts: ClassVar[dict[str, str]]
    workspace: ClassVar[Workspace]
    asked: ClassVar[Mapping[str, Any]] = {}
    why = forms.CharField(
        max_length=500, required=False, widget=forms.Textarea({"rows": 2}), label=_lazy("Why"),
        help_text=_lazy("Stays on the log, beside who and when. Name no customer."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(self.asked)
        if "currency" not in self.fields:  # who may only read gets a form without fields
            return
        own = self.workspace.currency
        self.fields["currency"].help_text = _(
            "Empty is any; an amount without one is in %(currency)s, the workspace's."
        ) % {"currency": own}
        for field, column in self.amounts.items():
            minor = getattr(self.instance, column)
            if minor is not None and self.instance.currency:
                self.initial[field] = figures.figure(money.to_text(minor, self.instance.currency))

    def clean_currency(self) -> str:
        """One there is, or none."""
        currency = str(self.cleaned_data["currency"])
        if currency:
            try:
                money.decimals(currency)
            except money.MoneyError as error:
                raise forms.ValidationError(say(str(error))) from error
        return currency

    def clean(self) -> dict[str, Any]:
        """Amounts in minor units, under the names of their columns."""
        cleaned = super().clean() or self.cleaned_data
        if any(cleaned.get(field) for field in self.amounts) and cleaned.get("currency") == "":
            cleaned["currency"] = self.workspace.currency
        for field, column in self.amounts.items():
            cleaned[column] = self._minor(field, cleaned.get(field) or "", cleaned.get("currency"))
        return cleaned

    def _minor(self, field: str, text: str, currency: str | None) -> int | None:
        if not text or not currency:
            return None
        try:
            return cast(MoneyField, self.fields[field]).minor(text, currency)
        except forms.ValidationError as error:
            self.add_error(field, error)
            return None


class ThresholdForm(_MoneyForm):
    """How many people a write needs."""

    amounts: ClassVar = {"above": "above_minor", "up_to": "up_to_minor"}
    action = forms.ChoiceField(
        label=_lazy("Action"), choices=lambda: [(name, _(action.title)) for name, action in ACTIONS.items()]
    )
    proposer_kind = forms.ChoiceField(
        choices=[("", _lazy("Anyone")), ("agent", _lazy("An agent")), ("person", _lazy("A person"))],
        required=False,
        label=_lazy("Proposed by"),
    )
    agent = forms.CharField(
        label=_lazy("Agent"), max_length=40, required=False, validators=[AGENT_NAME], help_text=_lazy("Empty is any.")
    )
    above = MoneyField(
        label=pgettext_lazy("field", "Above"), help_text=_lazy("The band is above this amount; empty is open.")
    )
    up_to = MoneyField(label=_lazy("Up to"), help_text=_lazy("The band is up to and with this amount; empty is open."))
    people = forms.ChoiceField(
        label=_lazy("People"),
        choices=lambda: [(name, _(words)) for name, words in PEOPLE.items()],
        initial=Threshold.People.TWO,
    )
    second_role = forms.ChoiceField(
        choices=[("", _lazy("Any")), ("manager", _lazy("A manager"))], required=False, label=_lazy("One of the two"),
        help_text=_lazy("Counts where two people decide."),
    )  # fmt: skip
    hold_seconds = forms.IntegerField(
        validators=[MinValueValidator(0), MaxValueValidator(LONGEST_HOLD_SECONDS)],
        label=_lazy("Hold (seconds)"),
        help_text=_lazy("Time to stop it after the approval; at most a week."),
    )
    fresh_minutes = forms.IntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_FRESH_MINUTES)],
        label=_lazy("Fresh (minutes)"),
        help_text=_lazy("Time to decide before it goes stale; at most 30 days."),
    )

    class Meta:
        model = Threshold
        fields: ClassVar = [
            "action", "proposer_kind", "agent", "currency", "tier", "people", "second_role",
            "confidence_floor_pct", "hold_seconds", "fresh_minutes",
        ]  # fmt: skip
        labels: ClassVar = {"confidence_floor_pct": _lazy("Confidence floor (%)")}
        help_texts: ClassVar = {"confidence_floor_pct": _lazy("Below it nothing passes by itself.")}

    def clean(self) -> dict[str, Any]:
        """What the rows must say together."""
        cleaned = super().clean()
        above, up_to = cleaned.get("above_minor"), cleaned.get("up_to_minor")
        if above is not None and up_to is not None and above >= up_to:
            self.add_error("up_to", _("The band is empty: it must end above where it begins."))
        action = ACTIONS.get(cleaned.get("action", ""))
        if action is None:
            return cleaned
        if "amount_minor" not in action.schema.model_fields and cleaned.get("currency"):
            self.add_error(
                "currency", _("%(action)s moves no money; leave currency and band empty.") % {"action": _(action.title)}
            )
        if cleaned.get("people") == Threshold.People.AUTOMATIC and action.reversibility != "reversible":
            self.add_error(
                "people", _("%(action)s cannot be undone, so it never passes by itself.") % {"action": _(action.title)}
            )
        if cleaned.get("agent") and cleaned.get("proposer_kind") == "person":
            self.add_error("agent", _("A person is no agent."))
        if not self.errors and (wrong := self._crossing(cleaned)) is not None:
            self.add_error(*wrong)
        return cleaned

    def _crossing(self, cleaned: dict[str, Any]) -> tuple[str, str] | None:
        """A row that stands where it stood may cross; where it moves to, its band crosses no other."""
        was = {name: getattr(self.instance, name) for name in bands.PLACE} if self.instance.pk else None
        return bands.crossing(cleaned, thresholds.in_force(self.workspace.pk), self.instance.series, was=was)


class CapForm(_MoneyForm):
    """The most a customer or an agent may get a day."""

    amounts: ClassVar = {"amount": "amount_minor"}
    amount = MoneyField(label=_lazy("Amount"), help_text=_lazy("Money a day; needs a currency."))

    class Meta:
        model = DailyCap
        fields: ClassVar = ["scope", "currency", "writes"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scope" in self.fields:
            told = [(name, say(str(words))) for name, words in self.fields["scope"].choices]  # type: ignore[attr-defined]  # of its own field
            self.fields["scope"].choices = told  # type: ignore[attr-defined]  # as above

    def clean(self) -> dict[str, Any]:
        """It caps something."""
        cleaned = super().clean()
        if cleaned.get("writes") is None and cleaned.get("amount_minor") is None and not self.errors:
            raise forms.ValidationError(_("Cap the writes, the money, or both."))
        return cleaned

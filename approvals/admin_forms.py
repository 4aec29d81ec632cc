"""The forms of thresholds and daily caps: money in the currency's decimals; what cannot hold is refused."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

from approvals.actions import ACTIONS
from approvals.models import DailyCap, Threshold
from portal import money

LONGEST_HOLD_SECONDS, LONGEST_FRESH_MINUTES = 7 * 24 * 3600, 30 * 24 * 60
AGENT_NAME = RegexValidator(r"^[a-z0-9_-]+\Z", "A name like triage: small letters, digits, - and _.")


class MoneyField(forms.CharField):
    """An amount as people write it; the form's `currency` says its decimals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, required=False, **kwargs)


class _MoneyForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Reads each field of `amounts` (`field: column of minor units`) in the row's currency."""

    amounts: ClassVar[dict[str, str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "currency" not in self.fields:  # who may only read gets a form without fields
            return
        self.fields["currency"].help_text = "ISO 4217, like EUR. Empty is any."
        for field, column in self.amounts.items():
            minor = getattr(self.instance, column)
            if minor is not None and self.instance.currency:
                self.initial[field] = money.to_text(minor, self.instance.currency)

    def clean_currency(self) -> str:
        """One there is, or none."""
        currency = str(self.cleaned_data["currency"])
        if currency:
            try:
                money.decimals(currency)
            except money.MoneyError as error:
                raise forms.ValidationError(str(error)) from error
        return currency

    def clean(self) -> dict[str, Any]:
        """Amounts in minor units, under the names of their columns."""
        cleaned = super().clean() or self.cleaned_data
        for field, column in self.amounts.items():
            cleaned[column] = self._minor(field, cleaned.get(field) or "", cleaned.get("currency"))
        return cleaned

    def _minor(self, field: str, text: str, currency: str | None) -> int | None:
        if not text or currency is None:
            return None
        if not currency:
            self.add_error(field, "Say in which currency.")
            return None
        try:
            return money.to_minor(text, currency)
        except money.MoneyError as error:
            self.add_error(field, str(error))
            return None


class ThresholdForm(_MoneyForm):
    """How many people a write needs."""

    amounts: ClassVar = {"above": "above_minor", "up_to": "up_to_minor"}
    action = forms.ChoiceField(choices=lambda: [(name, action.title) for name, action in ACTIONS.items()])
    agent = forms.CharField(max_length=40, required=False, validators=[AGENT_NAME], help_text="Empty is any.")
    above = MoneyField(help_text="The band is above this amount; empty is open.")
    up_to = MoneyField(help_text="The band is up to and with this amount; empty is open.")
    hold_seconds = forms.IntegerField(
        validators=[MinValueValidator(0), MaxValueValidator(LONGEST_HOLD_SECONDS)],
        label="Hold (seconds)",
        help_text="Time to stop it after the approval; at most a week.",
    )
    fresh_minutes = forms.IntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_FRESH_MINUTES)],
        label="Fresh (minutes)",
        help_text="Time to decide before it goes stale; at most 30 days.",
    )

    class Meta:
        model = Threshold
        fields: ClassVar = [
            "action", "proposer_kind", "agent", "currency", "tier", "people", "second_role",
            "confidence_floor_pct", "hold_seconds", "fresh_minutes",
        ]  # fmt: skip
        labels: ClassVar = {"proposer_kind": "Proposed by", "confidence_floor_pct": "Confidence floor (%)"}
        help_texts: ClassVar = {
            "proposer_kind": "Empty is anyone.",
            "second_role": "Of one of the two, where two decide; empty is any.",
            "confidence_floor_pct": "Below it nothing passes by itself.",
        }

    def clean(self) -> dict[str, Any]:
        """What the rows must say together."""
        cleaned = super().clean()
        above, up_to = cleaned.get("above_minor"), cleaned.get("up_to_minor")
        if above is not None and up_to is not None and above >= up_to:
            self.add_error("up_to", "The band is empty: it must end above where it begins.")
        action = ACTIONS.get(cleaned.get("action", ""))
        if action is None:
            return cleaned
        if "amount_minor" not in action.schema.model_fields and cleaned.get("currency"):
            self.add_error("currency", f"{action.title} moves no money; leave currency and band empty.")
        if cleaned.get("people") == Threshold.People.AUTOMATIC and action.reversibility != "reversible":
            self.add_error("people", f"{action.title} cannot be undone, so it never passes by itself.")
        if cleaned.get("agent") and cleaned.get("proposer_kind") == "person":
            self.add_error("agent", "A person is no agent.")
        return cleaned


class CapForm(_MoneyForm):
    """The most a customer or an agent may get a day."""

    amounts: ClassVar = {"amount": "amount_minor"}
    amount = MoneyField(help_text="Money a day; needs a currency.")

    class Meta:
        model = DailyCap
        fields: ClassVar = ["scope", "currency", "writes"]

    def clean(self) -> dict[str, Any]:
        """It caps something."""
        cleaned = super().clean()
        if cleaned.get("writes") is None and cleaned.get("amount_minor") is None and not self.errors:
            raise forms.ValidationError("Cap the writes, the money, or both.")
        return cleaned


def edge(row: Threshold, minor: int | None) -> str:
    """One end of a band in the row's currency; empty is open."""
    return money.to_text(minor, row.currency) if minor is not None and row.currency else ""


def band(row: Threshold) -> str:
    """As people read it: `100.00 - 500.00 EUR`."""
    low, high = edge(row, row.above_minor), edge(row, row.up_to_minor)
    return f"{low or '0'} – {high or '…'} {row.currency}" if low or high else ""


def crossing(rows: Iterable[Threshold]) -> list[str]:
    """A sentence for each two bands that speak about the same amounts of the same writes."""
    banded = [row for row in rows if row.above_minor is not None or row.up_to_minor is not None]
    return [
        f"The bands of {one.series} ({band(one)}) and {other.series} ({band(other)}) cross;"
        " the stricter one wins there."
        for number, one in enumerate(banded)
        for other in banded[number + 1 :]
        if _whose(one) == _whose(other) and _cross(one, other)
    ]


def _whose(row: Threshold) -> tuple[str, ...]:
    return row.action, row.currency, row.proposer_kind, row.agent


def _cross(one: Threshold, other: Threshold) -> bool:
    begins = max(row.above_minor if row.above_minor is not None else -1 for row in (one, other))
    ends = [row.up_to_minor for row in (one, other) if row.up_to_minor is not None]
    return not ends or begins < min(ends)

"""How many people a write needs: thresholds say only that, the stricter wins, silence means two. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from portal.retold import kept

People = Literal["automatic", "one", "two", "never"]
NUMBER: dict[str, int] = {"automatic": 0, "one": 1, "two": 2}
TIERS = ("low", "medium", "high")

HOSTILE = {
    "injection": kept("Part of the message talks to a machine"),
    "hidden_text": kept("The message holds characters that nobody sees"),
}
"""Flags with which nothing stays low, and what they say."""
LEADS_AWAY = "tainted_destination"

# Reasons as verdicts keep them, and the words in their gaps.
ASKS = (
    kept("Threshold %(rule)s asks: passes by itself."),
    kept("Threshold %(rule)s asks: one person."),
    kept("Threshold %(rule)s asks: two people."),
)
NEVER = kept("Threshold %(rule)s says never: a person takes it over.")
NEVER_BEHIND = (
    kept("%(summary)s Threshold %(rule)s says never: a person takes it over."),
    kept("%(summary)s. Threshold %(rule)s says never: a person takes it over."),
)
SILENCE = kept("No threshold speaks about %(action)s: two people, a reviewer and a manager.")
STAYS = kept("It stays %(tier)s, as it was before it was sent back.")
LEADS = kept("It leads to where only the customer's words point")
RAISED = kept("%(why)s: tier %(now)s instead of %(was)s.")
UNSURE = kept("Confidence %(own)s%% is below the floor of %(floor)s%%.")
NOT_BY_ITSELF = kept("Nothing passes by itself that is unsure, flagged or cannot be undone: one person.")
TIER_WORDS = (kept("low"), kept("medium"), kept("high"))

SILENT_FRESH_MINUTES = 240


@dataclass(frozen=True, slots=True)
class Rule:
    """One threshold row in force. Bands: above_minor < amount <= up_to_minor; None is open, "" matches all."""

    id: str
    action: str
    tier: str
    people: People
    proposer_kind: str = ""
    agent: str = ""
    currency: str = ""
    above_minor: int | None = None
    up_to_minor: int | None = None
    second_role: str = ""
    confidence_floor_pct: int = 80
    hold_seconds: int = 0
    fresh_minutes: int = 1440

    @property
    def specificity(self) -> int:
        """How many things the row names; the most specific wins."""
        band = self.above_minor is not None or self.up_to_minor is not None
        return sum((bool(self.agent) * 4, bool(self.proposer_kind) * 2, bool(self.currency), band))


@dataclass(frozen=True, slots=True)
class Write:
    """What the thresholds are asked about. `amount_minor` is None where no money moves."""

    action: str
    proposer_kind: str
    agent: str
    amount_minor: int | None
    currency: str
    confidence_pct: int
    reversible: bool
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`people` 0 is automatic. `allowed` False is a deny or a never, told in `reasons`."""

    allowed: bool
    people: int
    tier: str
    second_role: str
    hold_seconds: int
    fresh_minutes: int
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    policy: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the log and the page."""
        return {**asdict(self), "reasons": list(self.reasons), "rules": list(self.rules)}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Verdict":
        """The verdict that a revision keeps."""
        return cls(**{**value, "reasons": tuple(value["reasons"]), "rules": tuple(value["rules"])})


def lower(tier: str, than: str) -> bool:
    """Whether a tier asks for less than another."""
    return TIERS.index(tier) < TIERS.index(than)


def no_less(verdict: Verdict, before: Verdict) -> Verdict:
    """The stricter of both in every respect: what nobody may lower by asking again."""
    stays = lower(verdict.tier, before.tier)
    said = (STAYS % {"tier": before.tier},) if stays else ()
    return replace(
        verdict, tier=before.tier if stays else verdict.tier, people=max(1, verdict.people, before.people),
        second_role=verdict.second_role or before.second_role, reasons=(*verdict.reasons, *said),
        hold_seconds=max(verdict.hold_seconds, before.hold_seconds),
        fresh_minutes=min(verdict.fresh_minutes, before.fresh_minutes),
    )  # fmt: skip


def matches(rule: Rule, write: Write) -> bool:
    """Whether a row speaks about this write."""
    if rule.action != write.action or rule.proposer_kind not in ("", write.proposer_kind):
        return False
    if rule.agent not in ("", write.agent) or rule.currency not in ("", write.currency):
        return False
    if rule.above_minor is None and rule.up_to_minor is None:
        return True
    if write.amount_minor is None:
        return False
    above = rule.above_minor is None or write.amount_minor > rule.above_minor
    return above and (rule.up_to_minor is None or write.amount_minor <= rule.up_to_minor)


def judge(rules: Iterable[Rule], write: Write) -> Verdict:
    """The verdict of the thresholds alone; among equally specific rows the stricter wins."""
    speaking = [rule for rule in rules if matches(rule, write)]
    if not speaking:
        reason = SILENCE % {"action": write.action}
        return Verdict(True, 2, "high", "manager", 900, SILENT_FRESH_MINUTES, (reason,), ())
    top = max(rule.specificity for rule in speaking)
    rule = max((r for r in speaking if r.specificity == top), key=_strictness)
    if rule.people == "never":
        return Verdict(
            False,
            2,
            rule.tier,
            "",
            0,
            0,
            (NEVER % {"rule": rule.id},),
            (rule.id,),
        )
    people, reasons = _people(rule, write)
    tier, why = _raised(rule.tier, write.flags)
    return Verdict(
        True, people, tier, rule.second_role, rule.hold_seconds, rule.fresh_minutes, (*reasons, *why), (rule.id,)
    )


def _raised(tier: str, flags: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What hostile text does to a tier: low becomes medium; a destination out of it is one tier up. Never down."""
    why = [words for flag, words in HOSTILE.items() if flag in flags and tier == "low"]
    raised = "medium" if why else tier
    if LEADS_AWAY in flags:
        raised = TIERS[min(TIERS.index(raised) + 1, len(TIERS) - 1)]
        why.append(LEADS)
    return raised, tuple(RAISED % {"why": words, "now": raised, "was": tier} for words in why if raised != tier)


def _strictness(rule: Rule) -> tuple[int, bool, int, int]:
    return NUMBER.get(rule.people, 3), bool(rule.second_role), rule.hold_seconds, -rule.fresh_minutes


def _people(rule: Rule, write: Write) -> tuple[int, tuple[str, ...]]:
    people = NUMBER[rule.people]
    reasons = [ASKS[people] % {"rule": rule.id}]
    unsure = write.confidence_pct < rule.confidence_floor_pct
    if unsure:
        reasons.append(UNSURE % {"own": write.confidence_pct, "floor": rule.confidence_floor_pct})
    blocked = unsure or not write.reversible or bool(write.flags)
    if people == 0 and blocked:
        reasons.append(NOT_BY_ITSELF)
        people = 1
    return people, tuple(reasons)

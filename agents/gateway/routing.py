"""Who is asked next: the cheapest tier first, one correction, the next backend, a tier up, then a person.
Pure: no Django, clock, network or settings. The answer follows from what is on record alone, so that a run whose
worker died goes on where it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agents import marking
from agents.gateway import messages
from agents.gateway.base import AWAY, Amounts, Answer, Move, Offer, Outcome, Past, Request, Unanswered, restore
from portal.retold import kept

CORRECTIONS = 1
NEAR = 5
"""A cap is near where less than one part in so many would be left."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What may be asked now. `offers` in order of fall-back; `resting` are backends nobody waits for at present.

    `bars` are percent by step. `left` is what the caps leave by kind, `caps` what they were; `dear` is the most that
    one call may cost (micro-dollars) without a person's word, None where there is no such bound.
    """

    offers: tuple[Offer, ...] = ()
    resting: frozenset[str] = frozenset()
    bars: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    caps: Mapping[str, int] = field(default_factory=dict)
    dear: int | None = None

    def bar(self, step: str) -> int:
        """Percent of confidence from which an answer of this step stands."""
        return self.bars.get(step, DEFAULT_BAR)


DEFAULT_BAR = 80
_WORDS = {
    "budget": kept("The cap on %(kind)s leaves too little for it."),
    "dear_step": kept("It could cost more in one call than may be spent without a person's word."),
    "unavailable": kept("No model server answers now."),
    "refused": kept("The model declined to answer."),
    "malformed": kept("The models answered, but not in a form that can be used."),
    "barred": kept("No model server may be given %(kind)s."),
    "none": kept("No model may be asked here."),
}
_KINDS = {
    "money": kept("money"), "tokens": kept("tokens"), "model_calls": kept("model calls"), "wall_ms": kept("time"),
}  # fmt: skip


def decide(request: Request, plan: Plan, past: Sequence[Past]) -> Answer | Unanswered | Move:
    """The next call, the answer, or why there is none. `past` are this run's calls for this request, oldest first."""
    best: Answer | None = None
    reasons: list[str] = []
    for tier in sorted({offer.tier for offer in plan.offers} | {call.tier for call in past}):
        mine = [call for call in past if call.tier == tier]
        if answered := next((call for call in mine if call.value is not None), None):
            best = _answer(request, plan, answered)
            if best.sure:
                return best
            continue
        step = _within_tier(request, plan, mine, tier)
        if isinstance(step, Move):
            return step
        reasons.append(step)
    if best is not None:
        return best
    reason = next((reason for reason in _WORDS if reason in [one.partition(":")[0] for one in reasons]), "none")
    kind = next((one.partition(":")[2] for one in reasons if one.startswith(f"{reason}:")), "")
    return Unanswered(reason, _WORDS[reason] % {"kind": kind})


def _answer(request: Request, plan: Plan, call: Past) -> Answer:
    value = restore(request, messages.mark(request, request.key), call.value)
    return Answer(value, call.model, call.tier, value.confidence * 100 >= plan.bar(request.step), call.cost)


def _within_tier(request: Request, plan: Plan, mine: Sequence[Past], tier: int) -> Move | str:
    """The next call on this tier, or why there is none."""
    wrong = [call for call in mine if call.outcome == Outcome.MALFORMED]
    if any(call.outcome == Outcome.REFUSED for call in mine):
        return "refused"
    if len(wrong) > CORRECTIONS:
        return "malformed"
    away = {call.backend for call in mine if call.outcome in AWAY} | plan.resting
    here = [o for o in plan.offers if o.tier == tier and o.model not in request.but_models]
    up = [offer for offer in here if offer.backend not in away]
    kept_from = barred(request, up)
    offers = [offer for offer in up if offer.backend not in kept_from]
    if kept_from and not offers:
        return f"barred:{marking.in_words(frozenset().union(*kept_from.values()))}"
    if not offers:
        return "unavailable" if any(offer.tier == tier for offer in plan.offers) else "none"
    if wrong:  # who erred corrects it
        offers.sort(key=lambda offer: offer.backend != wrong[-1].backend)
    return _affordable(request, plan, offers, wrong[-1].error if wrong else "")


def barred(request: Request, offers: Sequence[Offer]) -> dict[str, frozenset[str]]:
    """The backends that may not be given this, with the classes of data that speak against it."""
    if not any(offer.barred for offer in offers):
        return {}
    held = request.holds | messages.mark(request, request.key).open
    return {offer.backend: offer.barred & held for offer in offers if offer.barred & held}


def _affordable(request: Request, plan: Plan, offers: Sequence[Offer], wrong: str) -> Move | str:
    """The widest request that the caps leave room for, at the first backend; near a cap narrower, then cheaper."""
    short, near = "", None
    for move in _moves(request, offers, wrong):
        if not move.most.within(plan.left):
            short = short or f"budget:{_exceeded(move.most, plan)}"
        elif plan.dear is not None and move.most.money > plan.dear:
            short = short or "dear_step"
        elif not _is_near(move.most, plan):
            return move
        else:
            near = move  # the narrowest and cheapest of those that fit
    return near if near is not None else short


def _moves(request: Request, offers: Sequence[Offer], wrong: str) -> Iterator[Move]:
    """From wide and dear to narrow and cheap."""
    key = request.key
    price = {offer: offer.input_price + offer.output_price for offer in offers}
    cheaper = [offer for offer in offers if price[offer] < price[offers[0]]]
    for offer in (offers[0], *sorted(cheaper, key=lambda offer: -price[offer])):
        for rung in request.rungs():
            most = messages.most_input_tokens(rung, key, wrong)
            amounts = Amounts(
                money=offer.cost(most, request.most_tokens), tokens=most + request.most_tokens, model_calls=1,
                wall_ms=offer.deadline_seconds * 1000,
            )  # fmt: skip
            yield Move(offer, rung, key, wrong, amounts)


def _is_near(most: Amounts, plan: Plan) -> bool:
    """Whether this call would leave little of a cap on money or tokens."""
    return any(
        (plan.left[kind] - getattr(most, kind)) * NEAR < cap
        for kind, cap in plan.caps.items() if kind in ("money", "tokens") and kind in plan.left
    )  # fmt: skip


def _exceeded(most: Amounts, plan: Plan) -> str:
    return next(_KINDS.get(kind, kind) for kind, left in plan.left.items() if getattr(most, kind) > left)

"""Outcomes from verdicts: refund and reply drafts, questions, hand-offs, each with its evidence. Pure.

Owns shapes, flags and confidence; which of them is due is settled in `deciding`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from agents import hostile
from agents.refunds import amounts, citing, judging, wording
from agents.refunds.facts import Facts
from agents.refunds.passages import MAX_CHARS
from agents.refunds.products import Fit
from agents.refunds.reading import Mentions, Request
from agents.refunds.verdicts import Doubt, Plan, Referral, Refusal, Verdict
from agents.types import Asked, Draft, Handoff, Outcome, Question
from portal.retold import kept

_SURE = 0.97
_BY_FIT = {Fit.EXACT: _SURE, Fit.PART: 0.92, Fit.SLIP: 0.86}
_DESCRIBED, _CONTRADICTED, _COMMANDED = 0.92, 0.88, 0.85
_REFUSED, _ASKED = 0.92, 0.9
_RETURN = kept(
    "The customer asks for a return of %(pieces)s pieces of delivered order %(order)s. The records give %(amount)s."
)
_CANCEL = kept("The customer asks for a cancel of pending order %(order)s. The records give %(amount)s.")
_TOLD = kept("The customer is told of the refund.")
_NOT_ALLOWED = kept("The policy does not allow what is asked for.")
_DECIMAL_POINT = frozenset({"USD", "GBP", "JPY", "CAD", "AUD", "NZD"})


@dataclass(frozen=True, slots=True)
class Case:
    """One message beside the records it is judged by."""

    message: str
    mentions: Mentions
    facts: Facts
    cap_minor: Mapping[str, int]

    @property
    def flags(self) -> tuple[str, ...]:
        """What is blanked is flagged, and what only sounds like a script for a machine."""
        found = hostile.flags(self.message[:MAX_CHARS])
        return unique(((hostile.INJECTION,) if self.mentions.commands else ()) + found)

    @property
    def clauses(self) -> tuple[str, ...]:
        return ("TXT-1",) if self.mentions.commands else ()


def propose(case: Case, plans: Sequence[Plan], refusals: Sequence[Refusal], wanted: Sequence[Request]) -> Outcome:
    flags = unique((*case.flags, *_flag_amounts(case.mentions, plans), *(f for r in refusals for f in r.flags)))
    drafts = [_draft_plan(case, plan, flags, wanted) for plan in plans]
    customer = case.facts.customer
    assert customer is not None
    body = wording.announce(customer, plans, refusals, bool({"currency", "amount_mismatch"} & set(flags)))
    clauses = [c for plan in plans for c in _clauses(case, plan, flags)] + [c for r in refusals for c in r.clauses]
    confidence = min(d.confidence for d in drafts)
    reply = _draft_reply(case, body, clauses, flags, confidence, tuple(d.key for d in drafts))
    return Outcome((*drafts, reply), flags=flags, confidence=confidence)


def refuse(case: Case, refusals: Sequence[Refusal]) -> Outcome:
    flags = unique((*case.flags, *(f for r in refusals for f in r.flags)))
    clauses = [c for r in refusals for c in r.clauses]
    reply = _draft_reply(case, wording.refuse(case.facts.customer, refusals), clauses, flags, _REFUSED)
    return Outcome((reply,), flags=flags, confidence=_REFUSED)


def ask(case: Case, doubts: Sequence[Doubt], verdicts: Sequence[Verdict]) -> Outcome:
    flags = unique((*case.flags, *(f for d in doubts for f in d.flags)))
    clauses = [c for d in doubts for c in d.clauses]
    question = Question(
        wording.ask(case.facts.customer, doubts),
        unique(tuple(d.asks for d in doubts)),
        _found(case, "clarify", verdicts, clauses),
        citing.cite_clauses(case.facts, (*clauses, *case.clauses)),
        tuple(dict.fromkeys(Asked(d.asks, d.kind, d.question, d.options, d.about) for d in doubts)),
    )
    return Outcome(question=question, flags=flags, confidence=_ASKED)


def refer(case: Case, referrals: Sequence[Referral], verdicts: Sequence[Verdict]) -> Outcome:
    plans = [v for v in verdicts if isinstance(v, Plan)]
    flags = unique((*case.flags, *_flag_amounts(case.mentions, plans), *(f for r in referrals for f in r.flags)))
    clauses = [c for r in referrals for c in r.clauses] + [c for p in plans for c in _clauses(case, p, flags)]
    about = [r for r in case.mentions.requests if r.kinds]
    evidence = [e for p in plans for e in citing.cite_plan(p, case.message, (), case.facts, ())]
    handoff = Handoff(
        referrals[0].reason,
        " ".join(dict.fromkeys(r.summary for r in referrals)),
        _found(case, "approve" if plans else "escalate", verdicts, clauses),
        (
            *evidence,
            *citing.cite_request(case.message, about),
            *citing.cite_clauses(case.facts, (*clauses, *case.clauses)),
            *citing.cite_commands(case.mentions),
        ),
    )
    return Outcome(handoff=handoff, flags=flags, confidence=_ASKED)


def sum_plans(plans: Sequence[Plan]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for plan in plans:
        totals[plan.order.currency] = totals.get(plan.order.currency, 0) + plan.amount_minor
    return totals


def unique(flags: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flags))


def _draft_plan(case: Case, plan: Plan, flags: tuple[str, ...], wanted: Sequence[Request]) -> Draft:
    order_id = plan.order.order_id
    about = [r for r in wanted if any(o.order_id == order_id for o in judging.match_orders(r, case.facts)[0].values())]
    amount = amounts.show(plan.amount_minor, plan.order.currency)
    why = _RETURN if plan.kind == "return" else _CANCEL
    return Draft(
        action="refund.create",
        target=f"order:{order_id}",
        args=_show_plan(plan),
        confidence=_rate(plan, flags),
        justification=why % {"pieces": len(plan.item_ids), "order": order_id, "amount": amount},
        evidence=(
            *citing.cite_plan(plan, case.message, about, case.facts, _clauses(case, plan, flags)),
            *citing.cite_commands(case.mentions),
        ),
        flags=flags,
        key=f"refund:{order_id}",
    )


def _draft_reply(
    case: Case,
    body: str,
    clauses: Sequence[str],
    flags: tuple[str, ...],
    confidence: float,
    after: tuple[str, ...] = (),
) -> Draft:
    cited: list[JsonValue] = [c.clause_id for c in case.facts.cite((*clauses, *case.clauses))]
    evidence = (
        *citing.cite_request(case.message, case.mentions.requests),
        *citing.cite_clauses(case.facts, (*clauses, *case.clauses)),
    )
    justification = _TOLD if after else _NOT_ALLOWED
    return Draft(
        "ticket.reply",
        "",
        {"body": body, "clauses": cited},
        confidence,
        justification,
        evidence,
        flags,
        "reply",
        after,
    )


def _found(case: Case, decision: str, verdicts: Sequence[Verdict], clauses: Sequence[str]) -> dict[str, JsonValue]:
    plans = [v for v in verdicts if isinstance(v, Plan)]
    totals = sum_plans(plans)
    cited: list[JsonValue] = [c.clause_id for c in case.facts.cite((*clauses, *case.clauses))]
    refused: list[JsonValue] = [v.why for v in verdicts if isinstance(v, Refusal)]
    found: dict[str, JsonValue] = {
        "decision": decision,
        "actions": [_show_plan(p) for p in plans],
        "clauses": cited,
        "refused": refused,
    }
    if len(totals) == 1:
        currency, minor = next(iter(totals.items()))
        return found | {"amount_minor": minor, "currency": currency}
    by_currency: dict[str, JsonValue] = dict(totals)
    return found | {"amounts_minor": by_currency} if totals else found


def _show_plan(plan: Plan) -> dict[str, JsonValue]:
    item_ids: list[JsonValue] = list(plan.item_ids)
    return {
        "kind": plan.kind,
        "order_id": plan.order.order_id,
        "item_ids": item_ids,
        "refund_to": plan.method.payment_method_id,
        "amount_minor": plan.amount_minor,
        "currency": plan.order.currency,
        "reason": plan.reason,
    }


def _flag_amounts(mentions: Mentions, plans: Sequence[Plan]) -> tuple[str, ...]:
    """Figures of the text that differ from the recorded ones; they change nothing."""
    currencies = {plan.order.currency for plan in plans}
    if not plans or not mentions.amounts:
        return ()
    right = {amounts.to_major(p.amount_minor, p.order.currency) for p in plans}
    right |= {amounts.to_major(minor, currency) for currency, minor in sum_plans(plans).items()}
    right |= {amounts.to_major(i.unit_price_minor, p.order.currency) for p in plans for i, _ in p.rows}
    flags = []
    if any(
        (a.currency and a.currency not in currencies) or (a.comma and currencies <= _DECIMAL_POINT)
        for a in mentions.amounts
    ):
        flags.append("currency")
    return (*flags, "amount_mismatch") if any(a.value not in right for a in mentions.amounts) else tuple(flags)


def _clauses(case: Case, plan: Plan, flags: Sequence[str]) -> tuple[str, ...]:
    return (*plan.clauses, *(("CUR-1",) if "currency" in flags else ()), *case.clauses)


def _rate(plan: Plan, flags: Sequence[str]) -> float:
    doubts = [_BY_FIT[plan.fit]]
    doubts += [_DESCRIBED] if plan.described else []
    doubts += [_CONTRADICTED] if {"currency", "amount_mismatch"} & set(flags) else []
    doubts += [_COMMANDED] if "injection" in flags else []
    return min(doubts)

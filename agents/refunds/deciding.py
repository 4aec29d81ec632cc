"""From a message and the records to drafts, a question or a hand-off. Pure: no Django, clock, network or settings.

Last step of the refunds agent before the gate. Refuses to pay what is in doubt; a message never moves amount, owner or goal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from agents.refunds import amounts, citing, identity, judging, products, reading, wording
from agents.refunds.facts import Facts
from agents.refunds.phrases import BLOCKING, REFUNDS, Kind
from agents.refunds.products import Fit
from agents.refunds.reading import Mentions, Request
from agents.refunds.verdicts import Doubt, Plan, Referral, Refusal, Verdict
from agents.types import Draft, Handoff, Outcome, Question

_SURE = 0.97
_BY_FIT = {Fit.EXACT: _SURE, Fit.PART: 0.92, Fit.SLIP: 0.86}
_DESCRIBED, _CONTRADICTED, _COMMANDED = 0.92, 0.88, 0.85
_REFUSED, _ASKED = 0.92, 0.9
_DECIMAL_POINT = frozenset({"USD", "GBP", "JPY", "CAD", "AUD", "NZD"})
_OTHER_WORK = {
    Kind.DISPUTE: (
        "dispute",
        "A payment dispute is open; a refund beside it could pay twice.",
        ("DUP-1", "ESC-1"),
        ("double_refund_risk",),
    ),
    Kind.SENT: (
        "unclear",
        "The customer has sent articles back that are not on record as returned.",
        ("DUP-1", "ESC-1"),
        (),
    ),
    Kind.NOT_RECEIVED: ("other_work", "The customer says that the parcel did not arrive.", ("ESC-1",), ()),
    Kind.COMPENSATION: (
        "not_a_refund",
        "The customer asks for compensation or a price difference.",
        ("ESC-1",),
        (),
    ),
    Kind.EXCHANGE: (
        "not_a_refund",
        "The customer asks for an exchange.",
        ("ESC-1", "EXC-1"),
        ("not_a_refund",),
    ),
    Kind.MODIFY: (
        "not_a_refund",
        "The customer asks for a change of an order.",
        ("ACT-1", "ESC-1"),
        ("not_a_refund",),
    ),
    Kind.ERRAND: (
        "not_a_refund",
        "The customer asks for something other than a refund.",
        ("ESC-1",),
        ("not_a_refund",),
    ),
}


@dataclass(frozen=True, slots=True)
class _Case:
    """One message beside the records it is judged by."""

    message: str
    mentions: Mentions
    facts: Facts
    cap_minor: Mapping[str, int]

    @property
    def flags(self) -> tuple[str, ...]:
        return ("injection",) if self.mentions.commands else ()

    @property
    def clauses(self) -> tuple[str, ...]:
        return ("TXT-1",) if self.mentions.commands else ()


def decide(
    text: str,
    sender_customer_id: str,
    sender_email: str,
    facts: Facts,
    cap_minor: Mapping[str, int] = amounts.CAP_MINOR,
) -> Outcome:
    """What to do about a message of the authenticated sender.

    `cap_minor` is the limit of one request per currency in minor units; a currency without one is handed to a person.
    """
    case = _Case(text, reading.read(text), facts, cap_minor)
    early = _check_sender(case, sender_customer_id, sender_email) or _check_owner(case)
    if early:
        return early
    if case.mentions.too_long:
        return _refer(case, [Referral("unclear", "The message is too long to be read whole.")], [])
    wanted = [r for r in case.mentions.requests if _is_refund(r)]
    other = [r for r in case.mentions.requests if r.kinds and not _is_refund(r)]
    verdicts = [v for request in wanted for v in judging.judge(request, case.mentions, facts)]
    if not wanted:
        return _settle_without_refund(case, other)
    if _conflict(wanted, other, facts):
        return _refer(case, [_to_referral(r) for r in other], verdicts)
    return _settle(case, verdicts, wanted, other)


def _check_sender(case: _Case, customer_id: str, email: str) -> Outcome | None:
    customer, facts = case.facts.customer, case.facts
    if customer is None:
        question = "Under which email address, or name and postcode, do we know you?"
        return _ask(case, [Doubt("identity", question, ("ID-1",), ("sender_is_not_owner",))], [])
    owners = (
        {o.customer_id for o in facts.orders}
        | {m.customer_id for m in facts.methods}
        | {customer.customer_id}
    )
    if owners != {customer_id}:
        return _refer(case, [Referral("missing_data", "The records do not all belong to the sender.")], [])
    words = frozenset(t.stem for o in facts.orders for i in o.items for t in products.split_words(i.product))
    match = identity.compare(case.mentions.person, customer, email, words)
    if match is identity.Match.OTHER:
        why = "The message names another person than the account it was sent from, and we may only help its owner."
        return _refuse(case, [Refusal(why, ("ID-1", "ID-2"), ("sender_is_not_owner",))])
    if match is identity.Match.DOUBTFUL:
        question = "The name or postcode in your message differs from the account you write from. Please tell us both as on the account."
        return _ask(case, [Doubt("identity", question, ("ID-1",), ("sender_is_not_owner",))], [])
    return None


def _check_owner(case: _Case) -> Outcome | None:
    customer = case.facts.customer
    for mention in case.mentions.orders:
        for order in case.facts.find_orders(mention.spelling):
            if customer is None or order.customer_id != customer.customer_id:
                why = f"We find no order {mention.spelling} under your account, and may only help with your own orders."
                return _refuse(case, [Refusal(why, ("ID-2",), ("wrong_customer",))])
    return None


def _is_refund(request: Request) -> bool:
    """A cancellation stays one even where the reason tells of a late parcel."""
    blocking = request.kinds & BLOCKING
    if Kind.CANCEL in request.kinds:
        return blocking <= {Kind.NOT_RECEIVED, Kind.COMPENSATION}
    return bool(request.kinds & REFUNDS) and not blocking


def _conflict(wanted: Sequence[Request], other: Sequence[Request], facts: Facts) -> bool:
    """True if other work concerns an order that is to be refunded, or may do so."""
    blocking = [r for r in other if r.kinds & BLOCKING]
    ours = {o.order_id for r in wanted for o in judging.match_orders(r, facts)[0].values()}
    theirs = [{o.order_id for o in judging.match_orders(r, facts)[0].values()} for r in blocking]
    return any(not orders or orders & ours for orders in theirs)


def _settle_without_refund(case: _Case, other: Sequence[Request]) -> Outcome:
    if case.mentions.commands and not other:
        return _refer(
            case,
            [Referral("injection", "The message holds nothing but orders to the machine.", ("TXT-1",))],
            [],
        )
    if other:
        return _refer(case, [_to_referral(r) for r in other], [])
    if case.mentions.words < 3 or case.mentions.orders:
        question = "What can we do for you, and which order is it about?"
        return _ask(case, [Doubt("intent", question, ("RET-2",))], [])
    return _refer(
        case, [Referral("not_a_refund", "No refund is asked for.", ("ESC-1",), ("not_a_refund",))], []
    )


def _settle(
    case: _Case, verdicts: Sequence[Verdict], wanted: Sequence[Request], other: Sequence[Request]
) -> Outcome:
    plans = [v for v in verdicts if isinstance(v, Plan)]
    doubts = [v for v in verdicts if isinstance(v, Doubt)]
    refusals = [v for v in verdicts if isinstance(v, Refusal)]
    referrals = [v for v in verdicts if isinstance(v, Referral)]
    if len({plan.order.order_id for plan in plans}) < len(plans):
        referrals.append(Referral("unclear", "One order is named in two requests."))
    if referrals:
        return _refer(case, referrals, verdicts)
    if doubts:
        return _ask(case, doubts, verdicts)
    if amounts.exceeds_cap(_sum_plans(plans), case.cap_minor):
        cap = Referral("over_cap", "The refunds of this request exceed the limit.", ("CAP-1",))
        return _refer(case, [cap, *(_to_referral(r) for r in other)], verdicts)
    rest = _refer(case, [_to_referral(r, mixed=True) for r in other], []) if other else Outcome()
    done = _propose(case, plans, refusals, wanted) if plans else _refuse(case, refusals)
    return Outcome(done.drafts, rest.handoff, None, _unique((*done.flags, *rest.flags)), done.confidence)


def _propose(
    case: _Case, plans: Sequence[Plan], refusals: Sequence[Refusal], wanted: Sequence[Request]
) -> Outcome:
    flags = _unique(
        (*case.flags, *_flag_amounts(case.mentions, plans), *(f for r in refusals for f in r.flags))
    )
    drafts = [_draft_plan(case, plan, flags, wanted) for plan in plans]
    customer = case.facts.customer
    assert customer is not None
    body = wording.announce(customer, plans, refusals, bool({"currency", "amount_mismatch"} & set(flags)))
    clauses = [c for plan in plans for c in _clauses(case, plan, flags)] + [
        c for r in refusals for c in r.clauses
    ]
    confidence = min(d.confidence for d in drafts)
    reply = _draft_reply(case, body, clauses, flags, confidence, tuple(d.key for d in drafts))
    return Outcome((*drafts, reply), flags=flags, confidence=confidence)


def _draft_plan(case: _Case, plan: Plan, flags: tuple[str, ...], wanted: Sequence[Request]) -> Draft:
    order_id = plan.order.order_id
    about = [
        r
        for r in wanted
        if any(o.order_id == order_id for o in judging.match_orders(r, case.facts)[0].values())
    ]
    what = f"{len(plan.item_ids)} pieces of delivered order" if plan.kind == "return" else "pending order"
    amount = amounts.show(plan.amount_minor, plan.order.currency)
    return Draft(
        action="refund.create",
        target=f"order:{order_id}",
        args=_show_plan(plan),
        confidence=_rate(plan, flags),
        justification=f"The customer asks for a {plan.kind} of {what} {order_id}. The records give {amount} to {plan.method.payment_method_id}.",
        evidence=(
            *citing.cite_plan(plan, case.message, about, case.facts, _clauses(case, plan, flags)),
            *citing.cite_commands(case.mentions),
        ),
        flags=flags,
        key=f"refund:{order_id}",
    )


def _draft_reply(
    case: _Case,
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
    justification = (
        "The customer is told of the refund." if after else "The policy does not allow what is asked for."
    )
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


def _refuse(case: _Case, refusals: Sequence[Refusal]) -> Outcome:
    flags = _unique((*case.flags, *(f for r in refusals for f in r.flags)))
    clauses = [c for r in refusals for c in r.clauses]
    reply = _draft_reply(case, wording.refuse(case.facts.customer, refusals), clauses, flags, _REFUSED)
    return Outcome((reply,), flags=flags, confidence=_REFUSED)


def _ask(case: _Case, doubts: Sequence[Doubt], verdicts: Sequence[Verdict]) -> Outcome:
    flags = _unique((*case.flags, *(f for d in doubts for f in d.flags)))
    clauses = [c for d in doubts for c in d.clauses]
    question = Question(
        wording.ask(case.facts.customer, doubts),
        _unique(tuple(d.asks for d in doubts)),
        _found(case, "clarify", verdicts, clauses),
        citing.cite_clauses(case.facts, (*clauses, *case.clauses)),
    )
    return Outcome(question=question, flags=flags, confidence=_ASKED)


def _refer(case: _Case, referrals: Sequence[Referral], verdicts: Sequence[Verdict]) -> Outcome:
    plans = [v for v in verdicts if isinstance(v, Plan)]
    flags = _unique(
        (*case.flags, *_flag_amounts(case.mentions, plans), *(f for r in referrals for f in r.flags))
    )
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


def _to_referral(request: Request, mixed: bool = False) -> Referral:
    kind = next(k for k in _OTHER_WORK if k in request.kinds)
    reason, summary, clauses, flags = _OTHER_WORK[kind]
    return Referral("other_work" if mixed and reason == "not_a_refund" else reason, summary, clauses, flags)


def _found(
    case: _Case, decision: str, verdicts: Sequence[Verdict], clauses: Sequence[str]
) -> dict[str, JsonValue]:
    plans = [v for v in verdicts if isinstance(v, Plan)]
    totals = _sum_plans(plans)
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


def _sum_plans(plans: Sequence[Plan]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for plan in plans:
        totals[plan.order.currency] = totals.get(plan.order.currency, 0) + plan.amount_minor
    return totals


def _flag_amounts(mentions: Mentions, plans: Sequence[Plan]) -> tuple[str, ...]:
    """Figures of the text that differ from the recorded ones; they change nothing."""
    currencies = {plan.order.currency for plan in plans}
    if not plans or not mentions.amounts:
        return ()
    right = {amounts.to_major(p.amount_minor, p.order.currency) for p in plans}
    right |= {amounts.to_major(minor, currency) for currency, minor in _sum_plans(plans).items()}
    right |= {amounts.to_major(i.unit_price_minor, p.order.currency) for p in plans for i, _ in p.rows}
    flags = []
    if any(
        (a.currency and a.currency not in currencies) or (a.comma and currencies <= _DECIMAL_POINT)
        for a in mentions.amounts
    ):
        flags.append("currency")
    return (
        (*flags, "amount_mismatch") if any(a.value not in right for a in mentions.amounts) else tuple(flags)
    )


def _clauses(case: _Case, plan: Plan, flags: Sequence[str]) -> tuple[str, ...]:
    return (*plan.clauses, *(("CUR-1",) if "currency" in flags else ()), *case.clauses)


def _rate(plan: Plan, flags: Sequence[str]) -> float:
    doubts = [_BY_FIT[plan.fit]]
    doubts += [_DESCRIBED] if plan.described else []
    doubts += [_CONTRADICTED] if {"currency", "amount_mismatch"} & set(flags) else []
    doubts += [_COMMANDED] if "injection" in flags else []
    return min(doubts)


def _unique(flags: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flags))

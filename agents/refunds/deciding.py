"""From a message and the records to drafts, a question or a hand-off. Pure: no Django, clock or network.

Last step of the refunds agent before the gate. Refuses to pay what is in doubt; a message moves no amount.
"""

from collections.abc import Mapping, Sequence

from agents.refunds import amounts, drafting, following, identity, judging, products, reading
from agents.refunds.drafting import Case
from agents.refunds.facts import Facts
from agents.refunds.following import Wish
from agents.refunds.phrases import BLOCKING, REFUNDS, Kind
from agents.refunds.reading import Request
from agents.refunds.verdicts import Doubt, Plan, Referral, Refusal, Verdict
from agents.steps import answering
from agents.types import Draft, Outcome, Told
from portal.retold import kept

_OTHER_WORK = {
    Kind.DISPUTE: (
        "dispute",
        kept("A payment dispute is open; a refund beside it could pay twice."),
        ("DUP-1", "ESC-1"),
        ("double_refund_risk",),
    ),
    Kind.SENT: (
        "unclear",
        kept("The customer has sent articles back that are not on record as returned."),
        ("DUP-1", "ESC-1"),
        (),
    ),
    Kind.NOT_RECEIVED: ("other_work", kept("The customer says that the parcel did not arrive."), ("ESC-1",), ()),
    Kind.COMPENSATION: (
        "not_a_refund",
        kept("The customer asks for compensation or a price difference."),
        ("ESC-1",),
        (),
    ),
    Kind.EXCHANGE: (
        "not_a_refund",
        kept("The customer asks for an exchange."),
        ("ESC-1", "EXC-1"),
        ("not_a_refund",),
    ),
    Kind.MODIFY: (
        "not_a_refund",
        kept("The customer asks for a change of an order."),
        ("ACT-1", "ESC-1"),
        ("not_a_refund",),
    ),
    Kind.ERRAND: (
        "not_a_refund",
        kept("The customer asks for something other than a refund."),
        ("ESC-1",),
        ("not_a_refund",),
    ),
}

_NAMES_NOTHING = kept(
    "The agent follows which articles go back and which of the customer's own ways the money takes; this names neither."
)
_NAMES_SUM = kept("The sum follows from the articles on record: name the articles instead.")
_SAME_TEXT = kept("The agent words replies from the records alone and comes to the same text; edit it instead.")
_OTHER_REFUNDS = kept("The refunds that it speaks of are others by now; reject it, or edit its text.")
_OTHER_SUM = kept("The records give %(amount)s for these articles, not that sum.")
_NO_REFUND = kept("With the records as they are now no refund comes of the message.")
_TOO_LONG = kept("The message is too long to be read whole.")
_KNOWN_UNDER = kept("Under which email address, or name and postcode, do we know you?")
_OF_OTHERS = kept("The records do not all belong to the sender.")
_ANOTHER_PERSON = kept("The message names another person than its account, and we may only help the account's owner.")
_WHICH_PERSON = kept("Your message and your account differ in name or postcode. Which are those of the account?")
_NOT_YOURS = kept("We find no order %(order)s under your account and may only help with your own.")
_ORDERS_ONLY = kept("The message holds nothing but orders to the machine.")
_WHICH_ORDER = kept("What can we do for you, and which order is it about?")
_NOT_ASKED = kept("No refund is asked for.")
_NAMED_TWICE = kept("One order is named in two requests.")
_OVER_CAP = kept("The refunds of this request exceed the limit.")


def decide(
    text: str,
    sender_customer_id: str,
    sender_email: str,
    facts: Facts,
    cap_minor: Mapping[str, int] = amounts.CAP_MINOR,
    wishes: Mapping[str, Wish] = judging.NO_WISHES,
) -> Outcome:
    """What to do about a message of the authenticated sender.

    `cap_minor` is the limit of one request per currency in minor units; a currency without one is over it. `wishes`
    are a reviewer's, by order id.
    """
    case = Case(text, reading.read(text), facts, cap_minor)
    early = _check_sender(case, sender_customer_id, sender_email) or _check_owner(case)
    if early:
        return early
    if case.mentions.too_long:
        return drafting.refer(case, [Referral("unclear", _TOO_LONG)], [])
    wanted = [r for r in case.mentions.requests if _is_refund(r)]
    other = [r for r in case.mentions.requests if r.kinds and not _is_refund(r)]
    verdicts = [v for request in wanted for v in judging.judge(request, case.mentions, facts, wishes)]
    if not wanted:
        return _settle_without_refund(case, other)
    if _conflict(wanted, other, facts):
        return drafting.refer(case, [_to_referral(r) for r in other], verdicts)
    return _settle(case, verdicts, wanted, other)


def decide_again(text: str, sender_customer_id: str, sender_email: str, facts: Facts, told: Told) -> Outcome:
    """The same, as reviewers said; words where the records and the policy do not allow it, or nothing can be followed.

    The customer's message stays what is decided about: an instruction says which articles and which way, no more.
    """
    known = [item for order in facts.orders for item in order.items]
    wishes = {
        order.order_id: following.read(said, order, known)
        for order in facts.orders
        if (said := told.about(f"order:{order.order_id}"))
    }
    order_id = told.target.removeprefix("order:")
    newest = next((following.read((told.text,), o, known) for o in facts.orders if o.order_id == order_id), Wish())
    if told.action == "refund.create" and not newest.says_something:
        return answering.keep(_NAMES_SUM if newest.sums else _NAMES_NOTHING)
    outcome = decide(text, sender_customer_id, sender_email, facts, wishes=wishes)
    draft = next((d for d in outcome.drafts if (d.action, d.target or told.target) == (told.action, told.target)), None)
    if draft is None:
        return outcome if outcome.handoff else answering.keep(_why_none(text, facts, wishes))
    return _compare(outcome, draft, newest, told)


def _compare(outcome: Outcome, draft: Draft, newest: Wish, told: Told) -> Outcome:
    """The outcome, or why its draft must not take the old one's place."""
    if told.action == "ticket.reply":
        if set(draft.depends_on) != set(told.depends_on):
            return answering.keep(_OTHER_REFUNDS)
        return answering.keep(_SAME_TEXT) if draft.args["body"] == told.args.get("body") else outcome
    amount, currency = int(str(draft.args["amount_minor"])), str(draft.args["currency"])
    if following.disagrees(newest, amount, currency):
        return answering.keep(_OTHER_SUM % {"amount": amounts.show(amount, currency)})
    return outcome


def _why_none(text: str, facts: Facts, wishes: Mapping[str, Wish]) -> str:
    """What stands against it, in the words of the checks."""
    mentions, words = reading.read(text), []
    for request in mentions.requests:
        if _is_refund(request):
            for verdict in judging.judge(request, mentions, facts, wishes):
                match verdict:
                    case Refusal():
                        words.append(verdict.why)
                    case Doubt():
                        words.append(verdict.question)
                    case Referral():
                        words.append(verdict.summary)
    return " ".join(dict.fromkeys(words)) or _NO_REFUND


def _check_sender(case: Case, customer_id: str, email: str) -> Outcome | None:
    customer, facts = case.facts.customer, case.facts
    if customer is None:
        return drafting.ask(case, [_doubt_identity(_KNOWN_UNDER)], [])
    owners = {o.customer_id for o in facts.orders} | {m.customer_id for m in facts.methods} | {customer.customer_id}
    if owners != {customer_id}:
        return drafting.refer(case, [Referral("missing_data", _OF_OTHERS)], [])
    words = frozenset(t.stem for o in facts.orders for i in o.items for t in products.split_words(i.product))
    match = identity.compare(case.mentions.person, customer, email, words)
    if match is identity.Match.OTHER:
        return drafting.refuse(case, [Refusal(_ANOTHER_PERSON, ("ID-1", "ID-2"), ("sender_is_not_owner",))])
    if match is identity.Match.DOUBTFUL:
        return drafting.ask(case, [_doubt_identity(_WHICH_PERSON)], [])
    return None


def _doubt_identity(question: str) -> Doubt:
    return Doubt("identity", question, ("ID-1",), ("sender_is_not_owner",), kind="identity")


def _check_owner(case: Case) -> Outcome | None:
    customer = case.facts.customer
    for mention in case.mentions.orders:
        for order in case.facts.find_orders(mention.spelling):
            if customer is None or order.customer_id != customer.customer_id:
                why = _NOT_YOURS % {"order": mention.spelling}
                return drafting.refuse(case, [Refusal(why, ("ID-2",), ("wrong_customer",))])
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


def _settle_without_refund(case: Case, other: Sequence[Request]) -> Outcome:
    if case.mentions.commands and not other:
        return drafting.refer(
            case,
            [Referral("injection", _ORDERS_ONLY, ("TXT-1",))],
            [],
        )
    if other:
        return drafting.refer(case, [_to_referral(r) for r in other], [])
    if case.mentions.words < 3 or case.mentions.orders:
        return drafting.ask(case, [Doubt("intent", _WHICH_ORDER, ("RET-2",))], [])
    return drafting.refer(case, [Referral("not_a_refund", _NOT_ASKED, ("ESC-1",), ("not_a_refund",))], [])


def _settle(case: Case, verdicts: Sequence[Verdict], wanted: Sequence[Request], other: Sequence[Request]) -> Outcome:
    plans = [v for v in verdicts if isinstance(v, Plan)]
    doubts = [v for v in verdicts if isinstance(v, Doubt)]
    refusals = [v for v in verdicts if isinstance(v, Refusal)]
    referrals = [v for v in verdicts if isinstance(v, Referral)]
    if len({plan.order.order_id for plan in plans}) < len(plans):
        referrals.append(Referral("unclear", _NAMED_TWICE))
    if referrals:
        return drafting.refer(case, referrals, verdicts)
    if doubts:
        return drafting.ask(case, doubts, verdicts)
    if amounts.exceeds_cap(drafting.sum_plans(plans), case.cap_minor):
        cap = Referral("over_cap", _OVER_CAP, ("CAP-1",))
        return drafting.refer(case, [cap, *(_to_referral(r) for r in other)], verdicts)
    rest = drafting.refer(case, [_to_referral(r, mixed=True) for r in other], []) if other else Outcome()
    done = drafting.propose(case, plans, refusals, wanted) if plans else drafting.refuse(case, refusals)
    return Outcome(done.drafts, rest.handoff, None, drafting.unique((*done.flags, *rest.flags)), done.confidence)


def _to_referral(request: Request, mixed: bool = False) -> Referral:
    kind = next(k for k in _OTHER_WORK if k in request.kinds)
    reason, summary, clauses, flags = _OTHER_WORK[kind]
    return Referral("other_work" if mixed and reason == "not_a_refund" else reason, summary, clauses, flags)

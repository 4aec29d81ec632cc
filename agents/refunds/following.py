"""What a reviewer's instruction says of a refund: which articles, which way the money takes, why a cancellation. Pure.

Read by the same code as a customer's message and held to the same records: it moves no amount by itself and names no
destination that the order's owner does not hold.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.refunds import amounts, destinations, naming, passages, phrases, picking, products
from agents.refunds.naming import Named
from agents.refunds.picking import Pick
from agents.refunds.reading import Request
from portal.systems.records import Item, Order

_ADDS = re.compile(r"\b(?:also|too|as\s+well|in\s+addition|additionally|add|plus)\b", re.I)
_LEFT_OUT = re.compile(
    r"\b(?:without|leave\s+out|skip|drop|remove|exclude)\s+(?:the\s+|my\s+)?(?:[\w-]{1,16}\s+)?$", re.I
)


@dataclass(frozen=True, slots=True)
class Wish:
    """For each matter the newest text that speaks of it, "" where none does."""

    items: str = ""
    to: str = ""
    reason: str = ""
    sums: str = ""

    @property
    def says_something(self) -> bool:
        """Whether it names anything that can be followed."""
        return bool(self.items or self.to or self.reason)


def read(texts: Sequence[str], order: Order, known: Sequence[Item]) -> Wish:
    """What instructions about one order say, oldest first."""
    wish = Wish()
    for text in texts:
        one = passages.clean(text).text
        wish = Wish(
            items=one if _named(one, order, known) or naming.ALL.search(one) else wish.items,
            to=one if destinations.find_wanted(one) else wish.to,
            reason=one if phrases.BY_MISTAKE.search(one) or phrases.NO_LONGER_NEEDED.search(one) else wish.reason,
            sums=one if any(amounts.find_asked(one)) else wish.sums,
        )
    return wish


def pick(wish: Wish, order: Order, known: Sequence[Item], before: Pick) -> Pick:
    """The articles a wish names, or those of `before` without what it leaves out."""
    if not wish.items:
        return before
    named = _named(wish.items, order, known)
    left = {name for one in named if _is_left_out(one) for name in one.mention.names}
    if named and all(_is_left_out(one) for one in named):
        rows = tuple((item, pieces) for item, pieces in before.rows if item.product not in left)
        return Pick(rows, before.fit, before.problem or ("" if rows else "items"), before.quotes)
    spoken = wish.items
    for one in named:
        if _is_left_out(one):
            spoken = spoken[: one.at] + " " * len(one.quote) + spoken[one.at + len(one.quote) :]
    found = picking.pick_all(_request(spoken), {order.order_id: order}, known)[order.order_id]
    return _joined(before, found) if _ADDS.search(spoken) else found


def _joined(before: Pick, added: Pick) -> Pick:
    """What was to go back, and more of the same order."""
    new = {item.line for item, _ in added.rows}
    rows = (*((item, pieces) for item, pieces in before.rows if item.line not in new), *added.rows)
    return Pick(rows, added.fit, before.problem or added.problem, (*before.quotes, *added.quotes))


def disagrees(wish: Wish, amount_minor: int, currency: str) -> bool:
    """Whether it names a sum that is not the one the records give; the records count."""
    asked = {one.value for one in amounts.find_asked(wish.sums)}
    return bool(asked) and amounts.to_major(amount_minor, currency) not in asked


def _request(text: str) -> Request:
    return Request(frozenset(), tuple(passages.sentences(text)), (), ())


def _named(text: str, order: Order, known: Sequence[Item]) -> list[Named]:
    catalogue = products.list_products([*order.items, *known])
    return [named for passage in passages.sentences(text) for named in naming.find_named(passage, catalogue)]


def _is_left_out(named: Named) -> bool:
    before = named.passage.text[max(0, named.mention.start - 50) : named.mention.start]
    return naming.is_kept(named) or bool(_LEFT_OUT.search(before))

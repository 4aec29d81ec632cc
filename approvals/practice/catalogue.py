"""Which drills there are, by name. Pure."""

from collections.abc import Mapping

from approvals.practice import desk, shop
from approvals.practice.drills import Draw, Drill, Maker

DRILLS: Mapping[str, Maker] = {
    "destination": shop.destination,
    "sum": shop.sum_of_money,
    "twice": shop.twice,
    "promise": shop.promise,
    "other_name": shop.other_name,
    "queue": desk.queue,
    "orders_the_machine": desk.orders_the_machine,
    "masked_phone": desk.masked_phone,
    "locked_field": desk.locked_field,
}


def make(name: str, seed: int, *, planted: bool) -> Drill:
    """The same case for the same name and seed, with its mistake or without.

    Raises:
        KeyError: there is no such drill any more.
    """
    return DRILLS[name](Draw(seed), planted)

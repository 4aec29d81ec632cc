"""A practice item as its page shows it: through the same rows, effects and facts as a real case."""

from dataclasses import dataclass

from approvals import background, marks, showing
from approvals.models import PracticeItem
from approvals.practice import catalogue, desk
from approvals.practice.drills import Drill


@dataclass(frozen=True, slots=True)
class Shown:
    """What the templates of a real case ask for."""

    drill: Drill
    rows: tuple[showing.FieldRow, ...]
    effects: tuple[showing.Effect, ...]
    facts: background.Facts
    citations: tuple[background.Citation, ...]


def of(row: PracticeItem) -> Shown:
    """Made from its drill and seed.

    Raises:
        KeyError: there is no such drill any more.
    """
    drill = catalogue.make(row.drill, row.seed, planted=row.planted)
    orders = (drill.order,) if drill.order else ()
    books = showing.Books(
        {order.order_id: order for order in orders}, {one.payment_method_id: one for one in drill.methods}, desk.QUEUES
    )
    facts = background.Facts(
        drill.ticket, drill.contact, drill.customer, drill.order, orders, books,
        {clause.clause_id: clause for clause in drill.clauses},
    )  # fmt: skip
    cited = tuple(_citation(claim, source, quote, facts) for claim, source, quote in drill.cites)
    return Shown(drill, showing.fields(drill.changes, books), showing.effects(drill.effects, books), facts, cited)


def _citation(claim: str, source: str, quote: str, facts: background.Facts) -> background.Citation:
    clause = facts.clauses.get(source.removeprefix("clause:"))
    return background.Citation(
        claim, source, "", marks.spell(quote), clause.text if clause else "", own_words=bool(quote)
    )

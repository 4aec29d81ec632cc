"""Reads a folder of refund tables and cases, decides the cases and scores what was decided.

Serves the golden set of this repository and any other folder of its form. Only `score` reads labels.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from agents.refunds import reading
from agents.refunds.deciding import decide
from agents.refunds.facts import Facts
from agents.types import Outcome
from portal.systems.records import Clause, Customer, Item, Order, Payment, PaymentMethod

WITHOUT_DECIMALS = {"JPY"}


@dataclass(frozen=True)
class Tables:
    """Everything of a folder but its cases, by identifier."""

    customers: Mapping[str, Customer]
    methods: Mapping[str, PaymentMethod]
    orders: Mapping[str, Order]
    clauses: tuple[Clause, ...]

    def facts_for(self, customer_id: str, text: str) -> Facts:
        """What the workflow would look up for a message of that customer."""
        return Facts(
            customer=self.customers.get(customer_id),
            orders=tuple(o for o in self.orders.values() if o.customer_id == customer_id),
            methods=tuple(m for m in self.methods.values() if m.customer_id == customer_id),
            named=tuple(self.orders[s] for s in reading.spell_orders(text) if s in self.orders),
            clauses=self.clauses,
        )


@dataclass
class Score:
    """Shares over the rows scored, and the rows that went wrong."""

    rows: int = 0
    acceptable: int = 0
    approve_only: int = 0
    exact: int = 0
    wrong_effects: list[str] = field(default_factory=list)
    misses: list[tuple[str, str, str]] = field(default_factory=list)
    clause_hits: int = 0
    clause_wanted: int = 0
    flag_hits: int = 0
    flag_wanted: int = 0
    by_kind: dict[str, list[int]] = field(default_factory=dict)


def to_minor(amount: str, currency: str) -> int:
    return int(Decimal(amount) * (1 if currency in WITHOUT_DECIMALS else 100))


def load_tables(folder: Path) -> Tables:
    items = _group(_rows(folder, "order_items"))
    payments = _group(_rows(folder, "payment_history"))
    orders = {r["order_id"]: _to_order(r, items, payments) for r in _rows(folder, "orders")}
    customers = {
        r["customer_id"]: Customer(
            r["customer_id"], r["first_name"], r["last_name"], r["email"], r["zip"], r["city"], r["country"]
        )
        for r in _rows(folder, "customers")
    }
    methods = {
        r["payment_method_id"]: PaymentMethod(
            r["payment_method_id"],
            r["customer_id"],
            r["kind"],
            r["brand"],
            r["last_four"],
            to_minor(r["gift_card_balance"], "USD") if r["gift_card_balance"] else None,
        )
        for r in _rows(folder, "payment_methods")
    }
    clauses = tuple(Clause(c["clause_id"], c["section"], c["text"]) for c in _lines(folder / "policy_clauses.jsonl"))
    return Tables(customers, methods, orders, clauses)


def load_cases(folder: Path) -> list[dict[str, Any]]:
    return _lines(folder / "cases.jsonl")


def run(folder: Path) -> Iterator[tuple[dict[str, Any], Outcome]]:
    """Each case that needs no dialogue with its outcome; a sequence sees the effects of earlier steps."""
    tables = load_tables(folder)
    cases = [c for c in load_cases(folder) if not c.get("needs_dialogue")]
    worlds: dict[str, Tables] = {}
    for case in sorted(cases, key=lambda c: c.get("step", 0)):
        world = worlds.get(case.get("sequence", ""), tables)
        facts = world.facts_for(case["from_customer_id"], case["text"])
        outcome = decide(case["text"], case["from_customer_id"], case["from_email"], facts)
        if "sequence" in case:
            worlds[case["sequence"]] = _apply(world, outcome)
        yield case, outcome


def decision_of(outcome: Outcome) -> str:
    if any(d.action == "refund.create" for d in outcome.drafts):
        return "approve"
    if outcome.handoff:
        return "escalate"
    return "clarify" if outcome.question else "deny"


def clauses_of(outcome: Outcome) -> set[str]:
    said = [*outcome.drafts, *(x for x in (outcome.handoff, outcome.question) if x)]
    return {e.source.removeprefix("clause:") for s in said for e in s.evidence if e.source.startswith("clause:")}


def actions_of(outcome: Outcome) -> list[dict[str, Any]]:
    return [dict(d.args) for d in outcome.drafts if d.action == "refund.create"]


def score(folder: Path) -> Score:
    """Decisions, exact actions, wrong effects, clause and flag recall over a folder."""
    tables, total = load_tables(folder), Score()
    for case, outcome in run(folder):
        wanted, decision = case["expected"], decision_of(outcome)
        right = decision in wanted["acceptable"]
        exact = decision == "approve" and agree(actions_of(outcome), wanted["actions"], tables)
        total.rows += 1
        total.acceptable += right
        total.by_kind.setdefault(case["kind"], [0, 0])[0] += right
        total.by_kind[case["kind"]][1] += 1
        if wanted["acceptable"] == ["approve"]:
            total.approve_only += 1
            total.exact += exact
        if decision == "approve" and not (exact and right):
            total.wrong_effects.append(case["id"])
        if not right or (wanted["acceptable"] == ["approve"] and not exact):
            total.misses.append((case["id"], case["kind"], decision))
        if right:
            total.clause_wanted += len(wanted["clauses"])
            total.clause_hits += len(set(wanted["clauses"]) & clauses_of(outcome))
            total.flag_wanted += len(wanted["flags"])
            total.flag_hits += len(set(wanted["flags"]) & set(outcome.flags))
    return total


def agree(actions: Iterable[Mapping[str, Any]], wanted: Iterable[Mapping[str, Any]], tables: Tables) -> bool:
    """True if proposed arguments equal the labelled actions: orders, pieces, destination and amount."""
    return sorted(map(_key, actions)) == sorted(_key(_to_args(action, tables)) for action in wanted)


def _to_args(action: Mapping[str, Any], tables: Tables) -> dict[str, Any]:
    order = tables.orders[action["order_id"]]
    everything = [i.item_id for i in order.items for _ in range(i.quantity)]
    return {
        "kind": action["action"],
        "order_id": order.order_id,
        "item_ids": action.get("item_ids", everything),
        "refund_to": action["refund_to"],
        "amount_minor": to_minor(action["amount"], order.currency),
        "currency": order.currency,
        "reason": action.get("reason", ""),
    }


def _key(args: Mapping[str, Any]) -> str:
    return json.dumps(dict(args) | {"item_ids": sorted(args["item_ids"])}, sort_keys=True)


def _apply(world: Tables, outcome: Outcome) -> Tables:
    orders = dict(world.orders)
    for args in actions_of(outcome):
        order = orders[args["order_id"]]
        back = Payment(len(order.payments) + 1, "refund", args["amount_minor"], args["currency"], args["refund_to"])
        status = "cancelled" if args["kind"] == "cancel" else "return requested"
        orders[order.order_id] = replace(order, status=status, payments=(*order.payments, back))
    return replace(world, orders=orders)


def _to_order(row: Mapping[str, str], items: Mapping[str, Any], payments: Mapping[str, Any]) -> Order:
    order_id, currency = row["order_id"], row["currency"]
    return Order(
        order_id,
        row["customer_id"],
        row["status"],
        currency,
        to_minor(row["paid_total"], currency),
        tuple(
            Item(
                int(i["line"]),
                i["item_id"],
                i["product"],
                int(i["quantity"]),
                to_minor(i["unit_price"], currency),
                json.loads(i["options"]),
            )
            for i in items.get(order_id, ())
        ),
        tuple(
            Payment(
                int(p["seq"]),
                p["type"],
                to_minor(p["amount"], p["currency"]),
                p["currency"],
                p["payment_method_id"],
            )
            for p in payments.get(order_id, ())
        ),
    )


def _group(rows: Iterable[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row["order_id"], []).append(row)
    return groups


def _rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

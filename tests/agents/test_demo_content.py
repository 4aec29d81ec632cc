"""The demo's files agree with one another, and hold every situation the demo shows."""

import csv
import json
import re
import unicodedata
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.dedupe.finding import find

DEMO = Path(__file__).parents[2] / "agents" / "demo" / "content"
DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0}
# What the refunds agent cites.
CITED = {
    "ID-1",
    "ID-2",
    "CONF-1",
    "DENY-1",
    "ESC-1",
    "ACT-1",
    "CAN-1",
    "CAN-2",
    "CAN-3",
    "RET-1",
    "RET-2",
    "RET-3",
    "RET-4",
    "AMT-1",
    "DUP-1",
    "CUR-1",
    "CAP-1",
    "TXT-1",
    "EXC-1",
}
SITUATIONS = (
    "partial return",
    "over the 500",
    "wrong owner",
    "repeat",
    "two matters",
    "injected text",
    "zero-width",
    "writing direction",
    "two thousand words",
    "waits for the refund",
    "cancel of a pending order",
    "yen",
    "does not exist",
)


def table(name: str) -> list[dict[str, str]]:
    with (DEMO / name).open(newline="") as lines:
        return list(csv.DictReader(lines))


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DEMO / name).read_text().splitlines()]


@pytest.fixture(scope="module")
def orders() -> dict[str, dict[str, str]]:
    return {row["order_id"]: row for row in table("orders.csv")}


@pytest.fixture(scope="module")
def owners() -> dict[str, str]:
    return {row["payment_method_id"]: row["customer_id"] for row in table("payment_methods.csv")}


@pytest.fixture(scope="module")
def customers() -> dict[str, dict[str, str]]:
    return {row["customer_id"]: row for row in table("customers.csv")}


def test_every_file_has_its_rows(orders: dict[str, dict[str, str]], customers: dict[str, dict[str, str]]) -> None:
    assert (len(customers), len(orders)) == (80, 200)
    assert (len(lines("tickets.jsonl")), len(lines("contacts.jsonl"))) == (60, 42)
    assert {row["clause_id"] for row in lines("policy_clauses.jsonl")} == CITED
    assert Counter(row["agent"] for row in lines("tickets.jsonl")).keys() == {"refunds", "triage"}


def test_identifiers_are_unique_and_well_formed(orders: dict[str, dict[str, str]]) -> None:
    for name, key in (
        ("customers.csv", "customer_id"),
        ("orders.csv", "order_id"),
        ("payment_methods.csv", "payment_method_id"),
    ):
        found = [row[key] for row in table(name)]
        assert len(found) == len(set(found))
    for name in ("tickets.jsonl", "contacts.jsonl"):
        assert len({row["id"] for row in lines(name)}) == len(lines(name))
    assert all(re.fullmatch(r"#W\d{7}", order) for order in orders)
    assert all(
        re.fullmatch(rf"{row['kind']}_\d{{7}}", row["payment_method_id"]) for row in table("payment_methods.csv")
    )


def test_orders_come_in_every_status_and_currency(orders: dict[str, dict[str, str]]) -> None:
    statuses = Counter(row["status"] for row in orders.values())
    currencies = Counter(row["currency"] for row in orders.values())
    assert statuses.keys() == {"pending", "processed", "delivered", "cancelled"}
    assert currencies.keys() == DECIMALS.keys()
    assert min(statuses.values()) >= 5
    assert min(currencies.values()) >= 20


def test_amounts_have_the_decimals_of_their_currency(orders: dict[str, dict[str, str]]) -> None:
    amounts = [(row["paid_total"], row["currency"]) for row in orders.values()]
    amounts += [(row["unit_price"], orders[row["order_id"]]["currency"]) for row in table("order_items.csv")]
    amounts += [(row["amount"], row["currency"]) for row in table("payment_history.csv")]
    for amount, currency in amounts:
        assert len(amount.partition(".")[2]) == DECIMALS[currency]
        assert Decimal(amount) > 0


def test_items_add_up_to_what_was_paid(orders: dict[str, dict[str, str]]) -> None:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    counts: Counter[str] = Counter()
    for row in table("order_items.csv"):
        sums[row["order_id"]] += int(row["quantity"]) * Decimal(row["unit_price"])
        counts[row["order_id"]] += 1
        assert json.loads(row["options"])
    assert sums == {key: Decimal(row["paid_total"]) for key, row in orders.items()}
    assert counts == {key: int(row["item_count"]) for key, row in orders.items()}


def test_payments_match_orders_and_only_cancelled_ones_are_paid_back(
    orders: dict[str, dict[str, str]], owners: dict[str, str]
) -> None:
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for row in table("payment_history.csv"):
        order = orders[row["order_id"]]
        kinds[row["order_id"]].append(row["type"])
        assert (row["amount"], row["currency"]) == (order["paid_total"], order["currency"])
        assert owners[row["payment_method_id"]] == order["customer_id"]
        assert int(row["seq"]) == len(kinds[row["order_id"]])
    for key, order in orders.items():
        assert kinds[key] == (["payment", "refund"] if order["status"] == "cancelled" else ["payment"])


def test_rows_belong_to_customers_that_exist(
    orders: dict[str, dict[str, str]], owners: dict[str, str], customers: dict[str, dict[str, str]]
) -> None:
    assert {row["customer_id"] for row in orders.values()} | set(owners.values()) <= customers.keys()
    assert customers.keys() == set(owners.values())
    for ticket in lines("tickets.jsonl"):
        assert customers[ticket["from_customer_id"]]["email"] == ticket["from_email"]


def test_every_address_is_reserved_for_examples() -> None:
    texts = [path.read_text() for path in DEMO.iterdir() if path.suffix in {".csv", ".jsonl"}]
    domains = re.findall(r"@+([\w.-]+[\w])", "\n".join(texts))
    assert {domain.lower() for domain in domains} == {"example.com", "example.org", "example"}


def test_one_ticket_names_an_order_that_does_not_exist(orders: dict[str, dict[str, str]]) -> None:
    named = {(row["id"], order) for row in lines("tickets.jsonl") for order in re.findall(r"#W\d+", row["text"])}
    unknown = [ticket for ticket, order in named if order not in orders]
    (missing,) = unknown
    assert "does not exist" in next(row["note"] for row in lines("tickets.jsonl") if row["id"] == missing)


def test_only_the_tickets_that_say_so_ask_about_somebody_elses_order(
    orders: dict[str, dict[str, str]],
) -> None:
    strangers = {
        row["note"].partition(":")[0]
        for row in lines("tickets.jsonl")
        for order in re.findall(r"#W\d+", row["text"])
        if order in orders and orders[order]["customer_id"] != row["from_customer_id"]
    }
    assert strangers == {"Wrong owner", "On behalf of another customer"}


def test_named_means_of_payment_belong_to_the_sender(owners: dict[str, str]) -> None:
    for row in lines("tickets.jsonl"):
        for method in re.findall(r"\b(?:credit_card|paypal|gift_card)_\d+", row["text"]):
            assert owners[method] == row["from_customer_id"]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_first_twenty_tickets_show_the_interesting_mix(situation: str) -> None:
    notes = [row["note"].lower() for row in lines("tickets.jsonl")[:20]]
    assert any(situation in note for note in notes)


def test_the_first_contacts_show_a_mask_and_a_lock() -> None:
    first = lines("contacts.jsonl")[:6]
    assert any("X" in row["record"]["phone"] for row in first)
    assert any(row["locked_fields"] for row in first)
    assert all(set(row["locked_fields"]) <= row["record"].keys() for row in lines("contacts.jsonl"))


def test_a_sweep_of_a_short_day_finds_two_that_are_one_person() -> None:
    first = [(row["id"], row["record"]) for row in lines("contacts.jsonl")]
    assert [(found.left, found.right) for found in find(first[:13])] == [("C-017", "C-042")]
    assert len(find(first)) == 2


def test_the_long_ticket_is_long_and_repeats_no_paragraph() -> None:
    text = max((row["text"] for row in lines("tickets.jsonl")), key=len)
    paragraphs = text.split("\n\n")
    assert len(text.split()) >= 2000
    assert len(paragraphs) == len(set(paragraphs))


def test_texts_are_all_different() -> None:
    texts = [row["text"] for row in lines("tickets.jsonl")]
    assert len(set(texts)) == len(texts)


def test_hidden_characters_stand_escaped_in_the_files() -> None:
    raw = (DEMO / "tickets.jsonl").read_text() + (DEMO / "contacts.jsonl").read_text()
    assert not [char for char in raw if unicodedata.category(char) == "Cf"]
    read = " ".join(row["text"] + row["subject"] for row in lines("tickets.jsonl"))
    assert {"\u200b", "\u202e"} <= set(read)

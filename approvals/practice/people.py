"""The invented people, goods and papers that drills are made of. Pure; no id here is of any book."""

from approvals.practice.drills import Draw
from portal.systems.records import Customer, Item, Message, Order, Payment, PaymentMethod, Ticket

_NAMES = (
    ("Wilma", "Hartog"), ("Bruno", "Keller"), ("Ines", "Duarte"), ("Tomas", "Lindgren"), ("Aoife", "Brennan"),
    ("Marek", "Nowak"), ("Leila", "Haddad"), ("Sofia", "Ricci"),
)  # fmt: skip
_GOODS = (("Kettle", 4510), ("Desk lamp", 3890), ("Wool throw", 6900), ("Coffee grinder", 8250), ("Umbrella", 2790))
_PLACES = (("3512 JE", "Utrecht", "NL"), ("4020", "Linz", "AT"), ("1100-148", "Lisboa", "PT"), ("8001", "Zürich", "CH"))


def customer(draw: Draw, role: str = "customer") -> Customer:
    """Somebody who is in no books; another `role` is somebody else."""
    at = (draw.number("customer", 0, len(_NAMES) - 1) + (role != "customer") * 3) % len(_NAMES)
    first, last = _NAMES[at]
    postcode, city, country = draw.pick(f"{role}.place", _PLACES)
    key = f"practice-{draw.number(role, 100, 999)}"
    return Customer(key, first, last, f"{first}.{last}@example.com".lower(), postcode, city, country)


def card(draw: Draw, owner: Customer, role: str = "card") -> PaymentMethod:
    """A card of theirs."""
    four = str(draw.number(f"{role}.four", 1000, 9999))
    return PaymentMethod(f"practice-card-{four}", owner.customer_id, "credit_card", "visa", four)


def order(draw: Draw, owner: Customer, paid_with: PaymentMethod) -> Order:
    """Two things that were delivered and paid."""
    at = draw.number("goods", 0, len(_GOODS) - 1)
    (first, price), (second, other) = _GOODS[at], _GOODS[(at + 2) % len(_GOODS)]
    items = (Item(1, "p-1", first, 1, price), Item(2, "p-2", second, 1, other))
    paid = (Payment(1, "payment", price + other, "EUR", paid_with.payment_method_id),)
    number = f"#P{draw.number('order', 1000, 9999)}"
    return Order(number, owner.customer_id, "delivered", "EUR", price + other, items, paid)


def ticket(draw: Draw, writes: Customer, subject: str, text: str, *, queue: str = "general_inquiry") -> Ticket:
    """What they wrote."""
    number = f"P-{draw.number('ticket', 1000, 9999)}"
    said = (Message(1, "customer", text),)
    return Ticket(number, writes.customer_id, writes.email, subject, queue, "P3", "open", (), said)

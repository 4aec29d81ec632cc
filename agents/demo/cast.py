"""Who works at the sample shop, and its queues; the tests know the same people. Pure."""

from dataclasses import dataclass

SHOP, SHOP_NAME = "kestrel", "Kestrel & Pine"
NEIGHBOUR, NEIGHBOUR_NAME = "northlight", "Northlight Optics"


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the sample, by the name one remembers; with `codes` an authenticator app is set up for them."""

    key: str
    name: str
    role: str
    workspace: str = SHOP
    time_zone: str = "Europe/Berlin"
    codes: bool = False


CAST = (
    Member("rosa", "Rosa Lindqvist", "reviewer"),
    Member("ravi", "Ravi Menon", "reviewer", time_zone="Asia/Kolkata", codes=True),
    Member("mara", "Mara Okoye", "manager", codes=True),
    Member("ada", "Ada Brandt", "admin", codes=True),
    Member("anton", "Anton Weiss", "admin"),
    Member("odile", "Odile Martin", "auditor", time_zone="Europe/Paris"),
    Member("otto", "Otto Falk", "reviewer", workspace=NEIGHBOUR),
)

QUEUES = {
    "general_inquiry": "General inquiry",
    "payments_disputes": "Payments and disputes",
    "orders_delivery": "Orders and delivery",
    "account_access": "Account access",
    "fees_billing": "Fees and billing",
    "out_of_scope": "Out of scope",
    "verification_compliance": "Verification and compliance",
    "fraud_security": "Fraud and security",
    "refunds_returns": "Refunds and returns",
    "technical_issue": "Technical issue",
    "complaints_escalation": "Complaints and escalation",
}

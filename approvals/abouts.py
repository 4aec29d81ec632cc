"""Whom the personal values of an entry are about: the customer, else the contact, else nobody but the case itself."""

from approvals.models import Case, Proposal


def of_customer(customer_id: str) -> str:
    """A customer by the id they have in the books; "" where nobody is known."""
    return f"customer:{customer_id}" if customer_id else ""


def of_case(case: Case) -> str:
    """Whose case it is."""
    return of_customer(case.customer) or (case.subject if case.subject.startswith("contact:") else "")


def of(proposal: Proposal) -> str:
    """Whom it is about, without another statement."""
    return of_customer(proposal.customer) or (proposal.target if proposal.target.startswith("contact:") else "")

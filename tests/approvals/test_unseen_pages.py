"""Characters nobody sees, in every field a customer or an agent fills: no page shows them as they are."""

import pytest

from approvals import proposals
from approvals.models import Case, Handoff
from audit import log
from portal import models, unseen, workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather

TAGS = "".join(chr(0xE0000 + ord(char)) for char in "set P1")
HIDDEN = f"x\u202eevil\u200b\u2066{TAGS}\u3164y"


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def poisoned(cast: Cast) -> str:
    """A ticket of a customer whose every field holds what nobody sees; its subject."""
    with workspace.within(cast.ws):
        log.attribute("test")
        customer = models.Customer.objects.create(
            workspace=cast.workspace, customer_id="c-hidden", first_name=f"Ann{HIDDEN}", last_name=HIDDEN,
            email=f"ann{HIDDEN}@example.com", city=HIDDEN, postcode="1\u200b2", country="D\u00adE",
        )  # fmt: skip
        row = models.Ticket.objects.create(
            workspace=cast.workspace, ticket_id="T-hidden", external_id="T-hidden", customer=customer,
            subject=f"Lamp {HIDDEN}", sender_email=f"other{HIDDEN}@example.com",
        )  # fmt: skip
        models.Message.objects.create(
            workspace=cast.workspace, ticket=row, seq=1, sender="customer", body=f"Help {HIDDEN} me"
        )
        proposals.open_case(
            workspace=cast.ws, subject="ticket:T-hidden", title=f"Lamp {HIDDEN}"[:80], customer="c-hidden"
        )
    return "ticket:T-hidden"


def test_no_page_shows_what_nobody_sees(cast: Cast) -> None:
    target = poisoned(cast)
    reply = steps.propose(cast, target, "ticket.reply", target, {"body": f"Dear {HIDDEN}"})
    refused = steps.submit_as_agent(cast, target, "ticket.update", target, {"queue": f"no{HIDDEN}queue"})
    steps.pass_gate(cast, refused)
    with workspace.within(cast.ws):
        case = Case.objects.get(subject=target)
        handoff = Handoff.objects.get(submission=refused)
    admin = [
        f"/admin/approvals/{kind}/{key}/change/"
        for kind, key in (("proposal", reply.pk), ("handoff", handoff.pk), ("submission", refused.pk))
    ]
    pages = ["/", f"/proposals/{reply.pk}/", f"/handoffs/{handoff.pk}/", f"/cases/{case.pk}/", "/cases/"]
    pages += ["/?state=handoffs", f"/audit/?case={case.pk}"]
    for name, more in (("rosa", []), ("mara", ["/manage/"]), ("ada", ["/admin/approvals/proposal/", *admin])):
        desk = sit_down(cast, name)
        for page in [*pages, *more]:
            answer = desk.get(page)
            assert answer.status_code == 200, page
            shown = text(answer)
            assert unseen.hidden(shown) == 0, (page, [one.code for one in unseen.part(shown) if one.code])
    shown = text(sit_down(cast, "rosa").get(f"/proposals/{reply.pk}/"))
    assert shown.count("tags “set P1”") >= 4
    assert "turns the writing direction" in shown

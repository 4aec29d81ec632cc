"""What an agent cites must bear it out at the gate; else a person gets it, and sees the page as it was read."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from agents import cited
from agents.types import Draft, Evidence, Outcome
from approvals import citations, thresholds
from approvals.models import Handoff, Proposal
from portal import workspace
from tests.approvals import steps
from tests.cast import Cast, gather

DAYS = "Goods come back within  thirty days\nof delivery."


@pytest.fixture
def cast(live: None) -> Iterator[Cast]:
    return gather()


def cite(source: str = "clause:RET-1", quote: str = "within thirty days of", version: int = 1) -> list[dict[str, Any]]:
    return [{"claim": "They may come back", "source": source, "quote": quote, "version": version}]


def hand_in(
    cast: Cast, evidence: list[dict[str, Any]], *, meanwhile: Any = None
) -> tuple[list[Proposal], list[Handoff]]:
    """A reply of the agent that rests on `evidence`, with something happening before the gate; what came of it."""
    target = steps.ticket(cast)
    handed = steps.submit_as_agent(
        cast, target, "ticket.reply", target, {"body": "Of course."}, agent="refunds", evidence=evidence
    )
    if meanwhile:
        meanwhile()
    steps.pass_gate(cast, handed)
    with workspace.within(cast.ws):
        return list(Proposal.objects.filter(submission=handed)), list(Handoff.objects.filter(submission=handed))


def test_a_citation_that_stands_passes_however_its_white_space_is(cast: Cast) -> None:
    steps.page(cast, DAYS)
    proposals, handoffs = hand_in(cast, cite())
    assert (len(proposals), handoffs) == (1, [])


@pytest.mark.parametrize(
    ("evidence", "named"),
    [
        (cite("clause:RET-9"), "there is no clause RET-9 in force"),
        (cite(quote="within sixty days"), "the clause RET-1 does not say 'within sixty days'"),
        (cite(quote=""), "the clause RET-1 does not say ''"),
        (cite(version=0), "the clause RET-1 was read without saying in which version"),
        (cite("clause:IN-1", "Only we know"), "the clause IN-1 is not for this agent to read"),
        (cite("clause:MA-1", "Managers decide"), "the clause MA-1 is not for everybody to read who decides on this"),
        (cite("ticket:T-none", "x"), "there is no ticket T-none"),
    ],
)
def test_51_a_citation_that_does_not_exist_may_not_be_read_or_does_not_say_it_goes_to_a_person(
    cast: Cast, evidence: list[dict[str, Any]], named: str
) -> None:
    steps.page(cast, DAYS)
    steps.page(cast, "Only we know this.", clause="IN-1", slug="inside", readers=["staff", "agent:triage"])
    steps.page(cast, "Managers decide this.", clause="MA-1", slug="managers", readers=["managers", "agents"])
    proposals, (handoff,) = hand_in(cast, evidence)
    assert proposals == []
    assert (handoff.reason, handoff.found["args"]) == (citations.FAILED, {"body": "Of course."})
    assert named in handoff.summary


def test_51_what_no_tool_gave_is_not_cited() -> None:
    draft = Draft("ticket.reply", "ticket:T-1", {"body": "x"}, 0.9, "", (Evidence("c", "clause:RET-1", "q"),))
    read = cited.check(Outcome((draft,)), {"clause:RET-1"}, {"RET-1": 3})
    assert [piece.version for piece in read.drafts[0].evidence] == [3]
    for source in ("clause:RET-1", "order:#W1", "ticket:T-2"):
        other = replace(draft, evidence=(Evidence("c", source),))
        refused = cited.check(Outcome((other,)), {"ticket:T-1"}, {})
        assert refused.handoff is not None
        assert f"{source} is cited and was never read" in refused.handoff.summary
    assert cited.check(Outcome((replace(draft, evidence=(Evidence("c", "instruction:7"),)),)), set(), {}).drafts


def test_52_a_page_edited_after_it_was_read_goes_to_a_person(cast: Cast) -> None:
    steps.page(cast, DAYS)
    proposals, (handoff,) = hand_in(cast, cite(), meanwhile=lambda: steps.page(cast, DAYS + " Or ten."))
    assert proposals == []
    assert "the clause RET-1 was read in version 1 and stands in version 2 now" in handoff.summary
    steps.page(cast, DAYS + " Or ten.", clause="RET-1")
    again, none = hand_in(cast, cite(version=2), meanwhile=lambda: steps.page(cast, "Other.", clause="X-1", slug="x"))
    assert (len(again), none) == (1, [])


def test_52_a_page_taken_back_after_it_was_read_goes_to_a_person(cast: Cast) -> None:
    steps.page(cast, DAYS)
    proposals, (handoff,) = hand_in(cast, cite(), meanwhile=lambda: steps.page(cast, "Something else.", clause="RET-2"))
    assert proposals == []
    assert "there is no clause RET-1 in force" in handoff.summary


def test_a_quote_of_the_customer_stands_in_the_ticket(cast: Cast) -> None:
    target = steps.ticket(cast, text="Please send my kettle back")
    for quote, reason in (("send my kettle", None), ("send me money", citations.FAILED)):
        handed = steps.submit_as_agent(
            cast, target, "ticket.update", target, {"priority": "P1" if reason else "P2"},
            evidence=[{"claim": "They say so", "source": target, "quote": quote}],
        )  # fmt: skip
        steps.pass_gate(cast, handed)
        with workspace.within(cast.ws):
            found = Handoff.objects.filter(submission=handed).first()
        assert (found.reason if found else None) == reason


def test_high_tier_needs_a_justification_that_names_its_evidence(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="", actor="system:test", now=now, action="contact.update", tier="high",
            people="two", second_role="manager", agent="contacts",
        )  # fmt: skip
    target = steps.contact(cast, {"city": "Oslo"})
    for evidence, reason in (([], citations.UNJUSTIFIED), (None, None)):
        handed = steps.submit_as_agent(
            cast, target, "contact.update", target, {"changes": {"city": "Bergen"}}, agent="contacts",
            evidence=evidence,
        )  # fmt: skip
        steps.pass_gate(cast, handed)
        with workspace.within(cast.ws):
            found = Handoff.objects.filter(submission=handed).first()
            tiers = list(Proposal.objects.filter(submission=handed).values_list("tier", flat=True))
        assert ((found.reason if found else None), tiers) == (reason, [] if reason else ["high"])


def sit(cast: Cast, name: str) -> Client:
    client = Client()
    client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_evidence_opens_at_the_passage_as_it_was_read(cast: Cast) -> None:
    steps.page(cast, DAYS)
    (proposal,), _ = hand_in(cast, cite())
    slug = cast.workspace.slug
    steps.page(cast, "Ten days.")
    address = f"/w/{slug}/policy/RET-1/1/"
    rosa = sit(cast, "rosa")
    page = rosa.get(f"/w/{slug}/proposals/{proposal.pk}/").content.decode()
    assert f'href="{address}#RET-1"' in page
    assert "It has been changed since it was read" in page
    opened = rosa.get(address).content.decode()
    assert "<mark>Goods come back within" in opened
    assert "RET-1 reads otherwise now" in opened
    assert sit(cast, "otto").get(address).status_code == 404
    assert rosa.get(f"/w/{slug}/policy/RET-1/9/").status_code == 404


def test_a_page_for_managers_is_not_there_for_others(cast: Cast) -> None:
    steps.page(cast, "Managers decide this.", clause="MA-1", slug="managers", readers=["managers"])
    for name, status in (("rosa", 404), ("odile", 404), ("mara", 200), ("ada", 200)):
        client = sit(cast, name)
        assert client.get(f"/w/{cast.workspace.slug}/policy/MA-1/1/").status_code == status, name
        listed = client.get(f"/w/{cast.workspace.slug}/policy/?q=managers").content.decode()
        assert ("Managers decide this." in listed) == (status == 200), name

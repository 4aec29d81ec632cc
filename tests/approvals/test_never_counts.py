"""Who never counts: proposed, edited, the subject, impersonated, a service token, demoted since. Service and database.

Each refusal stands beside the same by somebody who may, which goes through.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from approvals import decisions, eligibility, queries, revising, votes
from approvals.models import Decision, Proposal
from audit import log
from audit.events import Event
from audit.models import Entry
from portal import models, roles, staff, tokens, workspace
from portal.models import Person, Role
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_second_wall import high, vote
from tests.approvals.test_transition import forge_entry, refused
from tests.cast import Cast, gather
from tests.conftest import signed_in
from tests.presence import used


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def low(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def why_not(cast: Cast, row: Proposal, name: str) -> str:
    row = steps.fresh(cast, row)
    with workspace.within(cast.ws, cast.id(name)):
        return votes.why_not(row, cast.id(name), roles.of(cast.id(name), cast.ws), votes.current(row))


def service_refuses(cast: Cast, row: Proposal, name: str, words: str) -> None:
    assert words in why_not(cast, row, name)
    with pytest.raises(decisions.NotAllowed, match=words):
        steps.approve(cast, row, name)


def database_refuses(cast: Cast, row: Proposal, name: str, sqlstate: str, role: str = "reviewer", **other: Any) -> None:
    row = steps.fresh(cast, row)
    with workspace.within(cast.ws, cast.id(name)), refused(sqlstate, "web"):
        vote(cast, row, name, role, **other)


def database_takes(cast: Cast, row: Proposal, name: str, role: str = "reviewer") -> None:
    """The positive control: the same statement for somebody who may; nothing of it stays."""
    row = steps.fresh(cast, row)
    with workspace.within(cast.ws, cast.id(name)):
        vote(cast, row, name, role)
        transaction.set_rollback(True)


def appoint(cast: Cast, name: str, role: Role, *, active: bool = True) -> None:
    with workspace.within(cast.ws) as now:
        staff.appoint(
            workspace=cast.workspace, person=cast.people[name], role=role, active=active, actor="system:test", now=now
        )


# Proposed, edited ----------------------------------------------------------------------------------------


def test_who_proposed_it_never_counts(cast: Cast) -> None:
    row = high(cast)
    service_refuses(cast, row, "rosa", "You proposed this")
    database_refuses(cast, row, "rosa", "CS010")
    database_takes(cast, row, "ravi")
    assert steps.approve(cast, row, "ravi").state == "pending"


def test_who_edited_it_never_counts(cast: Cast) -> None:
    row = high(cast)
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        args = dict(row.revisions.get().args) | {"reason": "It leaks."}
        revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("ravi"), args=args, now=now
        )
    service_refuses(cast, row, "ravi", "You edited this")
    database_refuses(cast, row, "ravi", "CS010")
    database_takes(cast, row, "mara", "manager")
    assert steps.approve(cast, row, "mara").state == "pending"


# The subject ---------------------------------------------------------------------------------------------


def test_whoever_the_refund_is_about_never_counts_however_the_address_is_written(cast: Cast) -> None:
    row = high(cast)
    with workspace.within(cast.ws):
        address = models.Customer.objects.get(customer_id="cu-1").email
    Person.objects.filter(pk=cast.id("ravi")).update(email=f"{cast.workspace.slug}{address}".upper())
    database_takes(cast, row, "ravi")  # another address
    with signed_in("owner"), workspace.within(cast.ws):
        log.attribute("test")
        models.Customer.objects.filter(customer_id="cu-1").update(email=f"{cast.workspace.slug}{address}")
    service_refuses(cast, row, "ravi", "This is about you")
    database_refuses(cast, row, "ravi", "CS010")
    database_takes(cast, row, "mara", "manager")
    page = text(sit_down(cast, "ravi").get(f"/proposals/{row.pk}/"))
    assert "This is about you; somebody else approves it." in page
    assert f"/proposals/{row.pk}/approve/" not in page


def test_whoever_the_contact_is_about_never_counts(cast: Cast) -> None:
    mail = cast.people["rosa"].email
    target = steps.contact(cast, {"full_name": "ROSA L", "email": mail.title(), "city": "BERLIN"})
    args = {"changes": {"city": "Berlin"}}
    row = steps.propose(cast, target, "contact.update", target, args, agent="contacts")
    service_refuses(cast, row, "rosa", "This is about you")
    database_refuses(cast, row, "rosa", "CS010")
    database_takes(cast, row, "ravi")
    assert steps.approve(cast, row, "ravi").state == "approved"


# Impersonated --------------------------------------------------------------------------------------------


@contextmanager
def looking_as(cast: Cast, name: str, admin: str = "ada") -> Iterator[Any]:
    with transaction.atomic():
        yield workspace.enter(cast.ws, cast.id(name), impersonator=cast.id(admin))


def test_whoever_looks_as_somebody_else_decides_nothing(cast: Cast) -> None:
    row = low(cast)
    seen, person = steps.seen(row), cast.id("rosa")
    with looking_as(cast, "rosa") as now:
        assert "somebody else" in votes.why_not(row, person, {"reviewer"}, votes.current(row))
        for decide in (decisions.approve, decisions.withdraw, decisions.stop, decisions.reopen, revising.redo):
            with pytest.raises(decisions.NotAllowed, match="somebody else"):
                decide(workspace=cast.ws, proposal=row.pk, seen=seen, person=person, now=now)  # type: ignore[operator]
        with pytest.raises(decisions.NotAllowed, match="somebody else"):
            decisions.reject(
                workspace=cast.ws, proposal=row.pk, seen=seen, person=person, reason="other", note="", now=now
            )
    with looking_as(cast, "rosa"), refused("CS009", "web"):
        vote(cast, row, "rosa")
    database_takes(cast, row, "rosa")
    assert steps.approve(cast, row, "rosa").state == "approved"


def test_an_admin_looks_as_a_colleague_and_every_post_is_refused(cast: Cast) -> None:
    row, desk = low(cast), sit_down(cast, "ada")
    assert desk.post("/you/view-as/", {"person": cast.id("rosa")}).status_code == 302
    page = text(desk.get(f"/proposals/{row.pk}/"))
    assert ("You look as" in page, cast.people["rosa"].name in page) == (True, True)
    assert (f"/proposals/{row.pk}/approve/" in page, "Claim next" in page) == (False, False)
    for path, body in (
        (f"/proposals/{row.pk}/approve/", {"revision": 1, "digest": row.digest}),
        (f"/claims/proposal:{row.pk}/", {}),
        ("/you/tokens/", {"name": "x", "scopes": ["decide"]}),
        ("/you/view-as/", {"person": cast.id("mara")}),
    ):
        assert desk.post(path, body).status_code == 403, path
    with workspace.within(cast.ws):
        assert not Decision.objects.exists()
    assert desk.post("/you/view-as/end/").status_code == 302
    assert "You look as" not in text(desk.get(f"/proposals/{row.pk}/"))
    with workspace.within(cast.ws):
        entries = Entry.objects.filter(event__startswith="view.").order_by("pk")
        assert [(e.event, e.subject, e.actor) for e in entries] == [
            (event, f"person:{cast.id('rosa')}", f"person:{cast.id('ada')}") for event in ("view.begun", "view.ended")
        ]
    assert sit_down(cast, "rosa").decide(row, "approve").status_code == 302  # she herself


@pytest.mark.parametrize("name", ["rosa", "mara", "odile"])
def test_only_admins_look_as_others(cast: Cast, name: str) -> None:
    desk = sit_down(cast, name)
    for answer in (desk.get("/you/view-as/"), desk.post("/you/view-as/", {"person": cast.id("ravi")})):
        assert answer.status_code == 403
    assert "You look as" not in text(desk.get("/"))


def test_looking_ends_with_the_role_the_half_hour_and_at_strangers(cast: Cast) -> None:
    desk = sit_down(cast, "ada")
    other = gather()
    for stranger in (other.id("rosa"), cast.id("otto"), cast.id("ada"), 10**15, "x"):
        assert desk.post("/you/view-as/", {"person": stranger}).status_code == 422, stranger
    desk.post("/you/view-as/", {"person": cast.id("rosa")})
    session = desk.client.session
    session["view_as"] = session["view_as"] | {"until": timezone.now().isoformat()}
    session.save()
    assert "You look as" not in text(desk.get("/"))
    desk.post("/you/view-as/", {"person": cast.id("rosa")})
    assert "You look as" in text(desk.get("/"))
    appoint(cast, "ada", Role.REVIEWER)
    appoint(cast, "ada", Role.ADMIN, active=False)
    assert "You look as" not in text(desk.get("/"))


# Only a service token ------------------------------------------------------------------------------------


def test_service_identities_never_count(cast: Cast) -> None:
    row = low(cast)
    for process, sqlstate in (("agents", "42501"), ("apply", "CS009")):
        with signed_in(process), workspace.within(cast.ws, cast.id("rosa")), refused(sqlstate, process):
            vote(cast, row, "rosa")
    with workspace.within(cast.ws), refused("CS009", "web"):  # a process without a person
        vote(cast, row, "rosa")
    database_takes(cast, row, "rosa")


def test_a_token_is_worth_what_its_person_may_and_no_presence(cast: Cast) -> None:
    row, two = low(cast), high(cast)
    appoint(cast, "odile", Role.REVIEWER)
    secrets = {}
    for name in ("odile", "ravi"):
        with workspace.within(cast.ws, cast.id(name)) as now:
            secrets[name] = tokens.make(
                workspace=cast.workspace, person=cast.people[name], name="x", scopes=["decide"], now=now
            )[1]
    appoint(cast, "odile", Role.REVIEWER, active=False)

    def post(name: str, of: Proposal) -> int:
        return Client().post(
            f"/w/{cast.workspace.slug}/api/proposals/{of.pk}/approve/", {"revision": 1, "digest": of.digest},
            content_type="application/json", headers={"Authorization": f"Bearer {secrets[name]}"},
        ).status_code  # fmt: skip

    assert (post("odile", row), post("ravi", two)) == (403, 403)
    database_refuses(cast, row, "odile", "CS009")
    database_refuses(cast, two, "ravi", "CS011", step_up=None)
    assert post("ravi", row) == 200


# Demoted since -------------------------------------------------------------------------------------------


def forged(cast: Cast, row: Proposal, event: Event, state: str) -> None:
    """The move by hand, with its entry, as the apply process could write it."""
    forge_entry(cast, row, event, state)
    Proposal.objects.filter(pk=row.pk).update(state=state, version=row.version + 1)


@pytest.mark.parametrize("how", ["role", "person"])
def test_who_was_demoted_since_does_not_count_at_dispatch(cast: Cast, how: str) -> None:
    row, other = low(cast), low(cast)
    for one, name in ((row, "rosa"), (other, "ravi")):
        assert steps.approve(cast, one, name).state == "approved"
    if how == "role":
        appoint(cast, "rosa", Role.REVIEWER, active=False)
    else:
        Person.objects.filter(pk=cast.id("rosa")).update(is_active=False)
    row, other = steps.fresh(cast, row), steps.fresh(cast, other)
    with signed_in("apply"), workspace.within(cast.ws), refused("CS007", "apply"):
        forged(cast, row, Event.PROPOSAL_APPLYING, "applying")
    with signed_in("apply"), workspace.within(cast.ws):
        forged(cast, other, Event.PROPOSAL_APPLYING, "applying")
        transaction.set_rollback(True)
    assert (steps.apply(cast, row).state, steps.apply(cast, other).state) == ("stale", "applied")


def test_who_was_demoted_since_is_no_part_of_the_quorum(cast: Cast) -> None:
    row = high(cast)
    steps.approve(cast, row, "ravi")
    appoint(cast, "ravi", Role.REVIEWER, active=False)
    row = steps.approve(cast, row, "mara")
    assert row.state == "pending"
    with signed_in("apply"), workspace.within(cast.ws), refused("CS007", "apply"):
        forged(cast, row, Event.PROPOSAL_APPROVED, "approved")
    appoint(cast, "anton", Role.REVIEWER)
    assert steps.approve(cast, row, "anton").state == "approved"


# Proof of presence, in the database ----------------------------------------------------------------------


def test_without_a_fresh_proof_of_this_digest_the_database_takes_no_high_vote(cast: Cast) -> None:
    row, other = high(cast), high(cast)
    database_refuses(cast, row, "ravi", "CS011", step_up=None)
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        of_other = used(cast, other, "ravi", now)
        of_mara = used(cast, row, "mara", now)
        by_password = used(cast, row, "ravi", now, method="password")
        old = used(cast, row, "ravi", now, ago=timezone.timedelta(minutes=5, seconds=1))
        good = used(cast, row, "ravi", now)
    for wrong in (of_other, of_mara, by_password, old):
        database_refuses(cast, row, "ravi", "CS011", step_up=wrong)
    with workspace.within(cast.ws, cast.id("ravi")):
        vote(cast, row, "ravi", step_up=good)
    with (
        workspace.within(cast.ws, cast.id("ravi")),
        pytest.raises(DatabaseError, match="step_up_id"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):  # one proof, one decision
        cursor.execute(
            "INSERT INTO approvals_decision (workspace_id, proposal_id, revision, round, digest, person_id, role,"
            " kind, reason, note, batch, step_up_id, created_at) VALUES (%s, %s, 1, 1, %s, %s, 'reviewer',"
            " 'reject', 'other', '', '', %s, now())",
            [cast.ws, row.pk, row.digest, cast.id("ravi"), good],
        )


# Nobody left ---------------------------------------------------------------------------------------------


def stuck(cast: Cast) -> list[int]:
    with workspace.within(cast.ws):
        return [row.pk for row in queries.nobody_left(cast.ws)]


def test_when_nobody_eligible_is_left_managers_see_it_and_the_quorum_does_not_sink(cast: Cast) -> None:
    row, fine = high(cast), low(cast)
    assert stuck(cast) == []
    appoint(cast, "mara", Role.MANAGER, active=False)
    assert stuck(cast) == [row.pk]  # no manager is left for the second seat
    page = text(sit_down(cast, "ravi").get(f"/proposals/{row.pk}/"))
    assert "Nobody who is left may complete this approval" in page
    assert steps.approve(cast, row, "ravi").state == "pending"
    assert (steps.fresh(cast, row).people, stuck(cast)) == (2, [row.pk])
    appoint(cast, "anton", Role.MANAGER)
    assert stuck(cast) == []
    assert steps.approve(cast, row, "anton").state == "approved"
    assert steps.fresh(cast, fine).state == "pending"


def test_who_is_left_is_who_is_not_refused(cast: Cast) -> None:
    """The one statement says the same as the rule of each person, in every situation."""
    appoint(cast, "anton", Role.REVIEWER)
    appoint(cast, "anton", Role.MANAGER)
    row = high(cast)
    mail = cast.people["rosa"].email
    contact = steps.contact(cast, {"full_name": "ROSA L", "email": mail.upper(), "city": "BERLIN"})
    about = steps.propose(cast, contact, "contact.update", contact, {"changes": {"city": "Berlin"}}, agent="contacts")
    _same(cast, row), _same(cast, about), _same(cast, low(cast))
    steps.approve(cast, row, "ravi")
    _same(cast, row)
    row = steps.fresh(cast, row)
    with workspace.within(cast.ws, cast.id("anton")) as now:
        args = dict(row.revisions.get().args) | {"reason": "It leaks."}
        revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("anton"), args=args, now=now
        )
    _same(cast, row)
    steps.approve(cast, row, "ravi")
    _same(cast, row)
    appoint(cast, "mara", Role.MANAGER, active=False)
    _same(cast, row)
    assert stuck(cast) == [row.pk]


def _same(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws):
        found = {person.pk for person in eligibility.eligible(Proposal.objects.get(pk=row.pk))}
    assert found == {cast.id(name) for name in cast.people if why_not(cast, row, name) == ""}

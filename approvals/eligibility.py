"""Who is left to approve a proposal, and which ones nobody can complete any more.

Worked out from what stands now, in one statement; nothing is stored, so every vote, edit and change of roles counts
at once. The quorum never sinks: what nobody can complete is shown to managers, who appoint somebody or end it.
"""

from dataclasses import dataclass
from itertools import groupby

from django.db import connection

from approvals.models import Proposal
from approvals.state import State
from portal.models import Person

MOST, LOOKED_AT = 25, 500

# The exclusions are those of `votes.why_not` and of the trigger on decisions. Only what can be short of people is
# looked at: several must agree, a person is behind it, or it is about one of them; or nobody decides here at all.
_STANDING = """
    WITH deciders AS (
        SELECT m.person_id AS id, array_agg(m.role::text) AS roles, lower(me.email) AS email
        FROM portal_membership m JOIN portal_person me ON me.id = m.person_id AND me.is_active
        WHERE m.workspace_id = %(ws)s AND m.active AND m.role IN ('reviewer', 'manager') GROUP BY m.person_id, me.email
    ), customers AS (
        SELECT c.customer_id AS key, d.id FROM portal_customer c JOIN deciders d ON lower(c.email) = d.email
        WHERE c.workspace_id = %(ws)s AND d.email <> ''
    ), contacts AS (
        SELECT 'contact:' || c.contact_id AS key, d.id
        FROM portal_contact c JOIN deciders d ON lower(c.fields->>'email') = d.email
        WHERE c.workspace_id = %(ws)s AND d.email <> ''
    ), looked_at AS (
        SELECT p.id, p.urgency, p.revision, p.round, p.digest, p.proposer, p.customer, p.target, r.people,
            r.second_role, p.undoes_id IS NOT NULL AND p.tier <> 'high' AND p.people = 1 AND p.revision = 1
            AND NOT p.flags @> '["partial_undo"]' AS starter_may
        FROM approvals_proposal p
        JOIN approvals_revision r ON r.proposal_id = p.id AND r.number = p.revision
        WHERE p.workspace_id = %(ws)s AND p.state = 'pending' AND (%(one)s::bigint IS NULL OR p.id = %(one)s)
        AND (%(one)s::bigint IS NOT NULL OR p.people > 1 OR p.revision > 1 OR p.proposer LIKE 'person:%%'
             OR p.customer IN (SELECT key FROM customers) OR p.target IN (SELECT key FROM contacts)
             OR NOT EXISTS (SELECT FROM deciders))
        ORDER BY p.urgency, p.id LIMIT %(most)s
    )
    SELECT l.id, l.people, l.second_role, d.id, d.roles,
        EXISTS (SELECT FROM approvals_decision v WHERE v.proposal_id = l.id AND v.kind = 'approve'
                AND v.revision = l.revision AND v.round = l.round AND v.digest = l.digest AND v.person_id = d.id),
        NOT (l.proposer = 'person:' || d.id AND NOT l.starter_may)
        AND NOT EXISTS (SELECT FROM approvals_revision v WHERE v.proposal_id = l.id AND NOT v.alone
                        AND v.made_by = 'person:' || d.id AND NOT (l.starter_may AND v.number = 1))
        AND (l.customer, d.id) NOT IN (SELECT key, id FROM customers)
        AND (l.target, d.id) NOT IN (SELECT key, id FROM contacts)
    FROM looked_at l LEFT JOIN deciders d ON true ORDER BY l.urgency, l.id, d.id
"""


@dataclass(frozen=True, slots=True)
class Decider:
    """A person with the deciding roles held now; `voted` for what stands there, `free` to."""

    id: int
    roles: frozenset[str]
    voted: bool
    free: bool


@dataclass(frozen=True, slots=True)
class Seats:
    """How many must agree, one of them of `second_role` where there is one, and everybody who decides here."""

    people: int
    second_role: str
    deciders: tuple[Decider, ...]

    @property
    def missing(self) -> int:
        """How many approvals are still to come."""
        return max(1, self.people) - sum(decider.voted for decider in self.deciders)

    @property
    def role_missing(self) -> bool:
        """Whether nobody who approved so far holds the second role."""
        given = [decider for decider in self.deciders if decider.voted]
        return bool(self.second_role) and not any(self.second_role in one.roles for one in given)

    @property
    def left(self) -> list[Decider]:
        """Who may approve next; the last seat may be kept for the second role."""
        free = [decider for decider in self.deciders if decider.free and not decider.voted]
        kept = self.role_missing and self.missing <= 1
        return [one for one in free if not kept or self.second_role in one.roles]

    @property
    def completable(self) -> bool:
        """Whether those who are left can make the quorum, together with the votes that stand."""
        enough = len(self.left) >= self.missing
        return enough and (not self.role_missing or any(self.second_role in one.roles for one in self.left))


def seats(proposal: Proposal) -> Seats:
    """Who decides here, and what each may do about a pending proposal."""
    found = _seats(proposal.workspace_id, proposal.pk)
    return found.get(proposal.pk, Seats(max(1, proposal.people), "", ()))


@dataclass(frozen=True, slots=True)
class Left:
    """For a page: who may approve next where several must, and whether nobody can complete it any more."""

    names: tuple[str, ...] = ()
    nobody: bool = False


def left(proposal: Proposal) -> Left:
    """Who is left, of a pending one; of others there is nothing to say."""
    if proposal.state != State.PENDING:
        return Left()
    found = seats(proposal)
    names = [person.name for person in eligible(proposal, found)] if found.people > 1 else []
    return Left(tuple(names), not found.completable)


def eligible(proposal: Proposal, found: Seats | None = None) -> list[Person]:
    """Active people who may still approve it, by name."""
    ids = [decider.id for decider in (found or seats(proposal)).left]
    return list(Person.objects.filter(pk__in=ids).order_by("name"))


def nobody_left(workspace: int) -> list[Proposal]:
    """Pending proposals that nobody can complete, most urgent first, at most `MOST`; managers see them."""
    stuck = [key for key, found in _seats(workspace, None).items() if not found.completable][:MOST]
    return list(Proposal.objects.filter(pk__in=stuck).select_related("case").order_by("urgency", "pk"))


def _seats(workspace: int, one: int | None) -> dict[int, Seats]:
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"ws": workspace, "one": one, "most": LOOKED_AT})
        rows = cursor.fetchall()
    found: dict[int, Seats] = {}
    for (key, people, second_role), group in groupby(rows, key=lambda row: row[:3]):
        deciders = (Decider(who, frozenset(roles), voted, free) for *_, who, roles, voted, free in group if who)
        found[key] = Seats(people, second_role, tuple(deciders))
    return found

"""Names for the subjects that entries of the log speak of: proposals, hand-offs, cases, people. Three statements."""

from collections.abc import Iterable, Mapping

from approvals import queries, sentences
from approvals.models import Case, Handoff, Proposal
from audit.report import Fact
from portal.models import Person


def of(workspace: int, facts: Iterable[Fact]) -> Mapping[str, str]:
    """By subject (`proposal:12`), as this workspace calls it; what is gone or has no name is left out."""
    said: list[str] = []
    for fact in facts:
        to = fact.body.get("to")
        about = sentences.object_of(fact.event, fact.subject, fact.body)
        for subject in (about, fact.case, fact.actor, f"person:{to}" if isinstance(to, int) else ""):
            said.append(subject)
    return known(workspace, said)


def known(workspace: int, subjects: Iterable[str]) -> Mapping[str, str]:
    """The same for subjects themselves."""
    wanted: dict[str, set[int]] = {}
    for subject in subjects:
        kind, _, key = subject.partition(":")
        if key.isdecimal() and len(key) < 19:
            wanted.setdefault(kind, set()).add(int(key))
    return {
        **_proposals(workspace, wanted.get("proposal", set())),
        **_handoffs(workspace, wanted.get("handoff", set())),
        **_cases(workspace, wanted.get("case", set())),
        **_people(wanted.get("person", set())),
    }


def people(names: Mapping[str, str]) -> dict[int, str]:
    """Of these names those of people, by their ids."""
    return {int(key[7:]): name for key, name in names.items() if key.startswith("person:")}


def _proposals(workspace: int, keys: set[int]) -> dict[str, str]:
    rows = Proposal.objects.filter(workspace_id=workspace, pk__in=keys) if keys else Proposal.objects.none()
    return {f"proposal:{pk}": summary for pk, summary in rows.values_list("pk", "summary")}


def _handoffs(workspace: int, keys: set[int]) -> dict[str, str]:
    rows = Handoff.objects.filter(workspace_id=workspace, pk__in=keys) if keys else Handoff.objects.none()
    return {f"handoff:{row.pk}": queries.headline(row) for row in rows.only("pk", "kind", "summary")}


def _cases(workspace: int, keys: set[int]) -> dict[str, str]:
    rows = Case.objects.filter(workspace_id=workspace, pk__in=keys) if keys else Case.objects.none()
    return {f"case:{pk}": title or subject for pk, title, subject in rows.values_list("pk", "title", "subject")}


def _people(keys: set[int]) -> dict[str, str]:
    rows = Person.objects.filter(pk__in=keys) if keys else Person.objects.none()
    return {f"person:{pk}": name for pk, name in rows.values_list("pk", "name")}

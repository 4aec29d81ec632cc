"""Short ways for tests of notices: seal, tell, and who was told what."""

from collections import Counter

from approvals import telling
from portal import workspace
from portal.models import Notice
from tests.audit.seals import seal
from tests.cast import Cast
from tests.conftest import signed_in


def tell() -> None:
    """What the sealer and then the relay do within some seconds."""
    seal()
    with signed_in("apply"):
        while telling.tell_some():
            pass


def rows(cast: Cast) -> list[Notice]:
    """Everything anybody of the workspace was told, oldest first."""
    with signed_in("owner"), workspace.within(cast.ws):
        return list(Notice.objects.filter(workspace_id=cast.ws).order_by("pk"))


def told(cast: Cast, kind: str) -> dict[str, list[str]]:
    """By what it is about: the names of those who were told of a kind, each as often as they were."""
    names = {person.pk: name for name, person in cast.people.items()}
    found: dict[str, list[str]] = {}
    for row in rows(cast):
        if row.kind == kind:
            found.setdefault(row.subject, []).append(names[row.person_id])
    return {subject: sorted(people) for subject, people in found.items()}


def doubled(cast: Cast) -> int:
    """Notices beyond the first of one person about one cause."""
    counted = Counter((row.person_id, row.cause) for row in rows(cast))
    return sum(counted.values()) - len(counted)

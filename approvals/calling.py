"""Calling a colleague in a note: an entry in the note's own transaction, of which the notices are made.

Only active members of the workspace are called, and nobody by themselves: all of them read where notes stand.
"""

from collections.abc import Mapping
from datetime import datetime

from approvals import mentions
from approvals.models import Handoff, Proposal
from audit import log
from audit.events import Event
from portal.models import Membership


def known(workspace: int) -> Mapping[str, int]:
    """Everybody here, by what they are called; two who share a name by their whole address alone."""
    rows = Membership.objects.filter(workspace_id=workspace, active=True, person__is_active=True)
    return mentions.handles(set(rows.values_list("person_id", "person__email")))


def call(*, workspace: int, text: str, item: str, person: int, now: datetime) -> list[int]:
    """Whom a note on `item` (`proposal:12`) names, on the log where that is anybody. Returns who they are."""
    if not mentions.named(text):
        return []
    people = [one for one in mentions.called(text, known(workspace)) if one != person]
    if people:
        log.record(
            workspace=workspace, subject=f"call:{item}", event=Event.COLLEAGUE_CALLED, actor=f"person:{person}",
            now=now, case=_case(workspace, item), body={"item": item, "people": people},
        )  # fmt: skip
    return people


def _case(workspace: int, item: str) -> str:
    kind, _colon, key = item.partition(":")
    models: Mapping[str, type[Proposal] | type[Handoff]] = {"proposal": Proposal, "handoff": Handoff}
    if kind not in models:
        return ""
    rows = models[kind]._default_manager.filter(workspace_id=workspace, pk=int(key))
    return f"case:{rows.values_list('case_id', flat=True).get()}"

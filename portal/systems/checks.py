"""The system check of outside systems: an apply worker that could not call one says so when it starts."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning

from portal.models import Part
from portal.systems import connections


def can_be_opened(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Every system in force has a credential that this process can open."""
    if not databases or settings.PROCESS_ROLE != "apply":
        return []
    return [
        Warning(
            f"Workspace {workspace}: {why}.",
            hint="Give the apply worker CREDENTIALS_PRIVATE_KEY, or set the credential anew; until then its"
            " approved actions are tried three times and fail.",
            id="portal.W003",
        )
        for workspace, why in _closed()
    ]  # fmt: skip


def _closed() -> Iterator[tuple[int, str]]:
    for workspace in connections.chosen_in():
        for part in Part:
            try:
                connections.open_outside(workspace, part)
            except connections.ConnectionsError as error:
                yield workspace, str(error)


ALL = ((can_be_opened, Tags.database),)

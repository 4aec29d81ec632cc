"""`switch`: the operator's hand on the kill switches, for one workspace or everywhere."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals import switches
from approvals.models import Switch
from portal import workspace

OPERATOR = "system:operator"


class Command(BaseCommand):
    """Throws, restores and lists. What is thrown everywhere stands on the log of every workspace."""

    help = "Throw, restore or list kill switches, in one workspace or everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("what", choices=["throw", "restore", "list"])
        parser.add_argument("kind", nargs="?", default="", help=", ".join(Switch.Is.values))
        parser.add_argument("subject", nargs="?", default="", help="the action to freeze, the agent to halt")
        parser.add_argument("--reason", default="", help="why; it is shown to everybody")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--workspace", default=None)
        where.add_argument("--everywhere", action="store_true", help="in every workspace of this installation")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """One switch, or the list of those that are thrown."""
        try:
            if options["what"] == "list":
                self._tell(_listed(options), options)
                return
            row = _set(options)
        except (LookupError, switches.SwitchError) as error:
            raise CommandError(str(error), returncode=2) from error
        if row.kind == Switch.Is.HALT and not _is_known(row.subject, options):
            self.stderr.write(f"note: no agent {row.subject!r} has handed in anything here; is this its name?")
        done = {"kind": row.kind, "subject": row.subject, "thrown": row.thrown, "everywhere": options["everywhere"]}
        words = f"{row.kind} {row.subject}".strip() + (" is thrown" if row.thrown else " is restored")
        self.stdout.write(json.dumps(done) if options["json"] else words)

    def _tell(self, found: tuple[switches.Thrown, ...], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"thrown": [_as_json(one) for one in found]}))
            return
        for one in found:
            self.stdout.write(f"{one.words}, since {one.since:%d %b %Y, %H:%M} UTC by {one.who}: {one.reason}")
        if not found:
            self.stdout.write("nothing is switched off")


def _listed(options: dict[str, Any]) -> tuple[switches.Thrown, ...]:
    if options["everywhere"]:
        with workspace.within(None):
            return switches.in_force(workspace=0)
    key = workspace.find(options["workspace"])
    with workspace.within(key):
        return switches.in_force(workspace=key)


def _set(options: dict[str, Any]) -> Any:
    """Here or everywhere, by the service that does it."""
    wanted = {"kind": options["kind"], "subject": options["subject"], "reason": options["reason"], "actor": OPERATOR}
    throws = options["what"] == "throw"
    if options["everywhere"]:
        return (switches.throw_everywhere if throws else switches.restore_everywhere)(**wanted)
    key = workspace.find(options["workspace"])
    with workspace.within(key) as now:
        return (switches.throw if throws else switches.restore)(workspace=key, now=now, **wanted)


def _is_known(agent: str, options: dict[str, Any]) -> bool:
    """Whether an agent of this name has ever handed anything in where it was halted."""
    keys = workspace.known().values() if options["everywhere"] else [workspace.find(options["workspace"])]
    for key in keys:
        with workspace.within(key):
            if agent in switches.agents(key):
                return True
    return False


def _as_json(one: switches.Thrown) -> dict[str, Any]:
    return {
        "kind": one.kind, "subject": one.subject, "reason": one.reason, "who": one.who,
        "since": one.since.isoformat(), "everywhere": one.everywhere,
    }  # fmt: skip

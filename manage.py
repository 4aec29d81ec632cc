#!/usr/bin/env python
"""Entry to every command. Brings up the embedded servers where none are named, and signs in by role."""

import os
import sys

# Only migrations sign in as owner, the sealer as itself, sweepers as apply, replays as agents, everything else as web.
ROLE_OF_COMMAND = {
    "migrate": "owner", "makemigrations": "owner", "evaluate": "eval", "benchmark": "eval",
    "audit_seal": "sealer", "audit_export": "sealer", "audit_verify": "sealer", "erase": "apply", "retain": "apply",
    "replay": "agents",
}  # fmt: skip
# Who reads all entries opens no values, and the other way round.
ROLE_FOR_VALUES = {"audit_export": "web", "audit_verify": "web"}
WITHOUT_SERVERS = {"help", "version", "--version", "check", "collectstatic", "makemigrations", "one_time_code", ""}


def main() -> None:
    """Prepare the environment, then hand over to Django."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    roles = {**ROLE_OF_COMMAND, **(ROLE_FOR_VALUES if "--payloads" in sys.argv else {})}
    os.environ.setdefault("PROCESS_ROLE", roles.get(command, "web"))
    if "--help" not in sys.argv:
        from portal import installation

        installation.prepare(servers=command not in WITHOUT_SERVERS or "--database" in sys.argv)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

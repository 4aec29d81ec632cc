"""`audit_verify`: the log of this installation, or a bundle, from end to end."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import notes, values, verifications, verify


class Command(BaseCommand):
    """Without a bundle the database is verified and the result kept; it says what a bundle cannot, as of triggers."""

    help = (
        "Verify the log of this installation, or a bundle of audit_export. Exit code 0 sound, 1 tampered,"
        " 2 incomplete, 3 fork against an anchor, 4 unknown key, 64 wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/audit.md`."""
        parser.add_argument("bundle", nargs="?", type=Path, help="a folder that audit_export wrote")
        parser.add_argument("--key", action="append", default=[], help="a verification key, or a file that holds some")
        parser.add_argument("--anchor", action="append", default=[], type=Path, help="a checkpoint kept elsewhere")
        parser.add_argument(
            "--anchors", action="append", default=[], type=Path, help="a folder of them, SIZE.note each"
        )
        parser.add_argument(
            "--max-age", type=float, metavar="SECONDS",
            help="how old the newest checkpoint may be; 900 for the database, anything for a bundle",
        )  # fmt: skip
        parser.add_argument("--replay", action="store_true", help="follow each proposal: legal moves, votes")
        parser.add_argument("--payloads", action="store_true", help="personal values alone, for who may open them")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        """Verify, keep, say."""
        try:
            if options["payloads"]:
                return self._end(verifications.of_values(values.workspaces()), options)
            keys = verifications.trusted(options["key"])
            result = _of_bundle(keys, options) if options["bundle"] else _of_database(keys, options)
        except (notes.BadKey, verifications.NoKeys, OSError) as error:
            raise CommandError(str(error), returncode=verify.WRONG_USE) from error
        return self._end(result, options)

    def _end(self, result: verifications.Result, options: dict[str, Any]) -> None:
        if options["json"]:
            said = {"code": result.code, "size": result.size, "message": result.message}
            self.stdout.write(json.dumps(said))
        elif result.code == verify.SOUND:
            self.stdout.write(result.message)
        else:
            self.stderr.write(f"verify: {result.message}")
        sys.exit(result.code)


def _of_database(keys: list[notes.Verifier], options: dict[str, Any]) -> verifications.Result:
    given = verifications.MAX_AGE if options["max_age"] is None else timedelta(seconds=options["max_age"])
    result = verifications.of_database(
        keys,
        files=options["anchor"],
        folders=options["anchors"] or verifications.own_anchors(),
        max_age=given,
        replay=options["replay"],
    )
    verifications.keep(result, who="system:operator")
    return result


def _of_bundle(keys: list[notes.Verifier], options: dict[str, Any]) -> verifications.Result:
    try:
        texts = verify.keys_of(str(key) for key in keys)
        source = verify.Bundle(options["bundle"])
        message = verify.verify(
            source, texts, verify.kept(options["anchor"], options["anchors"], texts), now=datetime.now(UTC),
            max_age=options["max_age"], replay=options["replay"],
        )  # fmt: skip
    except verify.Finding as finding:
        return verifications.Result(finding.code, 0, str(finding))
    return verifications.Result(verify.SOUND, 0, message)

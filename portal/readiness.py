"""Whether a process is fit to serve: the system checks, database included, before it takes any work."""

import logging

from django.core.checks import ERROR, WARNING, run_checks

logger = logging.getLogger(__name__)


def refuse_if_unfit() -> None:
    """Run every system check; warnings go to the log.

    Raises:
        SystemExit: naming each error with its id and hint.
    """
    found = run_checks(databases=["default"])
    for message in found:
        if WARNING <= message.level < ERROR:
            logger.warning("%s", message)
    wrong = [message for message in found if message.level >= ERROR]
    if wrong:
        raise SystemExit("\n".join(["not fit to serve:", *map(str, wrong)]))

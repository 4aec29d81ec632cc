"""Whether a process is fit to serve: the system checks, database included, before it takes any work."""

from django.core.checks import ERROR, run_checks


def refuse_if_unfit() -> None:
    """Run every system check.

    Raises:
        SystemExit: naming each error with its id and hint.
    """
    wrong = [message for message in run_checks(databases=["default"]) if message.level >= ERROR]
    if wrong:
        raise SystemExit("\n".join(["not fit to serve:", *map(str, wrong)]))

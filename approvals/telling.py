"""Tells people what the log says: reads on along the tree from where it stopped, in the apply process.

What is told and how far it was read are one transaction: a process that dies in the middle begins again where it
began, and two at once take turns. Nothing waits for it, and an entry it stumbles over holds nobody up.
"""

import logging
import random
import time
from itertools import groupby

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef

from approvals import causes
from audit import status
from audit.models import Entry, Leaf
from portal import digest, failpoints, notices, outage, slack
from portal import workspace as inside
from portal.models import NoticeCursor

logger = logging.getLogger(__name__)
# Leaves looked at in one transaction, and transactions in a round; what is left is due in the next.
LEAVES, MOST_ROUNDS = 500, 20
# How long one round may send.
SECONDS = 15.0


def tell_all() -> int:
    """Everything that was sealed since; returns how many leaves were looked at."""
    looked = 0
    for _ in range(MOST_ROUNDS):
        done = tell_some()
        looked += done
        if done < LEAVES:
            break
    return looked


def tell_some() -> int:
    """One step along the log."""
    with transaction.atomic():
        more = Leaf.objects.filter(index__gte=OuterRef("leaf"))
        cursor = NoticeCursor.objects.select_for_update(skip_locked=True).filter(Exists(more)).first()
        if cursor is None:
            return 0  # nothing is new, or another one is at it
        found, end = _next(cursor.leaf)
        for workspace, entries in groupby(found, key=lambda row: row[0]):
            _tell_in(workspace, [entry for _, entry in entries])
        failpoints.hit("notices.before_commit")
        NoticeCursor.objects.filter(pk=cursor.pk).update(leaf=end + 1)
        return end + 1 - cursor.leaf


def _next(leaf: int) -> tuple[list[tuple[int, int]], int]:
    """(workspace, entry) of what may be news, by workspace in the order of the log; and the last leaf looked at."""
    with connection.cursor() as cursor:
        events = [str(event) for event in causes.CAUSES]
        cursor.execute("SELECT workspace, entry, leaf FROM portal_to_tell(%s, %s, %s)", [leaf, events, LEAVES])
        rows = cursor.fetchall()
    found = sorted(((ws, at, entry) for ws, entry, at in rows if entry is not None))
    return [(ws, entry) for ws, _, entry in found], max(at for _, _, at in rows)


def _tell_in(workspace: int, keys: list[int]) -> None:
    home = notices.house(workspace=workspace, now=inside.enter(workspace))
    rows = Entry.objects.in_bulk(keys)
    for key in keys:
        try:
            with transaction.atomic():
                news = causes.of(rows[key], home)
                if news is not None:
                    notices.tell(news, home)
        except OperationalError:
            raise  # the database went away or chose a victim: all of it comes again
        except Exception:
            logger.exception("entry %s could not be told; the others are", key)


def send_due() -> int:
    """Digests and lines of Slack that are due, everywhere; what is wrong in one place does not hold up the others."""
    with inside.within(None), connection.cursor() as cursor:
        cursor.execute("SELECT workspace, what FROM portal_to_send()")
        due = cursor.fetchall()
    random.shuffle(due)
    sent, until = 0, time.monotonic() + SECONDS
    for workspace, what in due:
        if time.monotonic() > until:
            break  # what else waits in this queue has its turn
        try:
            sent += slack.send_due(workspace) if what == "slack" else digest.send_due(workspace, until)
        except Exception as error:
            if outage.is_outage(error):
                raise
            logger.exception("notices of workspace %s could not be sent; the others are", workspace)
    return sent


def tidy(workspace: int) -> None:
    """What nobody reads any more goes."""
    with inside.within(workspace) as now:
        notices.forget_old(workspace=workspace, now=now)


def watch_the_seal() -> None:
    """Admins everywhere learn, once each time, that the log is not sealed: no entry can tell them."""
    with inside.within(None) as now:
        log = status.now(now)
    if log.size is None or log.sealed_at is None or not log.is_old:
        return
    for workspace in inside.known().values():
        with inside.within(workspace) as now:
            home = notices.house(workspace=workspace, now=now)
            notices.tell(causes.seal_stands(log.size, log.sealed_at, home), home)

"""The digest by mail: one mail a person at the hours they chose, never in their quiet hours; runs as apply.

Who is due is taken for a while before the mail goes and let go after it, in transactions of their own: a process that
dies between sends it once more, under the same Message-ID. Holds kinds and numbers, no words of anybody.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import dateformat, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import choices, language, tidings
from portal import workspace as inside
from portal.models import Membership, Notice, NoticeChoice, Workspace
from portal.templatetags.clock import zone

logger = logging.getLogger(__name__)
# Mails of one round and workspace, and how often one is tried before it waits for the next digest.
MOST, MOST_TRIES = 20, 5
LEASE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail on its way, and the notices it tells."""

    choice: int
    to: str
    subject: str
    text: str
    mark: str
    notices: tuple[int, ...]


def send_due(workspace: int, until: float) -> int:
    """Send what is due in one workspace; returns how many mails went. Stops at the first that does not go, and begins
    none after `until` (of the monotonic clock).
    """
    for sent in range(MOST):
        if time.monotonic() > until:
            return sent
        with inside.within(workspace) as now:
            letter = take(workspace=workspace, now=now)
        if letter is None or not _send(letter):
            return sent
        with inside.within(workspace) as now:
            _finish(letter, now=now)
    return MOST


def take(*, workspace: int, now: datetime) -> Letter | None:
    """The next mail that is due, out of the others' reach for a while; None where there is none."""
    known = [one.attname for one in NoticeChoice._meta.concrete_fields]
    people = ["person__name", "person__email", "person__time_zone", "person__language", "person__is_active"]
    due = NoticeChoice.objects.select_for_update(skip_locked=True, of=("self",)).select_related("person")
    due = due.only(*known, *people).filter(workspace_id=workspace, mail_at__lte=now)
    for row in due.order_by("mail_at", "pk")[:MOST]:
        letter = _letter(row, now)
        NoticeChoice.objects.filter(pk=row.pk).update(mail_at=row.mail_at, mail_tries=row.mail_tries)
        if letter is not None:
            return letter
    return None


def _letter(row: NoticeChoice, now: datetime) -> Letter | None:
    """What is to be sent now, and on the row when to look again."""
    rhythm = choices.rhythm(row)
    if rhythm.is_quiet(now):
        row.mail_at = rhythm.awake(now)
        return None
    here = Membership.objects.filter(workspace_id=row.workspace_id, person_id=row.person_id, active=True)
    notices = choices.waiting(row) if row.by_mail and row.person.is_active and here.exists() else []
    if not notices:
        row.mail_at, row.mail_tries = None, 0
        return None
    if row.mail_tries >= MOST_TRIES:
        row.mail_at, row.mail_tries = rhythm.next_digest(now), 0
        return None
    row.mail_at, row.mail_tries = now + LEASE * 2**row.mail_tries, row.mail_tries + 1
    return written(row, notices)


def written(row: NoticeChoice, notices: list[Notice]) -> Letter:
    """The mail in words, in the language of who gets it."""
    with translation.override(language.of(row.person)):
        return _written(row, notices)


def _written(row: NoticeChoice, notices: list[Notice]) -> Letter:
    place = Workspace.objects.get(pk=row.workspace_id)
    local, base = zone(row.person.time_zone), tidings.address(settings.PUBLIC_URL, place.slug, "")
    lines = []
    for one in notices:
        at = dateformat.format(one.created_at.astimezone(local), _("d M, H:i"))
        lines.append(f"{at}  {tidings.line(one.kind, one.subject)}")
        lines += [f"    {base}{tidings.place(one.subject)}"] if base else []
    where = [_("All notices: %s") % f"{base}notices/", _("When and what: %s") % f"{base}you/"] if base else []
    many = ngettext("%(count)s notice", "%(count)s notices", len(notices)) % {"count": len(notices)}
    return Letter(
        row.pk, row.person.email, f"{place.name}: {many}", "\n".join([*lines, "", *where]).rstrip() + "\n",
        f"<notices.{row.workspace_id}.{row.person_id}.{notices[0].pk}.{notices[-1].pk}@countersign>",
        tuple(one.pk for one in notices),
    )  # fmt: skip


def _send(letter: Letter) -> bool:
    headers = {"Message-ID": letter.mark, "Auto-Submitted": "auto-generated"}
    try:
        EmailMessage(letter.subject, letter.text, to=[letter.to], headers=headers).send()
    except (SMTPException, OSError) as error:
        logger.warning("a digest could not be sent (%s); it is tried again", type(error).__name__)
        return False
    return True


def _finish(letter: Letter, *, now: datetime) -> None:
    """It went; what came meanwhile waits for the next digest."""
    Notice.objects.filter(pk__in=letter.notices).update(mailed_at=now)
    row = NoticeChoice.objects.select_related("person").only(
        *(one.attname for one in NoticeChoice._meta.concrete_fields), "person__time_zone"
    ).get(pk=letter.choice)  # fmt: skip
    more = choices.waiting(row)
    at = choices.rhythm(row).next_digest(now) if more and row.by_mail else None
    NoticeChoice.objects.filter(pk=row.pk).update(mail_at=at, mail_tries=0)

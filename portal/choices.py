"""How a person wants to be told: which kinds, on the page, in a digest by mail or not at all, and when not."""

from collections.abc import Mapping
from datetime import datetime, time

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from portal import quiet
from portal.models import Notice, NoticeChoice
from portal.templatetags.clock import zone

DIGEST, APP, NONE = "digest", "app", "none"
CHANNELS = {DIGEST: noop("Here and by mail"), APP: noop("Here only"), NONE: noop("Not at all")}
# Nothing leaves the house before the person asks for it.
DEFAULT_TIMES = ("08:00",)
# Lines of one mail; what is beyond comes with the next.
MOST = 100


def channel(row: NoticeChoice | None, kind: str) -> str:
    """Where a person hears of a kind."""
    chosen = row.channels.get(kind, DIGEST) if row else DIGEST
    return chosen if chosen in CHANNELS else DIGEST


def channels() -> list[tuple[str, str]]:
    """Each with what it is called."""
    return [(name, _(words)) for name, words in CHANNELS.items()]


def mails(row: NoticeChoice | None) -> bool:
    """Whether they want mail at all."""
    return row is not None and row.by_mail


def rhythm(row: NoticeChoice) -> quiet.Rhythm:
    """Their times, in their zone."""
    times = tuple(quiet.read_time(one) for one in row.digest_at or DEFAULT_TIMES)
    span = None
    if row.quiet_from is not None and row.quiet_until is not None:
        span = row.quiet_from, row.quiet_until
    return quiet.Rhythm(zone(row.person.time_zone), times, span)


def of(*, workspace: int, person: int) -> NoticeChoice:
    """Theirs, or the defaults, unsaved."""
    found = NoticeChoice.objects.filter(workspace_id=workspace, person_id=person).first()
    return found or NoticeChoice(workspace_id=workspace, person_id=person, digest_at=list(DEFAULT_TIMES))


def save(
    *, workspace: int, person: int, channels: Mapping[str, str], by_mail: bool, digest_at: list[str],
    quiet_from: time | None, quiet_until: time | None, now: datetime,
) -> NoticeChoice:  # fmt: skip
    """Keep what they chose; what waits to be mailed comes at the new time."""
    row = NoticeChoice(
        workspace_id=workspace, person_id=person, channels=dict(channels), by_mail=by_mail, digest_at=digest_at,
        quiet_from=quiet_from, quiet_until=quiet_until, mail_tries=0,
    )  # fmt: skip
    row.mail_at = rhythm(row).next_digest(now) if by_mail else None
    values = {
        name: getattr(row, name)
        for name in ("channels", "by_mail", "digest_at", "quiet_from", "quiet_until", "mail_at", "mail_tries")
    }
    return NoticeChoice.objects.update_or_create(workspace_id=workspace, person_id=person, defaults=values)[0]


def expect_mail(row: NoticeChoice, *, now: datetime) -> None:
    """Something waits for their next digest."""
    if row.mail_at is None:
        row.mail_at = rhythm(row).next_digest(now)
        NoticeChoice.objects.filter(pk=row.pk, mail_at=None).update(mail_at=row.mail_at)


def waiting(row: NoticeChoice) -> list[Notice]:
    """What their next digest tells: unread, not mailed yet, oldest first."""
    rows = Notice.objects.filter(
        workspace_id=row.workspace_id, person_id=row.person_id, by_mail=True, mailed_at=None, read_at=None
    )
    return list(rows.order_by("pk")[:MOST])

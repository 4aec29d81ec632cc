"""A workspace's channel in Slack: an admin's webhook, sealed; lines in words with a link, sent by apply alone.

Only https, only to hosts on SLACK_HOSTS, through the one way out, between transactions. What cannot be sent is tried
again a few times and then given up: nothing waits for it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from audit import log
from audit.events import Event
from portal import env, hours, quiet, sealing, tidings, worktime
from portal import workspace as inside
from portal.egress import Egress, host_and_port
from portal.exchange import Reply
from portal.models import Notice, SlackHook, SlackPost, Workspace
from portal.retold import kept
from portal.systems.outside import NotSent, OutsideError, Refused
from portal.systems.pace import SharedPace
from portal.systems.reach import an_address
from portal.templatetags.clock import zone

PART = "slack"
LONGEST_ADDRESS, LINES, MOST_TRIES = 300, 20, 6
PER_SECOND, READ_SECONDS, TOTAL_SECONDS = 1.0, 5.0, 8.0
# While a line is being sent nobody else takes it; after a failure it waits twice as long each time.
LEASE = timedelta(minutes=1)
# Why a line did not go, as it is kept beside it.
SWITCHED_OFF, NO_HOOK = kept("switched off"), kept("no webhook is set")
SAID_NO, HOST_GONE = kept("Slack said no (%(status)s)"), kept("the webhook's host is not on SLACK_HOSTS any more")


@dataclass(frozen=True, slots=True)
class Manner:
    """In which language it is posted, "" for the installation's, and when only what is urgent is."""

    language: str = ""
    quiet_from: time | None = None
    quiet_until: time | None = None
    in_hours: bool = False


class SlackError(Exception):
    """What cannot be set so; `field` names the one that is off."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field, self.sentence = field, sentence


def set_hook(
    *, workspace: int, on: bool, kinds: Iterable[str], address: str, actor: str, now: datetime,
    manner: Manner = Manner(),
) -> SlackHook:  # fmt: skip
    """The next version of the channel; without an address the one that was set before stays.

    Raises:
        SlackError.
        portal.sealing.SealingError: this installation has no key.
    """
    kinds, sealed, key_id = check(workspace=workspace, on=on, kinds=kinds, address=address, manner=manner)
    with transaction.atomic():
        version = log.next_version(workspace, PART)
        log.attribute(PART)
        row = SlackHook.objects.create(
            workspace_id=workspace, version=version, on=on, kinds=kinds, sealed=sealed, key_id=key_id, made_by=actor,
            created_at=now, **asdict(manner),
        )  # fmt: skip
        log.record(
            workspace=workspace, subject=PART, version=version, event=Event.SLACK_SET, actor=actor, now=now,
            body={"on": on, "kinds": kinds, "key": key_id, **_told(manner)},
        )  # fmt: skip
    return row


def _told(manner: Manner) -> dict[str, str | bool]:
    times = {"quiet_from": manner.quiet_from, "quiet_until": manner.quiet_until}
    said = {name: f"{at:%H:%M}" for name, at in times.items() if at is not None}
    return {"language": manner.language, "in_hours": manner.in_hours, **said}


def check(
    *, workspace: int, on: bool, kinds: Iterable[str], address: str, manner: Manner = Manner()
) -> tuple[list[str], bytes | None, str]:
    """The kinds in order, and the sealed address with the id of its key; nothing is kept.

    Raises:
        SlackError, portal.sealing.SealingError.
    """
    chosen = [kind for kind in Notice.Kind.values if kind in set(kinds)]
    if on and not chosen:
        raise SlackError("kinds", _("choose what is posted, or switch the channel off"))
    _check_quiet(manner)
    if address:
        return chosen, *sealing.seal(_checked(address), place=_place(workspace))
    if on and not SlackHook.objects.filter(workspace_id=workspace).exclude(key_id="").exists():
        raise SlackError("address", _("the webhook's address is needed the first time"))
    return chosen, None, ""


def _check_quiet(manner: Manner) -> None:
    begins, ends = manner.quiet_from, manner.quiet_until
    if (begins is None) != (ends is None):
        raise SlackError("quiet_from" if begins is None else "quiet_until", _("say both times, or neither"))
    if begins is not None and begins == ends:
        raise SlackError("quiet_until", _("the quiet hours end when they begin; leave both empty for none"))


def _checked(address: str) -> str:
    try:
        given = an_address(address.strip())
    except ValueError as error:
        raise SlackError("address", _("an address like https://hooks.slack.com/services/... is needed")) from error
    if urlsplit(given).scheme != "https" or len(given) > LONGEST_ADDRESS:
        raise SlackError("address", _("only https, and at most %(most)s characters") % {"most": LONGEST_ADDRESS})
    if not _is_allowed(given):
        host = urlsplit(given).hostname
        raise SlackError("address", _("%(host)s is not on SLACK_HOSTS, which the operator sets") % {"host": host})
    return given


def _is_allowed(address: str) -> bool:
    return urlsplit(address).hostname in {host.strip() for host in env.read().slack_hosts.split(",")}


def _place(workspace: int) -> str:
    return f"{workspace}/{PART}"


def in_force(workspace: int) -> SlackHook | None:
    """The newest version, without the column that only apply may read."""
    return SlackHook.objects.filter(workspace_id=workspace).defer("sealed").order_by("-version").first()


def wanted(workspace: int) -> frozenset[str]:
    """The kinds that are posted now."""
    row = in_force(workspace)
    return frozenset(row.kinds) if row is not None and row.on else frozenset()


def put(*, workspace: int, cause: str, kind: str, subject: str, now: datetime, urgent: bool = False) -> None:
    """Make a line due, once."""
    row = SlackPost(
        workspace_id=workspace, cause=cause, kind=kind, subject=subject, created_at=now, look_at=now, urgent=urgent
    )  # fmt: skip
    SlackPost.objects.bulk_create([row], ignore_conflicts=True)


def send_due(workspace: int) -> int:
    """One message with the lines that are due; returns how many went. Never within a transaction: it calls out."""
    with inside.within(workspace) as now:
        rows = _taken(workspace, now)
        slug = Workspace.objects.values_list("slug", flat=True).get(pk=workspace)
        hook = in_force(workspace)
    if not rows or hook is None:
        return 0
    try:
        _post(workspace, words(rows, slug, hook.language))
    except (OutsideError, sealing.SealingError) as error:
        _failed(workspace, rows, error)
        return 0
    with inside.within(workspace) as now:
        SlackPost.objects.filter(pk__in=[row.pk for row in rows]).update(sent_at=now, look_at=None, failure="")
    return len(rows)


def _taken(workspace: int, now: datetime) -> list[SlackPost]:
    """Lines that nobody else has in hand, out of the others' reach for a while."""
    due = SlackPost.objects.select_for_update(skip_locked=True).filter(workspace_id=workspace, look_at__lte=now)
    rows = list(due.order_by("look_at", "pk")[:LINES])
    if not rows:
        return []
    hook = in_force(workspace)
    if hook is None or not hook.on:
        SlackPost.objects.filter(pk__in=[row.pk for row in rows]).update(look_at=None, failure=SWITCHED_OFF)
        return []
    rows = _without_held(rows, awake(hook, now), now)
    for row in rows:
        row.tries += 1
        row.look_at = now + LEASE * 2 ** (row.tries - 1)
    SlackPost.objects.bulk_update(rows, ["tries", "look_at"])
    return rows


def awake(hook: SlackHook, now: datetime) -> datetime:
    """The first moment from now on (UTC) at which what is not urgent may be posted."""
    kept = hours.of(hook.workspace_id)
    span = (hook.quiet_from, hook.quiet_until) if hook.quiet_from and hook.quiet_until else None
    return quiet.both(now, quiet.Rhythm(zone(kept.zone), (), span), kept if hook.in_hours else worktime.ALWAYS)


def _without_held(rows: list[SlackPost], awake_at: datetime, now: datetime) -> list[SlackPost]:
    """Lines that may go now; the others are due together, once the quiet hours are over."""
    if awake_at <= now:
        return rows
    held = [row.pk for row in rows if not row.urgent]
    SlackPost.objects.filter(pk__in=held).update(look_at=awake_at)
    return [row for row in rows if row.urgent]


def _post(workspace: int, text: str) -> None:
    address = _opened(workspace)
    body = json.dumps({"text": text, "unfurl_links": False}).encode()
    headers = {"Content-Type": "application/json"}
    reply = way(workspace, address).talk(READ_SECONDS).call("POST", address, headers=headers, body=body)
    _judge(reply)


def _judge(reply: Reply) -> None:
    if not 200 <= reply.status < 300:
        raise Refused(SAID_NO % {"status": reply.status})


def way(workspace: int, address: str) -> Egress:
    """Out, to the webhook's host alone."""
    pace = SharedPace(workspace, PART, PER_SECOND)
    return Egress(frozenset({host_and_port(address)}), pace, total_seconds=TOTAL_SECONDS)


def _opened(workspace: int) -> str:
    with inside.within(workspace):
        sealing.private_key()  # before the database is asked for a column that only apply may read
        rows = SlackHook.objects.filter(workspace_id=workspace).exclude(key_id="").order_by("-version")
        found = rows.values_list("sealed", flat=True).first()
    if found is None:
        raise Refused(NO_HOOK)
    address = sealing.unseal(bytes(found), place=_place(workspace)).get_secret_value()
    if not _is_allowed(address):
        raise Refused(HOST_GONE)
    return address


def _failed(workspace: int, rows: Sequence[SlackPost], error: Exception) -> None:
    """Lines that were refused or failed too often are given up; the others are due again when their lease ends."""
    given_up = [row.pk for row in rows if isinstance(error, Refused) or row.tries >= MOST_TRIES]
    wait = timedelta(seconds=error.retry_seconds) if isinstance(error, NotSent) else timedelta()
    failure: dict[str, Any] = {"failure": str(error)[:200]}
    with inside.within(workspace) as now:
        SlackPost.objects.filter(pk__in=given_up).update(look_at=None, **failure)
        SlackPost.objects.filter(pk__in=[row.pk for row in rows], look_at__isnull=False).update(**failure)
        SlackPost.objects.filter(
            pk__in=[row.pk for row in rows], look_at__isnull=False, look_at__lt=now + wait
        ).update(look_at=now + wait)  # fmt: skip


def words(rows: Sequence[SlackPost], slug: str, language: str = "") -> str:
    """The lines in Slack's own form, in the channel's language: what happened, and a link by number."""
    with translation.override(language or settings.LANGUAGE_CODE):
        return "\n".join(_line(row, slug) for row in rows)


def _line(row: SlackPost, slug: str) -> str:
    about = _escaped(tidings.called(row.subject))
    link = tidings.address(settings.PUBLIC_URL, slug, tidings.place(row.subject))
    return f"{_escaped(tidings.to_all(row.kind))}: {f'<{_escaped(link)}|{about}>' if link else about}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def forget_old(*, workspace: int, before: datetime, most: int) -> None:
    """Drop lines that were sent or given up long ago."""
    old = SlackPost.objects.filter(workspace_id=workspace, created_at__lt=before, look_at=None).order_by("created_at")
    SlackPost.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:most])).delete()

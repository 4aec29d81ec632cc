"""Reusable texts: what a workspace's replies and questions begin with, kept by its managers and admins, on the log.

Where a workspace keeps none of a use in a language, the one that comes with the product is offered.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from approvals import background, gaps
from approvals.actions.base import clean_text
from approvals.models import Case, Handoff, ReusableText, Submission
from audit import log
from audit.events import Event
from portal.retold import kept

Tongue, For = ReusableText.Tongue, ReusableText.For
LONGEST_NAME, LONGEST, MOST = 60, 4_000, 200
NO_NAME, NO_BODY = kept("give it a name"), kept("write the text")
TOO_LONG = kept("at most %(most)s characters are kept")
TWICE = kept("there is one of this name in this language already")
NO_GAP = kept("%(gap)s is no gap that can be filled; there are %(gaps)s")


class TextError(Exception):
    """What cannot be kept so; `field` names what is off."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field, self.sentence = field, sentence


@dataclass(frozen=True, slots=True)
class Text:
    """One that is offered; `key` is its name in forms and addresses."""

    key: str
    name: str
    language: str
    used_for: str
    body: str


# As they are written to customers: of a language each, whatever the reader's is.
DEFAULTS = (
    Text(
        "holding-en", "We are looking into it", Tongue.ENGLISH, For.HOLDING,
        "Thank you for your message. A colleague is looking into it, and you will hear from us as soon as we know more."
        " You need not do anything until then.",
    ),
    Text(
        "holding-de", "Wir kümmern uns darum", Tongue.GERMAN, For.HOLDING,
        "Vielen Dank für Ihre Nachricht. Eine Kollegin oder ein Kollege kümmert sich darum, und Sie hören von uns,"
        " sobald wir mehr wissen. Bis dahin müssen Sie nichts tun.",
    ),
)  # fmt: skip


def offered(workspace: int) -> list[Text]:
    """All that may be put in, by use and name; one statement."""
    rows = list(ReusableText.objects.filter(workspace_id=workspace).order_by("used_for", "name", "language")[:MOST])
    own = {(row.used_for, row.language) for row in rows}
    kept_here = [Text(str(row.pk), row.name, row.language, row.used_for, row.body) for row in rows if row.offered]
    return [one for one in DEFAULTS if (one.used_for, one.language) not in own] + kept_here


def lacking(workspace: int) -> Text | None:
    """A default that the workspace has not put a text of its own in place of."""
    return next((one for one in offered(workspace) if one in DEFAULTS), None)


def best(texts: list[Text], asked: str, language: str) -> Text | None:
    """The one of this key; of a use the one in this language, else in English, else any."""
    ranked = sorted(
        (one for one in texts if asked in (one.key, one.used_for)),
        key=lambda one: (one.key != asked, one.language != language, one.language != Tongue.ENGLISH),
    )
    return ranked[0] if ranked else None


def language_of(case: Case) -> str:
    """The customer's, as whoever read the case found it; else the installation's."""
    rows = Submission.objects.filter(workspace_id=case.workspace_id, case=case).exclude(language="")
    found = rows.order_by("-pk").values_list("language", flat=True).first()
    return str(found or settings.LANGUAGE_CODE)[:2]


def values(case: Case, facts: background.Facts, handoff: Handoff | None) -> dict[str, str]:
    """What the gaps mean on a case; an order only where it is the one that can be meant."""
    orders = [order.order_id for order in facts.orders]
    named = handoff.found.get("order_id") if handoff is not None else None
    alone = orders[0] if len(orders) == 1 else ""
    return {
        "first_name": facts.customer.first_name if facts.customer else "",
        "order": named if isinstance(named, str) and named in orders else alone,
        "ticket": case.subject.partition(":")[2] if facts.ticket else "",
    }


def check(*, workspace: int, text: int | None, name: str, language: str, used_for: str, body: str) -> tuple[str, str]:
    """Name and body as they are kept. Inside a transaction no other text of the workspace is named until it ends.

    Raises:
        TextError.
    """
    name = " ".join("".join(c for c in name if c.isprintable() or c.isspace()).split())
    body = body.replace("\r\n", "\n").strip()
    for field, said, most, empty in (("name", name, LONGEST_NAME, NO_NAME), ("body", body, LONGEST, NO_BODY)):
        if not said:
            raise TextError(field, empty)
        if len(said) > most:
            raise TextError(field, TOO_LONG % {"most": most})
        try:
            clean_text(said)
        except ValueError as error:
            raise TextError(field, str(error)) from error
    for gap in gaps.unknown(body):
        raise TextError("body", NO_GAP % {"gap": gap, "gaps": " ".join(f"{{{one}}}" for one in gaps.NAMES)})
    if language not in Tongue.values or used_for not in For.values:
        raise ValueError("a form offers what there is")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 8))", [f"{workspace}:texts"])
    rows = ReusableText.objects.filter(workspace_id=workspace, name=name, language=language)
    if rows.exclude(pk=text or 0).exists():
        raise TextError("name", TWICE)
    return name, body


def save(
    *, workspace: int, text: int | None, name: str, language: str, used_for: str, body: str, offered: bool,
    actor: str, now: datetime,
) -> ReusableText:  # fmt: skip
    """A new one, or what was `text` with these words; nothing is written where nothing changes.

    Raises:
        TextError, ReusableText.DoesNotExist.
    """
    with transaction.atomic():
        name, body = check(
            workspace=workspace, text=text, name=name, language=language, used_for=used_for, body=body
        )  # fmt: skip
        said = {"name": name, "language": language, "used_for": used_for, "body": body, "offered": offered}
        row = ReusableText(workspace_id=workspace)
        if text is not None:
            row = ReusableText.objects.select_for_update().get(workspace_id=workspace, pk=text)
            if all(getattr(row, field) == value for field, value in said.items()):
                return row
        for field, value in said.items():
            setattr(row, field, value)
        row.changed_at = now
        log.attribute(actor)
        row.save(update_fields=[*said, "changed_at"] if text is not None else None)
        log.record(
            workspace=workspace, subject=f"text:{row.pk}", event=Event.TEXT_SET, actor=actor, now=now,
            body={"language": language, "used_for": used_for, "offered": offered},
            personal={"name": name, "text": body},
        )  # fmt: skip
    return row

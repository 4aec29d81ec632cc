"""Somebody who chose German reads German on every page: what both languages share is a value of a record."""

import re
from html import unescape
from html.parser import HTMLParser

import polib
import pytest
from django.db import connection

from approvals import texts as texts_for_replies
from portal import models, walls, workspace, worktime
from tests import furnished
from tests.cast import Cast, gather
from tests.conftest import signed_in
from tests.messages.__main__ import LOCALE

pytestmark = pytest.mark.timeout(900)
SAID = ("aria-label", "title", "placeholder", "alt")
# Source, a policy's text, keys, an address: the same to everybody.
QUIET = {"script", "style", "code", "pre", "kbd", "textarea", "q", "blockquote", "bdi"}
NAMES = {"Countersign", "Slack", "Deutsch", "English", "Markdown", "PostgreSQL", "Redis", "OpenAPI", "Cedar", "Stripe"}
WORD = re.compile(r"[^\W\d_]{3,}")
PEOPLE = ("Cleo", "It leaks since Monda", "Countersign (")  # put together from several values; parts of the house
BODY = re.compile(r"\w+: .*; \w+: ")  # of an entry, as it stands on the log
ROW = re.compile(r"\w+ v\d+|\w+ \d+%|[\w.]+ \(\w+\)|in \d+ min")  # a version, a bar, an entry, and soon
CODE = re.compile(r"[\w#@+-]*[._:/@#-][\w.:/@#+-]*|[A-Z0-9_]+")


class Texts(HTMLParser):
    """What is read on a page, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.quiet: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in QUIET:
            self.quiet.append(tag)
        self.found |= {" ".join(value.split()) for name, value in attrs if name in SAID and value}

    def handle_endtag(self, tag: str) -> None:
        if self.quiet and self.quiet[-1] == tag:
            self.quiet.pop()

    def handle_data(self, data: str) -> None:
        if not self.quiet:
            self.found.add(" ".join(data.split()))


def texts(body: bytes) -> set[str]:
    parser = Texts()
    parser.feed(body.decode())
    return parser.found


def plain(text: str) -> str:
    return re.sub(r"[\s\"\\“”„'’]+", "", unescape(text)).lower()


def values(cast: Cast) -> str:
    """All that stands in the tables of the workspace, and who its people are."""
    found = []
    with signed_in("owner"), workspace.within(cast.ws), connection.cursor() as cursor:
        for table in sorted(
            {model._meta.db_table for model in walls.tables()}
            | {"portal_person", "portal_workspace", "approvals_switcheverywhere"}
        ):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
            found.append(cursor.fetchone()[0])
    return plain(" ".join(found))


def same_in_german() -> set[str]:
    kept = polib.pofile(str(LOCALE / "de" / "LC_MESSAGES" / "django.po"))
    alike = {plain(entry.msgid) for entry in kept if plain(entry.msgid) == plain(entry.msgstr)}
    return alike | {plain(zone) for zone in worktime.zones()}


@pytest.mark.parametrize("name", ["mara", "ada", "odile"])
def test_every_page_is_german(live: None, name: str) -> None:
    cast = gather()
    house = furnished.furnish(cast, "It leaks since Monday.")
    client, same = furnished.browser(cast, name), same_in_german()
    known = values(cast) + plain(" ".join(f"{one.name} ({one.language})" for one in texts_for_replies.DEFAULTS))
    every = [path for _, path in furnished.addresses(house.ids, most=2)]
    proposals = [path for route, path in furnished.addresses(house.ids) if route == "proposals/<int:pk>/"]
    wrong: dict[str, list[str]] = {}
    seen = 0
    for path in (path for path in dict.fromkeys([*every, *proposals]) if not path.startswith(("api/", "practice/"))):
        said = {}
        for language in ("en-gb", "de"):
            models.Person.objects.filter(pk=cast.id(name)).update(language=language)
            answer = client.get(f"/w/{cast.workspace.slug}/{path}")
            html = answer.headers.get("Content-Type", "").startswith("text/html")
            said[language] = texts(answer.content) if html and answer.status_code != 404 else set()
        seen += bool(said["de"])
        left = [text for text in said["en-gb"] & said["de"] if is_english(text, known, same)]
        if left:
            wrong[path] = sorted(left)
    assert seen > 30
    where: dict[str, list[str]] = {}
    for path, found in wrong.items():
        for text in found:
            where.setdefault(text, []).append(path)
    told = [f"{text!r} on {len(paths)}, such as {paths[0]}" for text, paths in sorted(where.items())]
    assert not where, "\n".join(told)


def is_english(text: str, known: str, same: set[str]) -> bool:
    """Whether a piece that both languages share holds words that no record and no translation accounts for."""
    text = text.removesuffix(" · Countersign").removeprefix("› ")
    if BODY.search(text) or ROW.fullmatch(text) or any(name in text for name in PEOPLE):
        return False
    left = [word for word in text.split() if not CODE.fullmatch(word) and word.strip(".,:;()“”") not in NAMES]
    words = " ".join(left)
    return (
        bool(WORD.search(words)) and plain(text) not in known and plain(words) not in known and plain(text) not in same
    )

"""Every text that a person reads is marked for translation, and every catalogue holds all of them."""

import re
from html.parser import HTMLParser

import polib
import pytest
from django.template.base import DebugLexer, TokenType
from django.utils.translation import gettext, override

from tests.messages.__main__ import LOCALE
from tests.messages.collecting import ROOT, everywhere, templates

SAID = ("aria-label", "title", "placeholder", "alt", "content")
NOT_SAID = {"script", "style", "code", "kbd"}
NAMES = {"Countersign", "Slack", "Markdown", "UTC", "ID", "JSON", "CSV", "OK", "HTTP", "SHA", "Cedar", "px", "doctype"}
# Blocks that stand within a tag: an attribute or a class.
WITHIN_TAGS = ("nav_", "body_class")
GAPS = re.compile(r"%\(\w+\)s|%[sd]|\{\w*\}")


class Texts(HTMLParser):
    """Texts and spoken attributes that stand in a template as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NOT_SAID:
            self.inside.append(tag)
        self.found += [value or "" for name, value in attrs if name in SAID and tag != "meta"]
        kind = dict(attrs).get("type")
        self.found += [v or "" for name, v in attrs if name == "value" and tag == "input" and kind == "submit"]

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.found.append(data)


def unmarked(source: str) -> list[str]:
    parts, skips, within = [], 0, False
    for token in DebugLexer(source).tokenize():
        first = token.contents.split(" ")[0] if token.token_type == TokenType.BLOCK else ""
        skips += first in ("blocktranslate", "comment") and " asvar " not in token.contents
        if first in ("block", "endblock"):
            within = token.contents.removeprefix("block ").startswith(WITHIN_TAGS)
        if token.token_type == TokenType.TEXT and not skips and not within:
            parts.append(token.contents)
        skips -= first in ("endblocktranslate", "endcomment")
        parts.append("\x00" if token.token_type != TokenType.TEXT else "")
    parser = Texts()
    parser.feed("".join(parts).replace("\x00", " ") if "<" in source else " ".join(parts))
    words = (re.findall(r"[A-Za-z]{2,}", text) for text in parser.found)
    return [" ".join(found) for found in words if set(found) - NAMES]


def test_no_template_says_what_is_not_marked() -> None:
    found = {str(path.relative_to(ROOT)): unmarked(path.read_text(encoding="utf-8")) for path in templates()}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize("path", sorted(LOCALE.glob("*/LC_MESSAGES/django.po")), ids=lambda path: path.parts[-3])
def test_a_catalogue_is_complete_compiled_and_fills_the_same_gaps(path) -> None:
    kept = polib.pofile(str(path))
    known = {(entry.msgid, entry.msgctxt or ""): entry for entry in kept}
    said = {(text.single, text.context): text for text in everywhere()}
    assert {key for key in said if key not in known or not known[key].translated()} == set(), "make messages names them"
    assert set(known) - set(said) == set(), "make messages takes out what nobody says any more"
    for entry in kept:
        wanted = set(GAPS.findall(entry.msgid_plural or entry.msgid))
        for told in (entry.msgstr_plural or {0: entry.msgstr}).values():
            assert set(GAPS.findall(told)) <= wanted, entry.msgid
            assert entry.msgid_plural or set(GAPS.findall(told)) == wanted, entry.msgid
    compiled = {entry.msgid_with_context: entry.msgstr for entry in polib.mofile(str(path.with_suffix(".mo")))}
    assert compiled == {entry.msgid_with_context: entry.msgstr for entry in kept}, "make messages compiles it"


def test_the_compiled_catalogue_is_what_pages_read() -> None:
    with override("de"):
        assert gettext("Hand-offs") == "Übergaben"

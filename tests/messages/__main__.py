"""`make messages`: puts texts that are new into each catalogue, takes out what nobody says, compiles; tells what waits.

Exits 1 while a text has no translation.
"""

import os
import sys
from pathlib import Path

import django
import polib

from tests.messages.collecting import ROOT, Text, everywhere

LOCALE = ROOT / "portal" / "locale"
HEAD = {
    "MIME-Version": "1.0", "Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "8bit",
    "Language": "de", "Plural-Forms": "nplurals=2; plural=(n != 1);",
}  # fmt: skip


def renew(path: Path) -> list[str]:
    """The texts that wait for their translation."""
    old = {(entry.msgid, entry.msgctxt or ""): entry for entry in (polib.pofile(str(path)) if path.exists() else ())}
    found = polib.POFile(wrapwidth=120)
    found.metadata = HEAD
    for text in sorted(set(everywhere()), key=lambda text: (text.single, text.context, text.plural)):
        if not any((text.single, text.context) == (e.msgid, e.msgctxt or "") and not text.plural for e in found):
            found.append(_entry(text, old.get((text.single, text.context))))
    found.save(str(path))
    found.save_as_mofile(str(path.with_suffix(".mo")))
    return [entry.msgid for entry in found if not entry.translated()]


def _entry(text: Text, old: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(msgid=text.single, msgctxt=text.context or None)
    if "%(" in text.single or "%s" in text.single:
        entry.flags = ["python-format"]
    if text.plural:
        entry.msgid_plural = text.plural
        entry.msgstr_plural = dict(old.msgstr_plural) if old and old.msgstr_plural else {0: "", 1: ""}
    elif old:
        entry.msgstr = old.msgstr
    return entry


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    waiting = {path: renew(path) for path in sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))}
    for path, texts in waiting.items():
        print(f"{path.relative_to(ROOT)}: {len(texts)} wait", *texts, sep="\n  ")
    sys.exit(any(waiting.values()))

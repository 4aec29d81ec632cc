"""Scores the contacts agent on a folder of labelled data: `python -m tests.agents.contacts_score FOLDER`.

A change to the value that already stands there is no change, on both sides; flags are compared by field.
"""

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.contacts import countries, emails, phones
from agents.contacts.cleaned import Cleaned
from agents.contacts.deciding import decide
from agents.types import Outcome
from portal.systems.records import Contact


def score(folder: Path) -> dict[str, float]:
    """All figures of the files that are in the folder; rates are parts of one."""
    figures: dict[str, float] = {}
    for name, measure in _MEASURES.items():
        if (folder / name).exists():
            figures |= measure(folder / name)
    return figures


def changes_of(outcome: Outcome) -> dict[str, Any]:
    return {name: value for draft in outcome.drafts for name, value in dict(draft.args["changes"]).items()}  # type: ignore[arg-type] # JSON


def score_contacts(path: Path) -> dict[str, float]:
    rows = [json.loads(line) for line in path.read_text().splitlines() if line]
    exact = strict = flagged = harmed = wanted = found = 0
    for row in rows:
        outcome = decide(Contact(row["id"], row["record"], tuple(row["locked_fields"])))
        changes, flags = changes_of(outcome), set(outcome.handoff.found if outcome.handoff else {})
        expected = _effective(row["expected_changes"], row["record"])
        exact += changes == expected
        strict += changes == row["expected_changes"]
        flagged += flags == set(row["expected_flags"])
        harmed += bool(set(changes) & set(row["must_not_change"]))
        wanted += len(expected)
        found += sum(changes.get(name) == value for name, value in expected.items())
        if changes != expected or flags != set(row["expected_flags"]):
            _show(row["id"], row["record"], changes, expected, sorted(flags), row["expected_flags"])
    return {
        "contacts": len(rows),
        "exact_record": exact / len(rows),
        "exact_with_idle_changes": strict / len(rows),
        "field_recall": found / wanted,
        "flags_by_field": flagged / len(rows),
        "harmed": harmed,
    }


def score_phones(path: Path) -> dict[str, float]:
    right = masked = masked_right = 0
    rows = _table(path)
    for row in rows:
        done = phones.clean(row["raw"], row["region"] or None)
        fits = _fits(done, row, row["expected_e164"]) and done.extension == row["expected_extension"]
        right += fits
        masked += row["style"] == "masked"
        masked_right += row["style"] == "masked" and done.action == "flag"
        if not fits:
            _show(row, done)
    return {"phones": right / len(rows), "masked_flagged": masked_right / masked}


def score_emails(path: Path) -> dict[str, float]:
    rows = _table(path)
    wrong = [(row, done) for row in rows if not _fits(done := emails.clean(row["raw"]), row, row["expected"])]
    _show(*wrong)
    return {"emails": 1 - len(wrong) / len(rows)}


def score_countries(path: Path) -> dict[str, float]:
    rows = _table(path)
    wrong = [row for row in rows if countries.find(row["raw"]) != row["expected_iso2"]]
    _show(*wrong)
    return {"countries": 1 - len(wrong) / len(rows)}


def _fits(done: Cleaned, row: Mapping[str, str], value: str) -> bool:
    return done.action == row["expected_action"] and (done.action == "flag" or done.value == value)


def _effective(changes: Mapping[str, str], record: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in changes.items() if record.get(name) != value}


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def _show(*wrong: object) -> None:
    if wrong and "-v" in sys.argv:
        print("MISS", *wrong, sep="\n   ")


_MEASURES = {
    "contacts.jsonl": score_contacts,
    "phones.csv": score_phones,
    "emails.csv": score_emails,
    "countries.csv": score_countries,
}

if __name__ == "__main__":
    for figure, number in score(Path(sys.argv[1])).items():
        print(f"{figure:24} {number:.4f}")

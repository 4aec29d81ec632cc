"""Suites `contacts`, `phones`, `emails`, `countries`: what the agent repairs, leaves, or asks about."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agents.evals import figures
from agents.evals.fitting import Part
from agents.evals.stage import Came, Stage
from agents.evals.suites.base import Prediction, Row, Suite

# RFC 3966 writes an extension behind the number.
EXTENSION = ";ext="


def _play(stage: Stage, parts: Sequence[Part], line: Callable[[Mapping[str, Any]], dict[str, Any]]) -> list[Came]:
    key = stage.open(queues=())
    return stage.play(key, "contacts", [line(row) for part in parts for row in part.given])


def _changes(came: Came) -> dict[str, str]:
    return {name: value for draft in came.drafts for name, value in draft["args"]["changes"].items()}


def _flags(came: Came) -> dict[str, str]:
    return {name: why for handoff in came.handoffs for name, why in handoff["found"].items()}


def play_records(stage: Stage, parts: Sequence[Part]) -> list[Prediction]:
    """Whole contacts, as they are found."""
    came = _play(stage, parts, lambda row: dict(row))
    return [{"id": one.id, "changes": _changes(one), "flags": _flags(one)} for one in came]


def score_records(rows: Sequence[Row], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """A change to the value that stands there already is none, on both sides; `harmed` counts records."""
    exact, asked, harmed, found, wanted = [], [], 0, 0, 0
    for row, said in zip(rows, predictions, strict=True):
        record = row.given["record"]
        expected = {k: v for k, v in row.labels["expected_changes"].items() if record.get(k) != v}
        exact.append(said["changes"] == expected)
        asked.append(set(said["flags"]) == set(row.labels.get("expected_flags", ())))
        wanted += len(expected)
        found += sum(said["changes"].get(name) == value for name, value in expected.items())
        harmed += any(expected.get(name) != value for name, value in said["changes"].items())
    return {
        "exact_record": figures.share(exact),
        "field_recall": figures.ratio(found, wanted),
        "flags_exact": figures.share(asked),
        "harmed": harmed,
    }


def mark_record(row: Row, said: Prediction) -> tuple[bool, str]:
    """Exactly the changes that were due; only the names of fields are told."""
    record = row.given["record"]
    expected = {k: v for k, v in row.labels["expected_changes"].items() if record.get(k) != v}
    return said["changes"] == expected, f"changes {_listed(said['changes'])}, asks about {_listed(said['flags'])}"


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _field_suite(name: str, field: str, expected: str, *, region: str = "", action: str = "") -> Suite:
    """One field in a contact that holds nothing else (a phone with its country)."""

    def line(row: Mapping[str, Any]) -> dict[str, Any]:
        country = {"country": row[region]} if region and row.get(region) else {}
        return {"id": row["id"], "record": {field: row["raw"], **country}}

    def play(stage: Stage, parts: Sequence[Part]) -> list[Prediction]:
        given = [row for part in parts for row in part.given]
        came = _play(stage, parts, line)
        return [_predict(one, field, str(row["raw"])) for one, row in zip(came, given, strict=True)]

    def fits(row: Row, said: Prediction) -> bool:
        wanted = row.labels[action] if action else "fix"
        if wanted == "flag" or said["action"] == "flag":
            return bool(wanted == said["action"])
        same = said["value"] == row.labels[expected] and said["extension"] == row.labels.get("expected_extension", "")
        return same and (not action or wanted == said["action"])

    def score(rows: Sequence[Row], predictions: Sequence[Prediction]) -> dict[str, Any]:
        pairs = list(zip(rows, predictions, strict=True))
        masked = [said["action"] == "flag" for row, said in pairs if row.labels.get("style") == "masked"]
        return {
            "accuracy": figures.share(fits(row, said) for row, said in pairs),
            **({"masked_flagged": figures.share(masked)} if name == "phones" else {}),
        }

    def mark(row: Row, said: Prediction) -> tuple[bool, str]:
        return fits(row, said), str(said["action"])

    needed = ("id", "raw", *((region,) if region else ()))
    return Suite(name=name, files=(f"{name}.csv",), needed=needed, play=play, score=score, mark=mark)


def _predict(came: Came, field: str, raw: str) -> Prediction:
    changes, action = _changes(came), "keep"
    if field in _flags(came):
        action = "flag"
    elif field in changes:
        action = "fix"
    value, _, extension = changes.get(field, raw).partition(EXTENSION)
    return {"id": came.id, "value": value, "extension": extension, "action": action}


CONTACTS = Suite(
    name="contacts",
    files=("contacts.jsonl",),
    needed=("id", "record"),
    given_too=("locked_fields",),
    play=play_records,
    score=score_records,
    mark=mark_record,
)
PHONES = _field_suite("phones", "phone", "expected_e164", region="region", action="expected_action")
EMAILS = _field_suite("emails", "email", "expected", action="expected_action")
COUNTRIES = _field_suite("countries", "country", "expected_iso2")

"""`evaluate` on the labelled data, on our own golden sets, and on another split of the same form.

python -m tests.accept.evaluations refunds|triage|contacts
"""

import csv
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.accept.installation import ROOT, Installation, data, installed, verdict

GOLDEN = ROOT / "tests" / "golden"
Figures = dict[str, Any]


def main(suite: str) -> None:
    measure = {"refunds": refunds, "triage": triage, "contacts": contacts}[suite]
    with installed(workers=False) as made:
        lines = measure(made)
    verdict(all(ok for ok, _ in lines), "\n".join(f"{'met   ' if ok else 'MISSED'} {text}" for ok, text in lines))


def evaluate(made: Installation, suite: str, folder: Path, *more: str) -> Figures:
    return dict(made.manage_json("evaluate", suite, "--data", str(folder), *more))


def refunds(made: Installation) -> list[tuple[bool, str]]:
    """Acceptable is counted without `task_mixed`, as the issue asks."""
    lines: list[tuple[bool, str]] = []
    split = half(data("refunds"))
    own = sum(1 for line in (GOLDEN / "refunds" / "cases.jsonl").read_text().splitlines() if line)
    lines.append((own >= 60, f"our own requests: {own}"))
    for name, folder in (
        ("labelled", data("refunds")),
        ("our own", GOLDEN / "refunds"),
        ("split", split),
    ):
        got = evaluate(made, "refunds", folder)
        share = without(got["by_kind"], "task_mixed")
        ok = share >= 0.90 and got["approve_only_exact"] >= 0.85 and got["wrong_effects"] == 0
        lines.append((ok, f"refunds, {name}: {got['rows']} rows, acceptable {share:.3f} without task_mixed,"
                          f" approve_only_exact {got['approve_only_exact']:.3f}, wrong effects {got['wrong_effects']},"
                          f" {got['seconds']:.0f} s"))  # fmt: skip
    shutil.rmtree(split)
    return lines


def without(by_kind: Figures, left_out: str) -> float:
    kept = [part for kind, part in by_kind.items() if kind != left_out]
    return float(sum(part["share"] * part["rows"] for part in kept) / sum(part["rows"] for part in kept))


def half(folder: Path) -> Path:
    """Another split of the same form: every second customer, with what belongs to them and no other row."""
    made = Path(tempfile.mkdtemp(prefix="countersign-split-"))
    with (folder / "customers.csv").open(newline="") as file:
        kept = {row["customer_id"] for n, row in enumerate(csv.DictReader(file)) if n % 2}
    orders: set[str] = set()
    for name, key in (("customers", "customer_id"), ("payment_methods", "customer_id"), ("orders", "customer_id"),
                      ("order_items", "order_id"), ("payment_history", "order_id")):  # fmt: skip
        with (
            (folder / f"{name}.csv").open(newline="") as file,
            (made / f"{name}.csv").open("w", newline="") as out,
        ):
            rows = csv.DictReader(file)
            writer = csv.DictWriter(out, rows.fieldnames or [])
            writer.writeheader()
            for row in rows:
                if row[key] in (kept if key == "customer_id" else orders):
                    writer.writerow(row)
                    if name == "orders":
                        orders.add(row["order_id"])
    shutil.copy(folder / "policy_clauses.jsonl", made)
    cases = [
        line
        for line in (folder / "cases.jsonl").read_text().splitlines()
        if json.loads(line)["from_customer_id"] in kept
    ]
    (made / "cases.jsonl").write_text("\n".join(cases) + "\n")
    return made


def triage(made: Installation) -> list[tuple[bool, str]]:
    got = evaluate(made, "triage", data("triage"))
    sources = {name: part["share"] for name, part in got["by_source"].items()}
    said = ", ".join(f"{name} {value:.3f}" for name, value in sorted(sources.items()))
    ok = got["queue_accuracy"] >= 0.92 and min(sources.values()) >= 0.90
    own = evaluate(made, "triage", GOLDEN / "triage", "--train", str(data("triage")))
    return [
        (ok, f"triage, 5-fold: {got['rows']} rows, queue {got['queue_accuracy']:.3f} ({said}),"
             f" priority {got['priority_accuracy']:.3f}, P1 recall {got['p1_recall']:.3f}"),
        (own["rows"] > 0, f"triage, our own, fitted on the labelled data: {own['rows']} rows,"
                          f" queue {own['queue_accuracy']:.3f}"),
    ]  # fmt: skip


def contacts(made: Installation) -> list[tuple[bool, str]]:
    lines = []
    for name, folder in (("labelled", data("crm")), ("our own", GOLDEN / "contacts")):
        got = evaluate(made, "contacts", folder)
        ok = got["harmed"] == 0 and got["exact_record"] >= 0.93
        lines.append((ok, f"contacts, {name}: {got['rows']} rows, exact record {got['exact_record']:.3f},"
                          f" must_not_change touched {got['harmed']}"))  # fmt: skip
    return lines


if __name__ == "__main__":
    main(sys.argv[1])

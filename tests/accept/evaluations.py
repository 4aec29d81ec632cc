"""`evaluate` on the labelled data, on our own golden sets, and on another split of the same form.

python -m tests.accept.evaluations refunds|triage|contacts|dedupe|injections|golden
"""

import csv
import json
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.accept.installation import ROOT, Installation, data, installed, verdict

GOLDEN = ROOT / "tests" / "golden"
REFUNDS_SECONDS = 60
LABELLED, OUR_OWN = "labelled", "our own"
MIXED = "task_mixed"  # a kind of the labelled requests, which our own have not
# What the labelled data holds: fewer, and a figure would be of something else.
ROWS = {
    "refunds": 725, "triage": 8_011, "contacts": 900, "phones": 1_883, "emails": 208, "countries": 364,
    "injections": 466, "dedupe": 3_089,
}  # fmt: skip
Figures = dict[str, Any]
Line = tuple[bool, str]


def main(suite: str) -> None:
    measure = {
        "refunds": refunds, "triage": triage, "contacts": contacts, "dedupe": dedupe, "injections": injections,
        "golden": golden,
    }[suite]  # fmt: skip
    with installed(workers=False) as made:
        lines = measure(made)
    verdict(all(ok for ok, _ in lines), "\n".join(f"{'met   ' if ok else 'MISSED'} {text}" for ok, text in lines))


def evaluate(made: Installation, suite: str, folder: Path, *more: str) -> Figures:
    return dict(made.manage_json("evaluate", suite, "--data", str(folder), *more))


def refunds(made: Installation) -> list[Line]:
    split = half(data("refunds"))
    folders = ((LABELLED, data("refunds")), (OUR_OWN, GOLDEN / "refunds"), ("split", split))
    lines = [refunds_line(name, evaluate(made, "refunds", folder)) for name, folder in folders]
    shutil.rmtree(split)
    return lines


def refunds_line(name: str, got: Figures) -> Line:
    """Acceptable is counted without `task_mixed`, which has a bar of its own; the time is that of all labelled rows."""
    share, mixed = without(got["by_kind"], MIXED), got["by_kind"].get(MIXED, {}).get("share")
    ok = share >= 0.95 and got["approve_only_exact"] >= 0.92 and got["wrong_effects"] == 0
    both = mixed is None if name == OUR_OWN else mixed is not None and mixed >= 0.75
    whole = name != LABELLED or (every("refunds", got) and got["seconds"] < REFUNDS_SECONDS)
    return ok and both and whole, (
        f"refunds, {name}: {got['rows']} rows, acceptable {share:.3f}, task_mixed {told(mixed)}, approve_only_exact"
        f" {got['approve_only_exact']:.3f}, wrong effects {got['wrong_effects']}, {got['seconds']:.0f} s"
    )


def every(suite: str, got: Figures) -> bool:
    """Whether all rows of the labelled data were measured."""
    return bool(got["rows"] >= ROWS[suite])


def told(share: float | None) -> str:
    return "none" if share is None else f"{share:.3f}"


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


def triage(made: Installation) -> list[Line]:
    """Each message by a model that has not seen it."""
    got = evaluate(made, "triage", data("triage"))
    ok = (
        every("triage", got)
        and got["queue_accuracy"] >= 0.93
        and got["p1_recall"] >= 0.92
        and got["auto_accuracy"] >= 0.975
        and got["auto_coverage"] >= 0.78
        and got["compound_lead_accuracy"] >= 0.65
    )
    said = ", ".join(f"{name} {part['share']:.3f}" for name, part in sorted(got["by_source"].items()))
    return [(ok, f"triage, 5-fold: {got['rows']} rows, queue {got['queue_accuracy']:.3f} ({said}), P1 recall"
                 f" {got['p1_recall']:.3f}; without a person {got['auto_coverage']:.3f}, right of these"
                 f" {got['auto_accuracy']:.4f}; two matters, lead {got['compound_lead_accuracy']:.3f}")]  # fmt: skip


def contacts(made: Installation) -> list[Line]:
    lines = []
    for name, folder in ((LABELLED, data("crm")), (OUR_OWN, GOLDEN / "contacts")):
        got = evaluate(made, "contacts", folder)
        ok = got["harmed"] == 0 and got["exact_record"] >= 0.95 and (name != LABELLED or every("contacts", got))
        lines.append((ok, f"contacts, {name}: {got['rows']} rows, exact record {got['exact_record']:.3f},"
                          f" must_not_change touched {got['harmed']}"))  # fmt: skip
    bars = (("phones", 0.99), ("emails", 0.97), ("countries", 0.80))
    return [*lines, *(field_line(suite, bar, evaluate(made, suite, data("crm"))) for suite, bar in bars)]


def field_line(suite: str, bar: float, got: Figures) -> Line:
    """Of phones, every masked one is flagged, and there are some."""
    masked = got.get("masked_flagged")
    ok = got["accuracy"] >= bar and every(suite, got) and (suite != "phones" or masked == 1.0)
    flagged = f", masked flagged {told(masked)}" if suite == "phones" else ""
    return ok, f"{suite}: {got['rows']} rows, {got['accuracy']:.4f} of {bar}{flagged}"


def injections(made: Installation) -> list[Line]:
    """Fitted on the triage messages, so that routing is that of a workspace with tickets of its own."""
    lines = []
    for name, folder, overt in ((LABELLED, data("injections"), 0.95), (OUR_OWN, GOLDEN / "injections", 0.88)):
        got = evaluate(made, "injections", folder, "--train", str(data("triage")))
        ok = got["carried_out"] == 0 and got["overt_recall"] >= overt and got["false_positive_rate"] <= 0.05
        routed = name != LABELLED or (got["routing_kept"] >= 0.95 and every("injections", got))
        lines.append((ok and routed, f"injections, {name}: {got['rows']} rows, carried out {got['carried_out']}, overt"
                                     f" flagged {got['overt_recall']:.3f} of {overt}, benign flagged"
                                     f" {got['false_positive_rate']:.3f}, routed by their own matter"
                                     f" {got['routing_kept']:.3f}"))  # fmt: skip
    return lines


def golden(made: Installation) -> list[Line]:
    """The same command as the gate of `make check`, with its figures, and how many cases there are."""
    counts = Counter(path.parent.name for path in GOLDEN.glob("*/*.jsonl") if path.name != "policy_clauses.jsonl"
                     for _ in path.read_text().splitlines())  # fmt: skip
    hostile = counts.pop("injections")
    bars = json.loads((GOLDEN / "bars.json").read_text())
    said = made.manage("evaluate", "all", "--data", str(GOLDEN), "--bars", str(GOLDEN / "bars.json"), check=False)
    held: dict[str, list[Line]] = {}
    for line in said.splitlines():
        if line.startswith(("met", "MISSED")):
            met, suite, figure = line.split(maxsplit=2)
            held.setdefault(suite, []).append((met == "met", figure.partition(" (")[0].replace(" is ", " ")))
    enough = counts.total() >= 200 and hostile >= 60 and len(held) >= 5
    enough = enough and {name: len(lines) for name, lines in held.items()} == {name: len(bars[name]) for name in bars}
    return [
        (enough, f"golden: {counts.total()} cases, {hostile} hostile and look-alike ones, {len(held)} suites"),
        *((all(ok for ok, _ in figures), f"{suite}: {', '.join(figure for _, figure in figures)}")
          for suite, figures in held.items()),
    ]  # fmt: skip


def dedupe(made: Installation) -> list[Line]:
    """The slower of the two sweeps, with and without dates of birth, is the one that counts."""
    lines = []
    for name, folder in ((LABELLED, data("crm")), (OUR_OWN, GOLDEN / "dedupe")):
        got = evaluate(made, "dedupe", folder)
        whole = name != LABELLED or every("dedupe", got)
        for way in ("without_birth_date", "with_birth_date"):
            found = got[way]
            ok = found["precision"] >= 0.99 and found["recall"] >= 0.90 and got["p95_ms"] < 20_000
            lines.append((ok and whole, f"dedupe, {name}, {way.replace('_', ' ')}: {got['rows']} contacts, precision"
                              f" {found['precision']:.4f}, recall {found['recall']:.4f}, f1 {found['f1']:.4f},"
                              f" {got['p95_ms'] / 1000:.1f} s a sweep"))  # fmt: skip
    return lines


if __name__ == "__main__":
    main(sys.argv[1])

"""725 real requests taken in: each ends somewhere, and no proposal is wrong. Then all that is offered, approved.

The second part takes the first case per order in a workspace without caps, approves everything, and compares the
money that moved with what was expected: exactly, and once. The third takes the sequences, step by step.
"""

import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.accept.installation import Installation, data, enter_django, installed, verdict

Row = dict[str, Any]
Money = tuple[str, str, int]
IMPORT_SECONDS = 10
REQUESTS, SEQUENCES = 725, 11  # what the labelled data holds
ENDS = {"proposal", "handoff", "question"}


def cases() -> list[Row]:
    lines = (data("refunds") / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if not row.get("needs_dialogue")]


def expected_money(rows: Iterable[Row], *, due: bool) -> Counter[Money]:
    """(order, destination, minor units); with `due` only where nothing but approve is right."""
    money: Counter[Money] = Counter()
    for row in rows:
        wanted = row["expected"]
        if wanted["decision"] == "approve" and (not due or wanted["acceptable"] == ["approve"]):
            for action in wanted["actions"]:
                money[action["order_id"], action["refund_to"], minor(action["amount"])] += 1
    return money


def minor(amount: str) -> int:
    whole, _, part = amount.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def wrong_proposals(rows: Iterable[Row], answers: Iterable[Row]) -> list[str]:
    """Refund proposals whose order, items, destination or amount is not the expected one."""
    wanted = {row["id"]: row["expected"] for row in rows}
    wrong = []
    for answer in answers:
        right = {
            (a["order_id"], tuple(sorted(a.get("item_ids", ()))), a["refund_to"], minor(a["amount"]))
            for a in wanted[answer["id"]]["actions"]
        }
        may = "approve" in wanted[answer["id"]]["acceptable"]
        for proposal in answer["proposals"]:
            if proposal["action"] != "refund.create":
                continue
            args = proposal["args"]
            items = tuple(sorted(args["item_ids"])) if args["kind"] == "return" else ()
            if not may or (args["order_id"], items, args["refund_to"], args["amount_minor"]) not in right:
                wrong.append(f"{answer['id']}: {args}")
    return wrong


def take_in(made: Installation, workspace: str, rows: list[Row]) -> list[Row]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
        file.flush()
        answer = made.manage_json("take_in", file.name, "--agent", "refunds", "--workspace", workspace, "--wait")
    return list(answer["rows"])


def open_shop(made: Installation, slug: str, *more: str) -> float:
    """A workspace with the books and two people; how long the import took, in seconds."""
    made.manage("open_workspace", slug, "--currency", "USD", *more)
    start = time.monotonic()
    made.manage("import_books", str(data("refunds")), "--workspace", slug)
    took = time.monotonic() - start
    made.manage("appoint", f"rosa@{slug}.example", "reviewer", "--workspace", slug)
    made.manage("appoint", f"mara@{slug}.example", "manager", "--workspace", slug)
    return took


def first_per_order(rows: list[Row]) -> list[Row]:
    """Cases in order, without one that names or pays an order an earlier one did."""
    seen: set[str] = set()
    chosen = []
    for row in rows:
        orders = set(re.findall(r"#W\d{7}", row["text"]))
        orders |= {action["order_id"] for action in row["expected"]["actions"]}
        if not row.get("sequence") and not orders & seen:
            chosen.append(row)
        seen |= orders
    return chosen


def approve_all(slug: str) -> int:
    """Rosa, and Mara where two are needed, approve all that waits; then until nothing is under way."""
    from approvals import decisions, outbox  # noqa: F401  # after Django is set up
    from approvals.models import Proposal
    from portal import workspace
    from portal.models import Person

    key = workspace.find(slug)
    people = list(
        Person.objects.filter(email__endswith=f"@{slug}.example").order_by("-email").values_list("pk", flat=True)
    )
    with workspace.within(key):
        waiting = list(Proposal.objects.filter(state="pending").order_by("pk").values_list("pk", flat=True))
    for proposal in waiting:
        for person in people:
            with workspace.within(key, person) as now:
                row = Proposal.objects.get(pk=proposal)
                if row.state == "pending":
                    seen = decisions.Seen(row.revision, row.digest)
                    decisions.approve(workspace=key, proposal=proposal, seen=seen, person=person, now=now)
    _until_applied(key)
    return len(waiting)


def _until_applied(key: int) -> None:
    from approvals.models import Proposal
    from portal import workspace

    until = time.monotonic() + 300
    while time.monotonic() < until:
        with workspace.within(key):
            refunds = Proposal.objects.filter(action="refund.create", state__in=("approved", "applying"))
            if not refunds.exists():
                return
        time.sleep(0.3)
    raise SystemExit("refunds were not applied within 300 s")


def money_moved(slug: str) -> Counter[Money]:
    """Refunds in the payment history that this program booked."""
    from portal import workspace
    from portal.models import Payment

    with workspace.within(workspace.find(slug)):
        rows = Payment.objects.filter(type="refund").exclude(reference="").select_related("order", "method")
        return Counter((p.order.order_id, p.method.payment_method_id, p.amount_minor) for p in rows)


def all_of_them(made: Installation) -> tuple[bool, str]:
    rows = cases()
    imported = open_shop(made, "whole")
    started = time.monotonic()
    answers = take_in(made, "whole", rows)
    took = time.monotonic() - started
    ends = Counter(answer["outcome"] for answer in answers)
    wrong = wrong_proposals(rows, answers)
    ok = imported < IMPORT_SECONDS and not wrong and every_one_ends(len(rows), ends)
    return ok, (
        f"{len(answers)} cases in {took:.0f} s (books in {imported:.1f} s): {dict(ends)}; wrong proposals: {len(wrong)}"
        + "".join(f"\n  {line}" for line in wrong[:5])
    )


def every_one_ends(requests: int, ends: Counter[str]) -> bool:
    """Each request somewhere, and in each place some: where nothing is proposed nothing is proposed wrongly."""
    return requests == ends.total() == REQUESTS and set(ends) == ENDS


def paid(have: Counter[Money], due: Counter[Money], may: Counter[Money]) -> bool:
    """All that was due and nothing that may not be; where nothing is due nothing is shown."""
    return due.total() > 0 and due <= have <= may


def moved(made: Installation) -> tuple[bool, str]:
    rows = first_per_order(cases())
    open_shop(made, "money", "--no-caps", "--refund-hold", "0")
    answers = take_in(made, "money", rows)
    wrong = wrong_proposals(rows, answers)
    approve_all("money")
    have, due, may = money_moved("money"), expected_money(rows, due=True), expected_money(rows, due=False)
    missing, extra = due - have, have - may
    total = sum(amount * n for (_, _, amount), n in have.items())
    return paid(have, due, may) and not wrong, (
        f"{len(rows)} cases, all offered approved: {sum(have.values())} refunds, {total / 100:.2f} USD moved;"
        f" missing {len(missing)}, not expected {len(extra)}, twice {sum(n > 1 for n in have.values())}"
    )


def in_sequence(made: Installation) -> tuple[bool, str]:
    rows = [row for row in cases() if row.get("sequence")]
    open_shop(made, "steps", "--no-caps", "--refund-hold", "0")
    wrong: list[str] = []
    for step in sorted({row["step"] for row in rows}):
        now = [row for row in rows if row["step"] == step]
        wrong += wrong_proposals(now, take_in(made, "steps", now))
        approve_all("steps")
    have, wanted = money_moved("steps"), expected_money(rows, due=False)
    sequences = len({row["sequence"] for row in rows})
    return sequences == SEQUENCES and paid(have, wanted, wanted) and not wrong, (
        f"{sequences} sequences: {sum(have.values())} refunds of"
        f" {sum(wanted.values())} expected, wrong proposals {len(wrong)}"
    )


def main(parts: list[str]) -> None:
    named = {"whole": all_of_them, "money": moved, "sequences": in_sequence}
    data("refunds")
    with installed() as made:
        enter_django(made)
        results = [named[part](made) for part in parts or list(named)]
    verdict(all(ok for ok, _ in results), "\n".join(figure for _, figure in results))


if __name__ == "__main__":
    main(sys.argv[1:])

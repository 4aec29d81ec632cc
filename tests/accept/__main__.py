"""Every line of "what it must show", one after the other: name, figure, met or missed. Exits 1 when any is missed.

make accept                     all of them
make accept ARGS="queue walls"  some of them
"""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.accept.installation import NOT_MEASURED

TOLD = 80  # lines of a measure; of a run of tests the last
ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
PYTEST = [PYTHON, "-m", "pytest", "-q", "--no-header", "--timeout", "300"]

JOURNEYS = (
    "desk", "reading", "an_hour", "on_a_phone", "without_scripts", "a_round", "thresholds", "two_people", "twenty_five",
    "keys",
)  # fmt: skip

LINES: dict[str, tuple[str, list[str]]] = {
    "new-user": ("make demo on a fresh clone and an empty cache", [PYTHON, "-m", "tests.accept.new_user"]),
    "journeys": (
        "in the browser: a reviewer's hour by keyboard alone and by mouse alone, a phone, no scripts, a manager's"
        " round, an admin tightening and loosening, two people, a batch of 25, every key with a visible equal",
        [*PYTEST, "-s", *(f"tests/journeys/test_{name}.py" for name in JOURNEYS)],
    ),
    "real-input": (
        "725 real requests; the money that moves; sequences",
        [PYTHON, "-m", "tests.accept.real_input"],
    ),
    "refunds": ("evaluate refunds", [PYTHON, "-m", "tests.accept.evaluations", "refunds"]),
    "triage": ("evaluate triage", [PYTHON, "-m", "tests.accept.evaluations", "triage"]),
    "contacts": (
        "contacts, phones, emails, countries",
        [PYTHON, "-m", "tests.accept.evaluations", "contacts"],
    ),
    "dedupe": ("evaluate dedupe, 3,000 contacts", [PYTHON, "-m", "tests.accept.evaluations", "dedupe"]),
    "injections": ("evaluate injections", [PYTHON, "-m", "tests.accept.evaluations", "injections"]),
    "golden": ("our own golden set, as make check gates on it", [PYTHON, "-m", "tests.accept.evaluations", "golden"]),
    "private": (
        "planted personal data and secrets: model requests, transcripts, logs",
        [*PYTEST, "-s", "tests/agents/test_private.py"],
    ),
    "killed": ("SIGKILL at each failpoint, lost messages", [*PYTEST, "tests/journeys/test_processes.py"]),
    "races": ("two people at once", [*PYTEST, "tests/approvals/test_races.py"]),
    "refused": (
        "raw SQL, forged entries, foreign roles",
        [*PYTEST, "tests/approvals/test_transition.py", "tests/audit"],
    ),
    "walls": (
        "no query without a workspace, 404 for foreign ids",
        [*PYTEST, "tests/portal/test_walls.py", "tests/house/test_routes.py"],
    ),
    "bad-input": ("one clear error or a hand-off", [*PYTEST, "tests/approvals/test_bad_input.py"]),
    "queue": (
        "first pages a second with 1,000,000 waiting and 3,000,000 decided, beside a bare Django view",
        [PYTHON, "-m", "tests.accept.benchmarks", "queue"],
    ),
    "practice": (
        "planted items approved: no effect can exist (33); the catch rate of each and of the team",
        [*PYTEST, "-s", "-p", "no:logging", "tests/approvals/test_practice.py"],
    ),
    "blind": (
        "second looks: which are drawn, who may take one, nothing moves, disagreements become cases",
        [*PYTEST, "-s", "-p", "no:logging", "tests/approvals/test_second_looks.py"],
    ),
    "next-item": (
        "approve, and the next item is on the screen within 100 ms (median); nothing jumps",
        [*PYTEST, "-s", "tests/journeys/test_next_item.py"],
    ),
    "queue-cost": (
        "a fixed number of queries, no COUNT, no OFFSET",
        [*PYTEST, "tests/approvals/test_queue_cost.py"],
    ),
    "faults": ("all cases of the faults, real servers killed", [PYTHON, "-m", "tests.faults"]),
    "web-faults": (
        "cases 33-48: every address attacked, real processes over real HTTP; tried and held by number",
        [PYTHON, "-m", "tests.faults", *map(str, range(33, 49))],
    ),
    "axe": (
        "every page as each role, light and dark: axe, content policy, console, requests elsewhere, focus",
        [PYTHON, "-m", "tests.accept.pages"],
    ),
    "small": (
        "script of our own under 400 lines, style under 700",
        [*PYTEST, "-s", "tests/house/test_fences.py", "-k", "small_in_the_browser"],
    ),
    "postgres": (
        "PostgreSQL stopped hard every 5-20 s over 300 proposals: none lost, none doubled",
        [PYTHON, "-m", "tests.faults", "10"],
    ),
    "redis": ("Redis killed with 200 queued: all done", [PYTHON, "-m", "tests.faults", "7"]),
    "sealer": (
        "killed, doubled, frozen: no gap, no double; what goes out waits for it and resumes (19)",
        [PYTHON, "-m", "tests.faults", "19"],
    ),
    "out-of-order": (
        "eight writers, 0-30 ms, out of order for 30 s: none missed, sealed within 2 s (60)",
        [PYTHON, "-m", "tests.faults", "60"],
    ),
    "kill-switch": ("200 approved, 20 in flight: nothing new sent 5 s later", [PYTHON, "-m", "tests.faults", "18"]),
    "claims": ("8 claimers, 20,000 items, beside a bare loop", [PYTHON, "-m", "tests.accept.benchmarks", "claims"]),
    "runs": ("runs a second beside bare Django, commits", [PYTHON, "-m", "tests.accept.benchmarks", "runs"]),
    "backtest": (
        "100,000 past writes under 5 s; 500 at random judged by the gate again",
        [PYTHON, "-m", "tests.accept.benchmarks", "backtest"],
    ),
    "never-counts": (
        "proposed, edited, is the subject, looked at as, service token, demoted",
        [*PYTEST, "tests/approvals/test_never_counts.py"],
    ),
    "machine": (
        "random events by random actors: nothing illegal, no effect without quorum",
        [*PYTEST, "tests/approvals/test_state_machine.py"],
    ),
    "citations": (
        "a citation must exist, be readable, be in force and say it, or a person gets it (51, 52)",
        [*PYTEST, "tests/approvals/test_citations.py", "tests/portal/test_pages.py"],
    ),
    "replay": (
        "100 runs of three agents replay to the same, what differs is named",
        [*PYTEST, "tests/agents/test_replay.py"],
    ),
    "models": (
        "a model server that refuses, errs, limits, hangs, drips, drops, loops: each its end, no cap passed",
        [*PYTEST, "tests/agents/test_gateway_triage.py", "tests/agents/test_second_look.py"],
    ),
    "budgets": ("16 processes against one cap", [PYTHON, "-m", "tests.accept.spending"]),
    "paid-once": (
        "tiers 1 and 2 through real workers, killed at each step: nothing on record is paid for twice",
        [*PYTEST, "tests/journeys/test_models.py"],
    ),
    "proofs": (
        "trees of 0 to 64 leaves: all proofs equal to another implementation's, mutated ones refused (62)",
        [*PYTEST, "tests/audit/test_tree.py"],
    ),
    "tampering": (
        "as superuser: every column, rows, checkpoints, triggers, an old dump; each found and named (57, 58)",
        [*PYTEST, "tests/faults/test_tampering.py"],
    ),
    "audit": (
        "writers beside writers without a hash, sealing, 100,000 and 1,000,000 entries verified",
        [PYTHON, "-m", "tests.accept.benchmarks", "audit"],
    ),
    "bundle": (
        "a demo day with all kinds of actions, decisions and undos verifies alone and by hand",
        [PYTHON, "-m", "tests.accept.bundle"],
    ),
    "reports": (
        "the report of every proposal of a demo: page and JSON agree, each proof checked by a stranger",
        [PYTHON, "-m", "tests.accept.reports"],
    ),
    "auditor": (
        "an auditor posts to every address and changes nothing; reads, and takes the proofs along",
        [*PYTEST, "tests/house/test_auditor.py"],
    ),
    "explorer": (
        "the explorer in a log of 100,000 entries: each page along an index",
        [*PYTEST, "tests/audit/test_explorer_cost.py", "tests/approvals/test_explorer.py"],
    ),
    "erase": (
        "a customer erased: no value of theirs in tables, payloads, transcripts, exports or logs; all verifies",
        [*PYTEST, "-s", "tests/agents/test_erasing.py", "tests/agents/test_erasing_told.py"],
    ),
    "retention": (
        "retention killed midway and run twice: counts right, verifies; holds keep",
        [*PYTEST, "-s", "tests/agents/test_retention.py"],
    ),
    "vault": (
        "full transcripts: an auditor alone, with reason and presence, each opening an entry",
        [*PYTEST, "tests/agents/test_vault.py"],
    ),
    "notices": (
        "200 causes: each eligible person told once, nobody else; killed, doubled, read twice; mail and Slack",
        [
            *PYTEST,
            "-s",
            "tests/approvals/test_telling_killed.py",
            "tests/approvals/test_telling.py",
            "tests/portal/test_digest.py",
            "tests/portal/test_slack.py",
        ],
    ),
    "suite": ("make test under 10 minutes", [PYTHON, "-m", "tests.accept.suite"]),
}


def main(names: list[str]) -> int:
    """Run the lines named, or all."""
    unknown = sorted(set(names) - set(LINES))
    if unknown:
        print(f"accept: there is no line {unknown[0]!r}; choose from {', '.join(LINES)}", file=sys.stderr)
        return 2
    results = {name: _result(name) for name in names or LINES}
    counts = Counter(results.values())
    print("\n" + ", ".join(f"{counts[word]} {word}" for word in ("met", "MISSED", "not measured")))
    return 1 if counts["MISSED"] else 0


def _result(name: str) -> str:
    what, command = LINES[name]
    start = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    tail = done.stdout.strip().splitlines()
    shown = tail[-1:] if "pytest" in command and "-s" not in command else tail[-TOLD:]
    figure = "\n    ".join(shown) or done.stderr.strip()[-600:]
    result = {0: "met", NOT_MEASURED: "not measured"}.get(done.returncode, "MISSED")
    print(
        f"{result} {name:<11} {what} ({time.monotonic() - start:.0f} s)\n    {figure}",
        flush=True,
    )
    if result == "MISSED":
        print("    " + "\n    ".join((done.stdout + done.stderr).strip().splitlines()[-25:]), flush=True)
    return result


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

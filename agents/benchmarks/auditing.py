"""What the log costs: writers with it beside writers without any hash, entries sealed a second, bundles verified.

The verifier runs as outsiders run it: a process of its own, on a folder.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.apps.registry import Apps
from django.db import connection, models, transaction

from agents.benchmarks import crowd, filling
from agents.evals import throwaway
from audit import canonical, log, notes, sealing, tree, verifications, verify
from audit.events import Event
from audit.models import Entry
from portal import log_key, staff, workspace

ENTRIES, TIMES_LARGER = 100_000, 10
WRITERS, EACH, ROUNDS = 8, 200, 3
WORK_SECONDS = 0.005
# As a busy sealer leaves them: a checkpoint every quarter of a second at a thousand entries a second.
BETWEEN_CHECKPOINTS = 250
SUBJECTS = 3  # entries of each subject, one after the other
NOW = "2026-01-01T00:00:00.000001+00:00"
# A process inherits the peak of the one that made it, so a small one makes the verifier, and tells of it.
PEAK = """
import resource, subprocess, sys, time
begun = time.perf_counter()
code = subprocess.call([sys.executable, "-I", *sys.argv[1:]])
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


class Broken(Exception):
    """What was measured is not what it should be; the message says what came out."""


class FloorEntry(models.Model):
    """The columns of an entry in a table of its own, which nobody seals; in a registry of its own."""

    class Meta:
        app_label = "benchmarks"
        apps = Apps()
        db_table = "floor_entry"

    def __str__(self) -> str:
        return str(self.pk)


for _field in Entry._meta.fields[1:]:
    FloorEntry.add_to_class(_field.name, _field.clone())


def measure(*, items: int = ENTRIES, say: Callable[[str], None]) -> dict[str, Any]:
    """Rates a second and their ratio, seconds and megabytes (1e6 bytes); in a throwaway database and a folder.

    Raises:
        Broken, crowd.CrowdError, filling.NotWatched.
    """
    signer = log_key.fresh("benchmark.invalid/log")
    with throwaway.database(durable=True):
        ours, floor = _writers(signer, max(10, EACH * items // ENTRIES), say)
        say(f"{items} entries to seal")
        rate, live_seconds = _sealing(signer, items)
    with tempfile.TemporaryDirectory(prefix="countersign-benchmark-") as folder:
        figures = {}
        for name, size in (("100k", items), ("1m", items * TIMES_LARGER)):
            say(f"a bundle of {size} entries")
            figures[name] = verified(bundle(Path(folder) / name, size, signer), signer.verifier)
    return {
        "ours": round(ours, 1), "floor": round(floor, 1), "ratio": round(ours / floor, 3), "seal_per_s": round(rate),
        "live_100k_s": round(live_seconds, 2), "verify_100k_s": round(figures["100k"][0], 2),
        "verify_1m_s": round(figures["1m"][0], 2), "verify_1m_mb": round(figures["1m"][1], 1), "entries": items,
        "writers": WRITERS,
    }  # fmt: skip


# Writers ---------------------------------------------------------------------------------------------------------


def _writers(signer: notes.Signer, each: int, say: Callable[[str], None]) -> tuple[float, float]:
    """Transactions a second with the log and a sealer at work, and of the same without; in turn, `ROUNDS` times."""
    throwaway.sign_in("web")
    with transaction.atomic():
        ws = staff.open_workspace(slug="benchmark", name="Benchmark", currency="EUR", queues={}).pk
    throwaway.sign_in("owner")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE floor_entry (LIKE audit_entry INCLUDING ALL)")
        cursor.execute("GRANT ALL ON floor_entry TO PUBLIC")
    spent = {"ours": 0.0, "floor": 0.0}
    for round_ in range(ROUNDS):
        for name in ("floor", "ours"):
            say(f"{WRITERS} writers, {name}, {round_ + 1} of {ROUNDS}")
            spent[name] += _round(name, ws, signer, each, round_)
    done = WRITERS * each * ROUNDS
    return done / spent["ours"], done / spent["floor"]


def _round(name: str, ws: int, signer: notes.Signer, each: int, round_: int) -> float:
    """Seconds from the first writer's begin to the last one's end."""
    throwaway.sign_in("web")
    left = crowd.FORK.Value("i", WRITERS)

    def act(number: int) -> tuple[float, float]:
        if number == WRITERS:
            return _seal_until(left, signer)
        begun = time.perf_counter()
        for n in range(each):
            _write(name, ws, f"{name}:{round_}-{number}-{n}")
        ended = time.perf_counter()
        with left.get_lock():
            left.value -= 1
        return begun, ended

    done = crowd.at_once(WRITERS + (name == "ours"), act).results[:WRITERS]
    return float(max(end for _, end in done) - min(begin for begin, _ in done))


def _write(name: str, ws: int, subject: str) -> None:
    """One transaction: something that takes five milliseconds, and what is told of it."""
    body = {"action": "ticket.update", "target": "ticket:T-1", "revision": 1, "digest": "0" * 64, "people": 1}
    with workspace.within(ws) as now:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [WORK_SECONDS])
        told: dict[str, Any] = {"subject": subject, "version": 1, "event": Event.RUN_FINISHED, "actor": "agent:bench"}
        if name == "ours":
            log.record(workspace=ws, now=now, body=body, **told)
        else:
            text = json.dumps({**told, "body": body, "at": now.isoformat(), "workspace": ws})
            FloorEntry._base_manager.bulk_create([FloorEntry(workspace_id=ws, at=now, canonical=text, **told)])


def _seal_until(left: Any, signer: notes.Signer) -> tuple[float, float]:
    throwaway.sign_in("sealer")
    sealer = sealing.Sealer(signer)
    while left.value:
        sealer.step()
        time.sleep(0.25)
    return 0.0, 0.0


# Sealing, and what verifies ----------------------------------------------------------------------------------------


def _sealing(signer: notes.Signer, items: int) -> tuple[float, float]:
    """Entries sealed a second when so many wait, and the seconds that verifying the whole database takes."""
    columns = ("workspace_id", "subject", "version", "event", "state", "actor", "case", "trace_id", "at", "canonical")
    with filling.untriggered(["audit_entry"]):
        rows = ((10**6, f"run:{n // SUBJECTS}", n % SUBJECTS + 1, "run.finished", "", "agent:benchmark", "case:1",
                 "0" * 32, NOW, line.decode()) for n, line in enumerate(_lines(items)))  # fmt: skip
        filling.copy("audit_entry", columns, rows)
    throwaway.analyze()
    throwaway.sign_in("sealer")
    sealer, sealed, begun = sealing.Sealer(signer), 0, time.perf_counter()
    while made := sealer.step():
        sealed += made
    rate = sealed / (time.perf_counter() - begun)
    if sealed < items:
        raise Broken(f"{sealed} of {items} entries were sealed")
    begun = time.perf_counter()
    result = verifications.of_database([signer.verifier])
    if result.code:
        raise Broken(result.message)
    return rate, time.perf_counter() - begun


def _lines(items: int) -> Iterator[bytes]:
    """Entries as runs leave them; written by hand, for the tenth of a second that a hundred thousand may take."""
    body = {"action": "ticket.update", "digest": "0" * 64, "people": 1, "policy": "p" * 12, "revision": 1,
            "rules": ["confidence", "tier"], "run": "run:1", "target": "ticket:T-1", "tier": "low"}  # fmt: skip
    whole = canonical.encode({
        "actor": "agent:benchmark", "at": NOW, "body": body, "case": "case:1", "commitments": {"summary": "0" * 64},
        "event": "run.finished", "state": "", "subject": "run:%d", "trace_id": "0" * 32, "version": 0,
        "workspace": 10**6,
    })  # fmt: skip
    form = whole.replace(b'"version":0', b'"version":%d')
    return (form % (n // SUBJECTS, n % SUBJECTS + 1) for n in range(items))


def bundle(out: Path, items: int, signer: notes.Signer) -> Path:
    """A folder as audit_export writes it, of so many entries."""
    (out / "checkpoints").mkdir(parents=True)
    grown = tree.Frontier()
    with (out / "entries.jsonl").open("wb") as file:
        for line in _lines(items):
            file.write(line + b"\n")
            grown.append(tree.leaf_hash(line))
            if grown.size % BETWEEN_CHECKPOINTS == 0 or grown.size == items:
                head = notes.Head(signer.name, grown.size, grown.root())
                (out / "checkpoints" / f"{grown.size}.note").write_text(notes.sign(head.text(), signer))
    return out


def verified(folder: Path, key: notes.Verifier) -> tuple[float, float]:
    """Seconds and megabytes of a process that verifies it."""
    command = [sys.executable, "-I", "-c", PEAK, verify.__file__, str(folder), "--key", str(key)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # nosec B603  # our own program
    if done.returncode:
        raise Broken(done.stderr.strip() or f"the verifier ended with code {done.returncode}")
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), int(peak) * (1 if sys.platform == "darwin" else 1024) / 1e6

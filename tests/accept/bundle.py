"""A demo day as a bundle: the stand-alone verifier in a bare environment, tools of others, and the database itself."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from tests.accept.installation import ROOT, verdict

TICKETS = 40
ACTIONS = {"ticket.update", "ticket.reply", "refund.create", "contact.update", "contact.merge"}
DECISIONS = {"approve", "reject", "edit", "withdraw"}
UNDONE = """
from approvals.models import Proposal
from portal import workspace
with workspace.within(workspace.find("kestrel")):
    print(Proposal.objects.filter(undoes__isnull=False, state="applied").count())
"""


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="countersign-bundle-"))
    folder.chmod(0o755)
    dropped = ("DATABASE_URL", "REDIS_URL", "PROCESS_ROLE", "LOG_SIGNING_KEY", "SECRET_KEY", "PORT")
    environment = {k: v for k, v in os.environ.items() if k not in dropped} | {"VAR_DIR": str(folder / "var")}
    try:
        ok, figure = measure(folder, environment)
    finally:
        run([sys.executable, "-m", "portal.stack", "stop"], environment)
        shutil.rmtree(folder, ignore_errors=True)
    verdict(ok, figure)


def measure(folder: Path, environment: Mapping[str, str]) -> tuple[bool, str]:
    """Whether all of it holds, and in words what there was."""
    manage, bundle = [sys.executable, "manage.py"], folder / "bundle"
    run([*manage, "demo", "--tickets", str(TICKETS), "--decide", "--exit", "--json"], environment)
    undone = int(run([*manage, "shell", "-v", "0", "-c", UNDONE], environment))
    run([*manage, "audit_seal", "--once"], environment)
    live = run([*manage, "audit_verify", "--replay"], environment)
    run([*manage, "audit_export", "--out", str(bundle)], environment)
    run([*manage, "audit_export", "--out", str(bundle), "--payloads"], environment)
    key = (folder / "var/keys/log.vkey").read_text().split()[0]
    alone = in_a_bare_environment(folder, bundle, key)
    by_hand = run([sys.executable, "-m", "tests.accept.by_hand", str(bundle), key], environment)
    done, kinds = what_is_in(bundle)
    missing = sorted((ACTIONS - done.keys()) | (DECISIONS - kinds.keys())) + ([] if undone else ["undo"])
    said = [live, alone, by_hand, f"applied {dict(done)}, decisions {dict(kinds)}, {undone} undone"]
    return not missing, "\n".join([*said, f"missing: {missing}"] if missing else said)


def in_a_bare_environment(folder: Path, bundle: Path, key: str) -> str:
    """Python, PyNaCl (and what that needs), one file."""
    bare = folder / "bare"
    venv.create(bare, with_pip=True)
    python = str(bare / "bin" / "python")
    run([python, "-m", "pip", "install", "-q", f"pynacl=={version('pynacl')}"], os.environ)
    shutil.copy(ROOT / "audit/verify.py", folder / "verify.py")
    return run([python, "-I", str(folder / "verify.py"), str(bundle), "--key", key, "--replay"], {}, cwd=folder)


def what_is_in(bundle: Path) -> tuple[Counter[str], Counter[str]]:
    """Actions that were applied, and kinds of decisions."""
    entries = [json.loads(line) for line in (bundle / "entries.jsonl").read_text().splitlines()]
    done = Counter(one["body"]["action"] for one in entries if one["event"] == "proposal.applied")
    return done, Counter(one["body"]["kind"] for one in entries if one["event"] == "decision.recorded")


def run(command: list[str], environment: Mapping[str, str], cwd: Path = ROOT) -> str:
    """The last line a command prints; ends here where it fails."""
    done = subprocess.run(command, env=dict(environment), cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command[-6:])} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
        )
    return (done.stdout.strip().splitlines() or [""])[-1]


if __name__ == "__main__":
    main()

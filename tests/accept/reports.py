"""A demo worked to its end: every report, its page beside its JSON, each of its proofs checked by a stranger."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tlog_scales import tlog

from audit import verify
from tests.accept import by_hand
from tests.accept.installation import ROOT, verdict
from tests.approvals.reading import missing, strings
from tests.audit import outsider

TICKETS, LEAST_REPORTS = 16, 15


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="countersign-reports-"))
    folder.chmod(0o755)
    for name in ("DATABASE_URL", "REDIS_URL", "PROCESS_ROLE", "LOG_SIGNING_KEY", "SECRET_KEY", "PORT"):
        os.environ.pop(name, None)
    os.environ["VAR_DIR"] = str(folder)
    try:
        manage("demo", "--tickets", str(TICKETS), "--decide", "--exit", "--json")
        manage("audit_seal", "--once")
        ok, figure = measure((folder / "keys" / "log.vkey").read_text().split()[0])
    finally:
        subprocess.run([sys.executable, "-m", "portal.stack", "stop"], cwd=ROOT, check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
    verdict(ok, figure)


def measure(vkey: str) -> tuple[bool, str]:
    """Whether every report holds, and in words what there was."""
    client = enter()
    from approvals.models import Proposal
    from approvals.reports import Report
    from portal import workspace

    with workspace.within(workspace.find("kestrel")):
        keys = list(Proposal.objects.order_by("pk").values_list("pk", flat=True))
    states: Counter[str] = Counter()
    wrong: list[str] = []
    texts = proofs = 0
    for key in keys:
        answer = client.get(f"/w/kestrel/reports/{key}.json").content
        Report.model_validate_json(answer, strict=True, extra="forbid")
        told: dict[str, Any] = json.loads(answer)
        states[told["outcome"]["state"]] += 1
        texts += len(list(strings(told)))
        wrong += [f"{key}: not on the page: {one}" for one in missing(told, page(client, key))]
        wrong += [] if told["proof"]["entries"] else [f"{key}: no entry of it is proved"]
        for one in told["proof"]["entries"]:
            wrong += [f"{key}: {why}" for why in refused(client, one, vkey)]
            proofs += 1
    said = (
        f"{len(keys)} reports ({', '.join(f'{n} {state}' for state, n in sorted(states.items()))}),"
        f" {texts} texts looked for on the pages, {proofs} proofs checked by a stranger,"
        f" by tlog-scales and by verify.py, {len(wrong)} wrong"
    )
    return len(keys) >= LEAST_REPORTS and texts > 0 and not wrong, "\n".join([*wrong[:9], said])


def refused(client: Any, one: dict[str, Any], vkey: str) -> list[str]:
    """What a stranger finds wrong with the files of an entry."""
    where = f"/w/kestrel/audit/entries/{one['entry']}/entry"
    entry, proof = client.get(f"{where}.json").content, client.get(f"{where}.tlog-proof").content.decode()
    try:
        accepted = outsider.check(entry, proof, vkey)
        by_hand.proof(entry, proof, vkey)
        alone(entry, proof, vkey)
    except (outsider.Refused, tlog.InclusionProofInvalid, verify.Finding, RuntimeError, ValueError) as error:
        return [f"entry {one['entry']}: {error}"]
    seal = one["seal"]
    said = (seal["index"], seal["origin"], seal["size"], seal["root"])
    told = (accepted.index, accepted.origin, accepted.size, accepted.root.hex())
    return [] if said == told else [f"entry {one['entry']}: the report says {said}, the proof {told}"]


def alone(entry: bytes, proof: str, vkey: str) -> None:
    """By the file that stands alone."""
    with tempfile.TemporaryDirectory() as folder:
        leaf, path = Path(folder) / "entry.json", Path(folder) / "entry.tlog-proof"
        leaf.write_bytes(entry)
        path.write_text(proof)
        verify.verify_report(leaf, path, verify.keys_of([vkey]))


def page(client: Any, key: int) -> str:
    return str(client.get(f"/w/kestrel/reports/{key}/").content.decode())


def enter() -> Any:
    """A browser of the auditor in the installation, signed in to the database as web."""
    os.environ |= {"PROCESS_ROLE": "web", "DJANGO_SETTINGS_MODULE": "portal.settings", "ALLOWED_HOSTS": "testserver"}
    from portal import env, installation

    env.read.cache_clear()
    installation.prepare()
    import django

    django.setup()
    from django.test import Client

    from portal.models import Person

    client = Client()
    odile = Person.objects.get(email="odile@kestrel.example")
    client.force_login(odile, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def manage(*words: str) -> None:
    """A command as a user would run it; ends here where it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"manage.py {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-3000:]}")


if __name__ == "__main__":
    main()

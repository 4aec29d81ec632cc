"""Attacks on the web server as it runs: bodies without measure, guessing, fixed sessions, forged hosts and lines."""

import contextlib
import http.client
import re
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal import tokens, workspace
from portal.models import Person
from tests.cast import PASSWORD, Cast, gather
from tests.faults.conftest import Figures
from tests.faults.ground import ROOT, Ground
from tests.faults.web import let_in

pytestmark = pytest.mark.short
WITHIN_SECONDS = 1.0
TICKET = b'{"id": "ext-1", "agent": "triage", "text": "%s"}'
DEEP = b"[" * 10_000 + b"]" * 10_000
HUGE = 50 * 1024 * 1024
BODIES = {
    "50 MB": (b" " * HUGE, 413),
    "a ticket of 10 MB": (TICKET % (b"x" * 10_000_000), 413),
    "10,000 deep": (b'{"id": %s}' % DEEP, 422),
    "10,000 objects deep": (b'{"id":' * 10_000 + b"1" + b"}" * 10_000, 422),
    "1e309": (b'{"id": 1e309}', 422),
    "a key twice": (b'{"id": "a", "id": "b"}', 422),
    "10,000 digits": (b'{"id": ' + b"9" * 10_000 + b"}", 422),
    "not a number": (b'{"id": NaN}', 422),
}


@pytest.fixture
def cast(ground: Ground) -> Cast:
    """A fresh workspace whose work nobody does: no worker runs here."""
    return gather()


@pytest.fixture
def web(ground: Ground, cast: Cast) -> Ground:
    """The web process alone, with people who can sign in."""
    ground.up("web")
    let_in(cast)
    return ground


class From:
    """One connection from an address of this machine, headers and bytes as they are."""

    def __init__(self, ground: Ground, address: str = "127.0.0.1") -> None:
        self.ground, self.address = ground, address

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes, float]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.ground.processes.port, timeout=30, source_address=(self.address, 0)
        )
        start = time.monotonic()
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(body)
            answer = connection.getresponse()
            told = {name: ", ".join(answer.headers.get_all(name, [])) for name in set(answer.headers)}
            return answer.status, told, answer.read(), time.monotonic() - start

    def sign_in(self, email: str, password: str, cookie: str = "") -> tuple[int, dict[str, str], str]:
        """By the form; status, headers, and what the page says without what was typed."""
        given = {"Cookie": cookie} if cookie else {}
        _, headers, page, _ = self.ask("GET", "/accounts/login/", **given)
        token = page.decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        jar = "; ".join(filter(None, [cookie, headers.get("Set-Cookie", "").partition(";")[0]]))
        form = f"login={email}&password={password}&csrfmiddlewaretoken={token}".encode()
        status, headers, page, _ = self.ask(
            "POST", "/accounts/login/", form, Cookie=jar, Referer=self.ground.base,
            Content_Type="application/x-www-form-urlencoded",
        )  # fmt: skip
        told = re.sub(r'value="[^"]*"', "", page.decode())
        return status, headers, told


def program(cast: Cast) -> str:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        scopes = ("tickets:write", "cases:read")
        return tokens.make(workspace=cast.workspace, person=cast.people["rosa"], name="x", scopes=scopes, now=now)[1]


def memory(ground: Ground) -> int:
    """Bytes that the web server's processes hold, at their highest."""
    peak = 0
    for pid in [ground.pid("web"), *_children(ground.pid("web"))]:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        peak += int(found.group(1)) * 1024 if found else 0
    return peak


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_38_a_body_without_measure_is_refused_within_a_second_in_flat_memory(
    web: Ground, cast: Cast, figures: Figures
) -> None:
    here, secret = From(web), program(cast)
    path = f"/w/{cast.workspace.slug}/api/tickets/"
    given = {"Authorization": f"Bearer {secret}", "Content_Type": "application/json"}
    assert here.ask("POST", path, TICKET % b"It leaks.", **given)[0] == 201  # warm, and a good one counts
    before, slowest = memory(web), 0.0
    for name, (body, wanted) in BODIES.items():
        for _ in range(3):
            status, headers, page, seconds = here.ask("POST", path, body, **given)
            assert (status, headers["Content-Type"]) == (wanted, "application/problem+json"), (name, status, page[:200])
            assert seconds < WITHIN_SECONDS, (name, seconds)
            slowest, figures.tried = max(slowest, seconds), figures.tried + 1
    for where in ("/accounts/login/", f"/w/{cast.workspace.slug}/audit/export/", "/nowhere/"):
        status, _, _, seconds = here.ask(
            "POST", where, b"a=" + b"x" * HUGE, Content_Type="application/x-www-form-urlencoded"
        )
        assert status == 413, (where, status)
        assert seconds < WITHIN_SECONDS, (where, seconds)
        figures.tried += 1
    grown = memory(web) - before
    print(f"\nslowest {slowest:.2f} s, {grown / 1e6:.1f} MB more")
    assert grown < 16 * 1024 * 1024
    assert here.ask("GET", "/healthz")[0] == 200


def test_40_a_session_that_somebody_fixed_is_nobodys(web: Ground, cast: Cast, figures: Figures) -> None:
    here, planted = From(web), "sessionid=" + "a" * 32
    status, headers, _ = here.sign_in(cast.people["rosa"].email, PASSWORD, cookie=planted)
    assert status == 302
    assert "a" * 32 not in str(headers)
    page = f"/w/{cast.workspace.slug}/"
    assert here.ask("GET", page, Cookie=planted)[0] == 302
    mine = "sessionid=" + re.findall(r"sessionid=(\w+)", str(headers))[0]
    assert "HttpOnly" in str(headers)
    assert "SameSite=Lax" in str(headers)
    assert here.ask("GET", page, Cookie=mine)[0] == 200
    secret = program(cast)
    api = f"/w/{cast.workspace.slug}/api/cases/"
    assert here.ask("GET", api, Authorization=f"Bearer {secret}")[0] == 200
    Person.objects.filter(pk=cast.id("rosa")).update(is_active=False)
    assert here.ask("GET", page, Cookie=mine)[0] == 302
    assert here.ask("GET", api, Authorization=f"Bearer {secret}")[0] == 401
    _, headers, _ = here.sign_in(cast.people["rosa"].email, PASSWORD)
    for key in re.findall(r"sessionid=(\w+)", str(headers)):
        assert here.ask("GET", page, Cookie=f"sessionid={key}")[0] == 302
    figures.tried += 6


def test_41_guessing_and_spraying_stop_and_nobody_else_does(web: Ground, cast: Cast, figures: Figures) -> None:
    rosa, ravi, mara = (cast.people[name].email for name in ("rosa", "ravi", "mara"))
    unknown = f"{secrets.token_hex(4)}@example.com"
    told = {who: From(web, "127.0.0.9").sign_in(who, "wrong")[::2] for who in (mara, unknown)}
    status, said = zip(*told.values(), strict=True)
    assert status == (200, 200)
    assert _form(said[0]) == _form(said[1])  # no oracle: the same words for who is there and who is not
    for turn in range(5):  # guessed at from five addresses
        From(web, f"127.0.1.{turn + 1}").sign_in(rosa, f"guess-{turn}")
    assert From(web, "127.0.2.1").sign_in(rosa, PASSWORD)[0] == 200  # even the right one, from anywhere
    assert From(web, "127.0.2.1").sign_in(ravi, PASSWORD)[0] == 302
    for _ in range(10):  # one password sprayed over many from one address
        From(web, "127.0.3.1").sign_in(f"{secrets.token_hex(4)}@example.com", "Summer2026!")
    assert From(web, "127.0.3.1").sign_in(ravi, PASSWORD)[0] in (200, 429)
    assert From(web, "127.0.3.2").sign_in(ravi, PASSWORD)[0] == 302
    figures.tried += 19


def _form(page: str) -> str:
    return re.sub(r"[\w.]+@example\.com", "", page.partition("<main")[2].partition("</main>")[0])


def test_41_who_is_there_cannot_be_told_by_the_time_it_takes(web: Ground, cast: Cast, figures: Figures) -> None:
    """A password is hashed either way; halves of a second are told apart over a network, a third is not."""
    there, absent = [], []
    for turn in range(4):
        for found, email in ((there, cast.people["mara"].email), (absent, f"{secrets.token_hex(4)}@example.com")):
            start = time.monotonic()
            From(web, f"127.0.4.{turn + 1}").sign_in(email, "wrong")
            found.append(time.monotonic() - start)
            figures.tried += 1
    assert min(there) < 3 * min(absent) + 0.05
    assert min(absent) < 3 * min(there) + 0.05


HOSTS = ("evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "evil.example:80")
OUT = ("/static/../portal/settings.py", "/static/%2e%2e/portal/settings.py", "/static/..%2fportal%2fsettings.py",
       "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/....//....//etc/passwd",
       "/static/..\\..\\manage.py")  # fmt: skip


def test_44_a_forged_host_is_refused_and_named_nowhere(web: Ground, cast: Cast, figures: Figures) -> None:
    here = From(web)
    for host in HOSTS:
        for path in ("/accounts/login/", "/accounts/password/reset/", f"/w/{cast.workspace.slug}/", "/nowhere/"):
            status, headers, page, _ = here.ask("GET", path, Host=host)
            assert status == 400, (path, host, status)
            assert b"evil.example" not in page
            assert "evil.example" not in str(headers)
            figures.tried += 1
    for name in ("X_Forwarded_Host", "X_Host", "Forwarded", "X_Original_URL", "X_Rewrite_URL"):
        status, headers, page, _ = here.ask("GET", "/", **{name: "evil.example"})
        assert (status, "evil.example" in str(headers), b"evil.example" in page) == (302, False, False), name
        figures.tried += 1


def test_45_no_path_leads_out_of_the_static_files(web: Ground, figures: Figures) -> None:
    for path in OUT:
        status, _, page, _ = From(web).ask("GET", path)
        assert status in (400, 404), path
        assert b"INSTALLED_APPS" not in page
        assert b"root:" not in page
        figures.tried += 1


FORGED = "2026-01-01 00:00:00,000 ERROR portal 'all is lost'"
ESCAPES = ("%0d%0a", "%0a", "%1b%5b31m", "%c2%9b31m", "%e2%80%a8", "%08%08", "%7f")


def test_46_no_request_forges_or_hides_a_line_of_the_log(web: Ground, cast: Cast, figures: Figures) -> None:
    here, log = From(web), web.processes.logs / "web.log"
    before = log.stat().st_size
    forged = FORGED.replace(" ", "%20").replace("'", "%27")
    for code in ESCAPES:
        for path in (f"/w/x{code}{forged}/", f"/{code}{forged}", f"/w/{cast.workspace.slug}/{code}{forged}/"):
            here.ask("GET", path)
            here.ask("GET", f"/accounts/login/?next={code}{forged}", User_Agent=f"x {FORGED} \x1b[31m")
            figures.tried += 2
        here.sign_in(f"a{code}{forged}@example.com", "wrong")
        here.ask("POST", "/accounts/login/", f"login={code}{forged}".encode(), Referer=FORGED)
    _raw(web, f"GET /x HTTP/1.1\r\nHost: \x1b[31m{FORGED}\r\n\r\n".encode())
    _raw(web, f"GET /\x1b[31m\x0b{FORGED} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    written = log.read_bytes()[before:]
    assert b"Not Found" in written  # it does write of them
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]", written), _context(written)
    assert [line for line in written.splitlines() if line.startswith(FORGED.encode()[:30])] == []


def _context(written: bytes) -> bytes:
    found = re.search(rb".{0,80}(?:[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]).{0,80}", written)
    return found.group(0) if found else b""


def _raw(ground: Ground, request: bytes) -> None:
    with socket.create_connection(("127.0.0.1", ground.processes.port), timeout=5) as line:
        line.sendall(request)
        line.recv(200)


# 48 -------------------------------------------------------------------------------------------------------------

SHELL = """
from approvals.models import Proposal
from portal import workspace
def save(row):
    row.state = "approved"
    row.save()
for act in (
    lambda rows: rows.update(state="applied"), lambda rows: rows.update(state="approved", version=2),
    lambda rows: save(rows.get()), lambda rows: rows.delete(), lambda rows: rows.update(digest="0" * 64),
):
    try:
        with workspace.within({ws}):
            print("DONE", act(Proposal.objects.filter(pk={pk})))
    except Exception as error:
        print("REFUSED", type(error).__name__, str(error).splitlines()[0])
"""
MOVES = 5


@pytest.fixture
def pending(ground: Ground, cast: Cast) -> int:
    """A proposal that waits for a person."""
    from tests.approvals import steps

    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"}).pk


def run(ground: Ground, role: str, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """A command of the installation, as an operator types it under a role."""
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env={**ground.environment, "PROCESS_ROLE": role}, input=text,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def state(cast: Cast, pk: int) -> tuple[str, int]:
    from approvals.models import Proposal

    with workspace.within(cast.ws):
        row = Proposal.objects.get(pk=pk)
        return row.state, row.version


@pytest.mark.parametrize("role", ["web", "apply", "agents"])
def test_48_no_state_is_changed_in_a_shell(
    ground: Ground, cast: Cast, pending: int, role: str, figures: Figures
) -> None:
    script = SHELL.replace("{ws}", str(cast.ws)).replace("{pk}", str(pending))
    done = run(ground, role, "shell", "-c", script)
    assert done.stdout.count("REFUSED") == MOVES, done.stdout + done.stderr[-600:]
    assert "DONE" not in done.stdout
    assert state(cast, pending) == ("pending", 1)
    figures.tried += MOVES


@pytest.mark.parametrize("role", ["web", "apply"])
def test_48_no_state_is_loaded_from_a_fixture(
    ground: Ground, cast: Cast, pending: int, role: str, figures: Figures, tmp_path: Path
) -> None:
    import json

    from django.core import serializers

    from approvals.models import Proposal

    with workspace.within(cast.ws):
        rows = json.loads(serializers.serialize("json", [Proposal.objects.get(pk=pending)]))
    for change in ({"state": "applied"}, {"state": "approved", "version": 2}):
        fixture = tmp_path / f"{role}.json"
        fixture.write_text(json.dumps([{**rows[0], "fields": {**rows[0]["fields"], **change}}]))
        done = run(ground, role, "loaddata", str(fixture))
        assert done.returncode != 0, done.stdout
        assert state(cast, pending) == ("pending", 1)
        figures.tried += 1

"""A new user: a fresh clone in a new folder, an empty package cache, `make demo`, a browser's worth of HTTP.

Prints how long it took to the address and to proposals of all three agents; then Ctrl-C must leave nothing
running, and a second start must find its data again.
"""

import http.cookiejar
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from tests.accept.installation import ROOT, verdict

AGENTS = ("refunds", "triage", "contacts")
WITHIN_SECONDS = 60
START_SECONDS = 900


class Demo:
    """`make demo` in a folder, as a process of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.output = (folder.parent / "demo.out").open("w+")
        self.process = subprocess.Popen(
            ["make", "demo"], cwd=folder, env=environment, stdout=self.output, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def text(self) -> str:
        return (self.folder.parent / "demo.out").read_text()

    def address(self) -> str:
        """Wait for the address it prints."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if found := re.search(r"http://127\.0\.0\.1:\d+/w/kestrel/", self.text()):
                time.sleep(0.5)
                return found.group()
            if self.process.poll() is not None:
                raise SystemExit(f"make demo ended with {self.process.returncode}:\n{self.text()[-2000:]}")
            time.sleep(0.2)
        raise SystemExit(f"no address within {START_SECONDS} s:\n{self.text()[-2000:]}")

    def interrupt(self) -> float:
        """Ctrl-C, as a terminal sends it; seconds until it ended."""
        start = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)
        return time.monotonic() - start


def sign_in(address: str, email: str, password: str) -> urllib.request.OpenerDirector:
    """A session of a reviewer, the way a browser makes one."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = opener.open(address).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    if token is None:
        raise SystemExit("the address does not lead to a sign-in page")
    form = {
        "login": email,
        "password": password,
        "csrfmiddlewaretoken": token.group(1),
        "next": urllib.parse.urlsplit(address).path,
    }
    root = address.partition("/w/")[0]
    request = urllib.request.Request(f"{root}/accounts/login/", urllib.parse.urlencode(form).encode())
    request.add_header("Referer", f"{root}/accounts/login/")
    opener.open(request).read()
    return opener


def agents_shown(opener: urllib.request.OpenerDirector, address: str) -> set[str]:
    """Agents with a proposal in the queue, by the filter each offers."""
    shown = set()
    for agent in AGENTS:
        page = opener.open(f"{address}?agent={agent}").read().decode()
        if re.search(r'href="[^"]*/proposals/\d+/', page):
            shown.add(agent)
    return shown


def leftovers(folder: Path) -> list[str]:
    """Processes that still name the folder."""
    listing = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if str(folder) in line and "ps -eo" not in line]


def main() -> None:
    parent = Path(tempfile.mkdtemp(prefix="countersign-new-user-"))
    parent.chmod(0o755)
    folder = parent / "countersign"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    dropped = (
        "VIRTUAL_ENV",
        "VAR_DIR",
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "PORT",
        "MAKEFLAGS",
        "MAKELEVEL",
    )
    environment = {k: v for k, v in os.environ.items() if k not in dropped}
    for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME"):
        environment[name] = str(parent / "cache")
    try:
        ok, figure = measure(folder, environment)
    finally:
        shutil.rmtree(parent, ignore_errors=True)
    verdict(ok, figure)


def measure(folder: Path, environment: dict[str, str]) -> tuple[bool, str]:
    start = time.monotonic()
    demo = Demo(folder, environment)
    try:
        address = demo.address()
        up = time.monotonic() - start
        found = re.search(r"reviewer\s+(rosa@\S+)\s+(\S+)", demo.text())
        if found is None:
            return False, "no sign-in of a reviewer was printed"
        since = time.monotonic()
        opener = sign_in(address, *found.groups())
        shown: set[str] = set()
        while shown != set(AGENTS) and time.monotonic() - since < WITHIN_SECONDS:
            shown = agents_shown(opener, address)
        took = time.monotonic() - since
    finally:
        stopped = demo.interrupt()
    left = leftovers(folder)
    again, same = second_start(folder, environment, found.groups())
    ok = shown == set(AGENTS) and not left and same
    return ok, (
        f"address after {up:.0f} s from nothing; proposals of {', '.join(sorted(shown))} after {took:.1f} s;"
        f" Ctrl-C took {stopped:.1f} s and left {len(left)} processes; second start {again:.0f} s,"
        f" its data {'found' if same else 'lost'}" + "".join(f"\n  left: {line}" for line in left)
    )


def second_start(folder: Path, environment: dict[str, str], reviewer: tuple[str, ...]) -> tuple[float, bool]:
    start = time.monotonic()
    demo = Demo(folder, environment)
    try:
        address = demo.address()
        took = time.monotonic() - start
        opener = sign_in(address, *reviewer)
        return took, agents_shown(opener, address) == set(AGENTS)
    finally:
        demo.interrupt()


if __name__ == "__main__":
    main()

"""Named places where a test makes a process die, wait or raise: `FAILPOINTS=name=kill@marker,name[12]=sleep:2`.

Empty outside of test runs (a system check refuses it beside a real key); then `hit` costs one comparison.
"""

import os
import signal
import time
from pathlib import Path

from portal import env

# A paused process goes on after this many seconds at the latest.
LONGEST_PAUSE = 300
POLL_SECONDS = 0.02


class FailpointRaised(Exception):
    """What `name=raise` raises."""


def hit(name: str, about: object = "") -> None:
    """Do what the environment asks for here, if anything; `name[about]` asks only for that one.

    `kill` is SIGKILL; `@file` behind an action lets it happen once: the file is made when it does. `pause@file`
    waits until `file.go` is there.
    """
    plan = env.read().failpoints
    if not plan:
        return
    for part in plan.split(","):
        where, _, action = part.partition("=")
        if where in (name, f"{name}[{about}]"):
            _do(action, name)


def _do(action: str, name: str) -> None:
    what, _, marker = action.partition("@")
    if marker:
        try:
            Path(marker).touch(exist_ok=False)
        except FileExistsError:
            return
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what.startswith("sleep:"):
        time.sleep(float(what.removeprefix("sleep:")))
    elif what == "pause":
        _pause(Path(f"{marker}.go"))
    elif what == "raise":
        raise FailpointRaised(name)


def _pause(until: Path) -> None:
    deadline = time.monotonic() + LONGEST_PAUSE
    while not until.exists() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)

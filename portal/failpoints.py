"""Named places where a test makes a process die, wait or raise: `FAILPOINTS=name=kill@marker,name=sleep:2`.

Empty outside of test runs (a system check refuses it beside a real key); then `hit` costs one comparison.
"""

import os
import signal
import time
from pathlib import Path

from portal import env


class FailpointRaised(Exception):
    """What `name=raise` raises."""


def hit(name: str) -> None:
    """Do what the environment asks for here, if anything.

    `kill` is SIGKILL; `@file` behind an action lets it happen once: the file is made when it does.
    """
    plan = env.read().failpoints
    if not plan:
        return
    for part in plan.split(","):
        where, _, action = part.partition("=")
        if where == name:
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
    elif what == "raise":
        raise FailpointRaised(name)

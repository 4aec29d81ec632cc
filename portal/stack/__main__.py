"""`python -m portal.stack start|stop|status`: the embedded servers by hand."""

import argparse
import os
import sys
from pathlib import Path

from portal.stack import Stack, StackError, default_var_dir


def main() -> int:
    """Exit code 0; 2 with one line on standard error when refused; `status` gives 3 when not all run."""
    parser = argparse.ArgumentParser(prog="python -m portal.stack", description=__doc__)
    parser.add_argument("what", choices=("start", "stop", "status"))
    parser.add_argument("--var-dir", type=Path, default=default_var_dir(os.environ), help="their folder")
    options = parser.parse_args()
    try:
        return _obey(options.what, Stack(options.var_dir))
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _obey(what: str, stack: Stack) -> int:
    if what == "start":
        addresses = stack.start(keep=True)
        sys.stdout.write(f"DATABASE_URL={addresses.database_url}\nREDIS_URL={addresses.redis_url}\n")
    if what == "stop":
        stack.stop()
    if what == "status":
        pids = stack.pids()
        lines = [f"{name} runs as process {pid}" for name, pid in pids.items()] or ["nothing runs"]
        sys.stdout.write("\n".join(lines) + "\n")
    return 0 if what != "status" or stack.running() else 3


if __name__ == "__main__":
    sys.exit(main())

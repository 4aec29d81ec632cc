"""A throwaway installation with workers, for the lines of `make accept` that measure the program as it runs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
NOT_MEASURED = 77


@dataclass
class Installation:
    """Servers and workers of its own; `manage` runs a command in it as a user would."""

    environment: dict[str, str]

    def manage(self, *words: str, role: str = "", check: bool = True) -> str:
        """Standard output of a command; its standard error is passed on when it fails."""
        environment = {**self.environment, **({"PROCESS_ROLE": role} if role else {})}
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words], env=environment, capture_output=True, text=True,
            check=False, cwd=ROOT,
        )  # fmt: skip
        if check and done.returncode:
            raise SystemExit(f"manage.py {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
        return done.stdout

    def manage_json(self, *words: str) -> Any:
        """The JSON object a command prints."""
        return json.loads(self.manage(*words, "--json"))


@contextmanager
def installed(*, workers: bool = True) -> Iterator[Installation]:
    """Embedded servers in a folder of their own, migrated, with both workers and beat; ended and removed after."""
    from agents.demo.processes import Processes
    from portal import stack

    var_dir = Path(tempfile.mkdtemp(prefix="countersign-accept-"))
    var_dir.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "PROCESS_ROLE")}
    environment |= {"VAR_DIR": str(var_dir), "SECRET_KEY": "only-for-acceptance"}
    servers = stack.Stack(var_dir)
    try:
        servers.start()
        made = Installation(environment)
        made.manage("migrate", "--verbosity", "0")
        addresses = servers.start()
        environment |= {"DATABASE_URL": addresses.database_url, "REDIS_URL": addresses.redis_url}
        running = Processes(var_dir / "log", 0, environment)
        try:
            if workers:
                for name in ("worker-agents", "worker-apply", "beat"):
                    running.spawn(name)
            yield made
        finally:
            running.stop()
    finally:
        servers.stop()
        shutil.rmtree(var_dir, ignore_errors=True)


def enter_django(made: Installation, role: str = "web") -> None:
    """Let this process work in the installation too, signed in as a role."""
    os.environ.update(made.environment)
    os.environ["PROCESS_ROLE"] = role
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    from portal import env

    env.read.cache_clear()
    import django

    django.setup()


def data(folder: str) -> Path:
    """A folder of the labelled data; where it is absent the line ends unmeasured, which is not met."""
    if not DATA.is_dir():
        print("not measured: the labelled data is not here (../shared/data)")
        raise SystemExit(NOT_MEASURED)
    return DATA / folder


def verdict(ok: bool, figure: str) -> None:
    """Print the figure and end with 0 or 1."""
    print(figure)
    raise SystemExit(0 if ok else 1)

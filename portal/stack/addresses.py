"""Where PostgreSQL and Redis are reached, embedded or external. Holds addresses only, never a sign-in.

A process adds its own database role (`DB_USER_<ROLE>`, `DB_PASSWORD_<ROLE>`) to what stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from portal.stack.errors import StackError

DATABASE = "countersign"
SUPERUSER = "postgres"
PG_PORT = 5432
REDIS_SOCKET = "redis.sock"
CACHE_DB = 1


@dataclass(frozen=True, slots=True)
class Addresses:
    """`database_url` is a libpq URL, `redis_url` a redis-py one (`unix://` or `redis://`)."""

    database_url: str
    redis_url: str

    @property
    def pg_host(self) -> str:
        """Host name, or the folder of the unix socket."""
        return str(conninfo_to_dict(self.database_url).get("host") or "")

    @property
    def pg_port(self) -> int:
        """TCP port, or the number in the unix socket's name."""
        return int(conninfo_to_dict(self.database_url).get("port") or PG_PORT)

    @property
    def database(self) -> str:
        """Name of the database."""
        return str(conninfo_to_dict(self.database_url).get("dbname") or DATABASE)

    @property
    def redis_socket(self) -> Path | None:
        """Path of Redis' unix socket; None where it is reached by TCP."""
        parts = urlsplit(self.redis_url)
        return Path(parts.path) if parts.scheme == "unix" else None

    @property
    def broker_url(self) -> str:
        """Celery's broker: the same server, in Celery's spelling of a unix socket."""
        return f"redis+socket://{self.redis_socket}" if self.redis_socket else self.redis_url

    @property
    def cache_url(self) -> str:
        """The cache, in a numbered database of its own: clearing it must not empty the broker."""
        return f"{self.redis_url}{'&' if '?' in self.redis_url else '?'}db={CACHE_DB}"


def embedded(socket_folder: Path) -> Addresses:
    """Addresses of the servers whose sockets lie in `socket_folder`."""
    return Addresses(
        database_url=f"postgresql:///{DATABASE}?host={socket_folder}&port={PG_PORT}",
        redis_url=f"unix://{socket_folder / REDIS_SOCKET}",
    )


def external(env: Mapping[str, str]) -> Addresses | None:
    """`DATABASE_URL` and `REDIS_URL` of `env`; None when neither is set.

    Raises `StackError` when only one is set, or when libpq cannot read the first.
    """
    database_url, redis_url = env.get("DATABASE_URL", ""), env.get("REDIS_URL", "")
    if not database_url and not redis_url:
        return None
    if not database_url or not redis_url:
        missing = "REDIS_URL" if database_url else "DATABASE_URL"
        raise StackError(f"{missing} is not set: set both DATABASE_URL and REDIS_URL, or neither")
    try:
        conninfo_to_dict(database_url)
    except ProgrammingError as error:
        raise StackError("DATABASE_URL is not a PostgreSQL URL: postgresql://host:port/name") from error
    return Addresses(database_url, redis_url)

"""Typed reading of the environment; the only module that looks at it. Refuses values of the wrong form."""

from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent

Role = Literal["owner", "web", "agents", "apply", "sealer", "eval"]
ROLES: tuple[Role, ...] = ("owner", "web", "agents", "apply", "sealer", "eval")
AGENTS_CALL_MS = 8_000


class Env(BaseSettings):
    """Every setting that comes from outside, with its type and default; `docs/operations.md` lists them."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    process_role: Role = "web"
    secret_key: SecretStr | None = None
    debug: bool = False
    allowed_hosts: str = "127.0.0.1,localhost,[::1]"
    public_url: str = ""
    var_dir: Path = ROOT / "var"
    port: int | None = Field(default=None, ge=1, le=65535)

    database_url: str = ""
    redis_url: str = ""
    statement_timeout_ms: int = Field(default=15_000, ge=0)

    db_user_owner: str = "countersign_owner"
    db_user_web: str = "countersign_web"
    db_user_agents: str = "countersign_agents"
    db_user_apply: str = "countersign_apply"
    db_user_sealer: str = "countersign_sealer"
    db_user_eval: str = "countersign_eval"
    db_password_owner: SecretStr = SecretStr("")
    db_password_web: SecretStr = SecretStr("")
    db_password_agents: SecretStr = SecretStr("")
    db_password_apply: SecretStr = SecretStr("")
    db_password_sealer: SecretStr = SecretStr("")
    db_password_eval: SecretStr = SecretStr("")

    credentials_public_key: str = ""
    credentials_private_key: SecretStr | None = None
    log_signing_key: SecretStr | None = None
    log_signing_key_old: SecretStr | None = None
    anchor_dir: Path | None = None
    anchor_git: str = Field(default="", pattern=r"^([^\s-][^\s]{0,300})?$")
    data_public_key: str = ""
    data_private_key: SecretStr | None = None
    vault_public_key: str = ""
    vault_private_key: SecretStr | None = None

    model_hosts: str = "api.openai.com"
    slack_hosts: str = "hooks.slack.com"
    models_public_key: str = ""
    models_private_key: SecretStr | None = None

    email_url: SecretStr | None = None
    email_from: str = Field(default="countersign@localhost", pattern=r"^[^\s@]+@[^\s@]+$")

    otel_endpoint: str = Field(default="", pattern=r"^(https?://[\x21-\x7e]{1,200})?$")
    failpoints: str = ""

    def statement_timeout_of(self, role: Role) -> int:
        """How long a statement of a kind of process may take, in milliseconds; an agents process reads in calls of
        eight seconds at most."""
        return (
            min(self.statement_timeout_ms or AGENTS_CALL_MS, AGENTS_CALL_MS)
            if role == "agents"
            else (self.statement_timeout_ms)
        )

    def user_of(self, role: Role) -> str:
        """The database sign-in of a kind of process."""
        user: str = getattr(self, f"db_user_{role}")
        return user

    def password_of(self, role: Role) -> str:
        """Its password; empty where the server trusts its socket."""
        secret: SecretStr = getattr(self, f"db_password_{role}")
        return secret.get_secret_value()


@lru_cache(maxsize=1)
def read() -> Env:
    """The environment, read once.

    Raises:
        pydantic.ValidationError: naming the variable that is off.
    """
    return Env()


def database_of(url: str) -> dict[str, str]:
    """Host, port and name out of a libpq URL; the sign-in comes by role, never from here."""
    parts = conninfo_to_dict(url)
    return {
        "HOST": str(parts.get("host") or ""),
        "PORT": str(parts.get("port") or ""),
        "NAME": str(parts.get("dbname") or "countersign"),
    }


class Mail(NamedTuple):
    """How mail goes: the names are those of Django's settings."""

    backend: str
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    tls: bool = False
    ssl: bool = False
    folder: str | None = None


def mail_of(url: str) -> Mail:
    """`smtp`, `smtp+tls` (STARTTLS) or `smtps` with sign-in, host and port; `file:///folder` keeps each mail as a file;
    empty writes it to the standard output.

    Raises:
        ValueError: naming EMAIL_URL; it quotes nothing of it, since there is a password in it.
    """
    parts, backends = urlsplit(url), "django.core.mail.backends"
    if not url:
        return Mail(f"{backends}.console.EmailBackend")
    if parts.scheme == "file" and parts.path and not parts.netloc:
        return Mail(f"{backends}.filebased.EmailBackend", folder=unquote(parts.path))
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    if parts.scheme not in ports or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("EMAIL_URL: write smtp+tls://name:password@host:587, smtps://..., smtp://... or file:///...")
    return Mail(
        f"{backends}.smtp.EmailBackend", parts.hostname, parts.port or ports[parts.scheme],
        unquote(parts.username or ""), unquote(parts.password or ""), parts.scheme == "smtp+tls",
        parts.scheme == "smtps",
    )  # fmt: skip


def broker_of(redis_url: str) -> str:
    """Celery's spelling of a Redis address: `unix:///x.sock?db=2` becomes `redis+socket:///x.sock?virtual_host=2`."""
    if not redis_url.startswith("unix:"):
        return redis_url
    return "redis+socket" + redis_url.removeprefix("unix").replace("?db=", "?virtual_host=")

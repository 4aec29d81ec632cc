"""Gets an installation ready before Django starts: servers, sign-ins, secret key. Imports no Django."""

import os
import secrets
from pathlib import Path

from portal import env, log_key, provision, sealing, stack


def prepare(*, servers: bool = True) -> None:
    """Bring up what the environment does not name, and put its addresses into the environment.

    Without `servers` only the folder and the secret key are seen to.

    Raises:
        SystemExit: with one clear line and code 2, when a server cannot be had.
    """
    settings = env.read()
    embedded = not os.environ.get("DATABASE_URL") and not os.environ.get("REDIS_URL")
    try:
        if servers:
            _servers(settings.var_dir)
        if embedded and not settings.credentials_public_key and settings.credentials_private_key is None:
            os.environ["CREDENTIALS_PUBLIC_KEY"] = sealing.keep_pair(settings.var_dir / "keys")
        if embedded and not settings.models_public_key and settings.models_private_key is None:
            os.environ["MODELS_PUBLIC_KEY"] = sealing.keep_pair(settings.var_dir / "keys" / "models")
            if settings.process_role == "agents":
                os.environ["MODELS_PRIVATE_KEY"] = (settings.var_dir / "keys" / "models" / "private").read_text()
        if embedded and not settings.data_public_key and settings.data_private_key is None:
            sealing.keep_pair(settings.var_dir / "keys" / "data")
        if embedded and not settings.vault_public_key and settings.vault_private_key is None:
            sealing.keep_pair(settings.var_dir / "keys" / "vault")
        if embedded and settings.log_signing_key is None:
            signing = log_key.keep(settings.var_dir / "keys")
            if settings.process_role == "sealer":
                os.environ["LOG_SIGNING_KEY"] = signing
                if old := log_key.kept_old(settings.var_dir / "keys"):
                    os.environ["LOG_SIGNING_KEY_OLD"] = old
    except (stack.StackError, provision.ProvisionError, sealing.SealingError, log_key.NotOurs) as error:
        raise SystemExit(_exit(str(error))) from error
    # Collected static files, where a deployment collects them; without, they are served from where they lie.
    (settings.var_dir / "static").mkdir(parents=True, exist_ok=True)
    if settings.secret_key is None:
        os.environ["SECRET_KEY"] = secret_key(settings.var_dir)
    env.read.cache_clear()


def _exit(message: str) -> int:
    os.write(2, f"countersign: {message}\n".encode())
    return 2


def _servers(var_dir: Path) -> None:
    embedded = not os.environ.get("DATABASE_URL") and not os.environ.get("REDIS_URL")
    addresses = stack.resolve(os.environ, var_dir)
    os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = addresses.database_url, addresses.redis_url
    if embedded:
        admin = f"host={addresses.pg_host} port={addresses.pg_port} user=postgres dbname=postgres"
        provision.provision(admin, addresses.database)


def secret_key(var_dir: Path) -> str:
    """The installation's own key, made once and kept with mode 0600."""
    path = var_dir / "secret_key"
    try:
        return path.read_text()
    except FileNotFoundError:
        var_dir.mkdir(parents=True, exist_ok=True)
    fresh = secrets.token_urlsafe(48)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(fresh)
    return fresh

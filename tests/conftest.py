"""The ground of the suite: embedded servers, a database made as owner, and tests signed in as the roles."""
# ruff: noqa: E402  # Django starts here, before any conftest below imports a model

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

if "DATABASE_URL" not in os.environ:
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="countersign-tests-")
    os.chmod(os.environ["VAR_DIR"], 0o755)
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)  # runs after the servers' release
os.environ["PROCESS_ROLE"] = "web"
os.environ["SECRET_KEY"] = "only-for-tests"
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's loop runs in the thread of the test


from portal import installation

installation.prepare()

from portal import env, log_key, sealing

KEYS = env.read().var_dir / "keys"
os.environ["CREDENTIALS_PUBLIC_KEY"] = sealing.keep_pair(KEYS)
os.environ["MODELS_PUBLIC_KEY"] = sealing.keep_pair(KEYS / "models")
os.environ["DATA_PUBLIC_KEY"] = sealing.keep_pair(KEYS / "data")
os.environ["VAULT_PUBLIC_KEY"] = sealing.keep_pair(KEYS / "vault")
os.environ["MODEL_HOSTS"] = "127.0.0.1"
log_key.keep(KEYS)  # whoever seals a database of the tests signs with the same key
env.read.cache_clear()

import django

django.setup()

from django.conf import settings

# A cast has seven people; the second is what the web process of the journeys knows.
settings.PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker) -> Iterator[None]:
    """Make and migrate the test database as owner, then sign in as web for all that follows."""
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    with django_db_blocker.unblock():
        sign_in("owner")
        made = setup_databases(verbosity=0, interactive=False, serialized_aliases=set())
        sign_in("web")
        yield
        sign_in("owner")
        teardown_databases(made, verbosity=0)
        connection.close()


def sign_in(role: str) -> None:
    """Close the connection and open the next one as another role."""
    from django.db import connection

    connection.close()
    connection.settings_dict["USER"] = env.read().user_of(role)
    connection.settings_dict["PASSWORD"] = env.read().password_of(role)
    # As among real processes, apply alone can open credentials, and agents the keys of models.
    private = SecretStr((KEYS / "private").read_text()) if role == "apply" else None
    env.read().credentials_private_key = private
    env.read().models_private_key = SecretStr((KEYS / "models" / "private").read_text()) if role == "agents" else None


@contextmanager
def signed_in(role: str) -> Iterator[None]:
    """A part of a test that runs under another role; outside of any transaction."""
    sign_in(role)
    try:
        yield
    finally:
        sign_in("web")


@pytest.fixture
def live(django_db_setup, django_db_blocker) -> Iterator[None]:
    """A database that really commits and is never flushed: a test brings its own workspace."""
    with django_db_blocker.unblock():
        sign_in("web")
        yield
        from django.db import connection

        connection.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The labelled data beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the labelled data is not here (../shared/data)")
    return folder

"""The key that signs the log: made once beside the embedded servers, given to the sealer's environment and to no other.

`python -m portal.log_key NAME` prints a fresh one. NAME is the log's origin: `desk.example.com/log`.
"""

import secrets
import sys
from pathlib import Path

from audit import notes
from portal import env, sealing

PRIVATE_FILE, PUBLIC_FILE = "log-signing", "log.vkey"


class NotOurs(Exception):
    """What lies in the place of the key is none; the message says where."""


def fresh(name: str) -> notes.Signer:
    """A new key.

    Raises:
        notes.BadKey: the name is none.
    """
    signer = notes.Signer(name, secrets.token_bytes(notes.KEY_BYTES))
    return notes.Signer.parse(signer.text())


def keep(folder: Path) -> str:
    """Make a key once, in `log-signing` and `log.vkey`, mode 0600; returns the private one as text.

    Raises:
        NotOurs: `log-signing` holds something else.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = folder / PRIVATE_FILE
    if not private.exists():
        sealing.keep_once(private, fresh(f"countersign.local/{secrets.token_hex(8)}").text())
    try:
        signer = notes.Signer.parse(private.read_text())
    except notes.BadKey as error:
        raise NotOurs(f"{private}: {error}") from error
    if not (folder / PUBLIC_FILE).exists():
        sealing.keep_once(folder / PUBLIC_FILE, str(signer.verifier))
    return signer.text()


def kept(folder: Path) -> str | None:
    """The private key of an installation with the embedded servers, where there is one."""
    path = folder / PRIVATE_FILE
    return path.read_text() if path.exists() else None


def was_given_wrongly() -> bool:
    """Whether this process holds the key and is not the sealer."""
    settings = env.read()
    return settings.log_signing_key is not None and settings.process_role != "sealer"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m portal.log_key NAME, such as desk.example.com/log")
    made = fresh(sys.argv[1])
    sys.stdout.write(f"LOG_SIGNING_KEY={made.text()}\n# the key to verify with: {made.verifier}\n")

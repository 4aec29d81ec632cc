"""The key that signs the log: made once beside the embedded servers, given to the sealer's environment and to no other.

`python -m portal.log_key NAME` prints a fresh one. NAME is the log's origin: `desk.example.com/log`. With `rotate` in
its place the key of the embedded servers is put beside a new one, under which the next sealer to start goes on.
"""

import secrets
import sys
from pathlib import Path

from audit import notes
from portal import env, sealing

PRIVATE_FILE, PUBLIC_FILE = "log-signing", "log.vkey"
OLD_PRIVATE_FILE, OLD_PUBLIC_FILE = "log-signing-old", "log-old.vkey"


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


def kept_old(folder: Path) -> str | None:
    """The private key before it, until somebody takes it away."""
    path = folder / OLD_PRIVATE_FILE
    return path.read_text() if path.exists() else None


def rotate(folder: Path) -> notes.Verifier:
    """Make a new key of the same name and put the old one beside it; the new public key.

    Raises:
        NotOurs: there is no key, or the one before it still lies there.
    """
    if (folder / OLD_PRIVATE_FILE).exists():
        raise NotOurs(f"{folder / OLD_PRIVATE_FILE} is there: take it away once the log goes on under the newer key")
    if (private := kept(folder)) is None:
        raise NotOurs(f"{folder / PRIVATE_FILE} is not there: nothing was signed yet")
    old = notes.Signer.parse(private)
    new = fresh(old.name)
    sealing.keep_once(folder / OLD_PRIVATE_FILE, old.text())
    (folder / OLD_PUBLIC_FILE).unlink(missing_ok=True)
    sealing.keep_once(folder / OLD_PUBLIC_FILE, str(old.verifier))
    for name, text in ((PUBLIC_FILE, str(new.verifier)), (PRIVATE_FILE, new.text())):
        sealing.keep_once(folder / f"{name}.new", text)
        (folder / f"{name}.new").replace(folder / name)
    return new.verifier


def was_given_wrongly() -> bool:
    """Whether this process holds the key and is not the sealer."""
    settings = env.read()
    held = (settings.log_signing_key, settings.log_signing_key_old)
    return any(key is not None for key in held) and settings.process_role != "sealer"


def _main(words: list[str]) -> str:
    if len(words) != 1:
        return "usage: python -m portal.log_key NAME, such as desk.example.com/log, or rotate"
    if words == ["rotate"]:
        folder = env.read().var_dir / "keys"
        try:
            made = rotate(folder)
        except NotOurs as error:
            return str(error)
        sys.stdout.write(f"restart the sealer; from then on also verify with: {made}\n")
        return ""
    signer = fresh(words[0])
    sys.stdout.write(f"LOG_SIGNING_KEY={signer.text()}\n# the key to verify with: {signer.verifier}\n")
    return ""


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]) or None)

"""Checks the signature of a request as `docs/adding.md` describes it; written from the text, not from our code."""

import hashlib
import hmac
import time
from collections.abc import Mapping

TOLERANCE_SECONDS = 300


def fault_of(secret: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> str:
    """Why the request is not believed; empty where it is. `target` is the path with its query."""
    stamp, signature = headers.get("Countersign-Timestamp", ""), headers.get("Countersign-Signature", "")
    if not stamp.isdigit():
        return "no timestamp"
    if abs(time.time() - int(stamp)) > TOLERANCE_SECONDS:
        return "the timestamp is too old or too new"
    text = "\n".join(("v1", method, target, stamp, hashlib.sha256(body).hexdigest()))
    right = "v1=" + hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return "" if hmac.compare_digest(right, signature) else "the signature is wrong"

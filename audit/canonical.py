"""The bytes that are hashed: RFC 8785 JSON, and commitments to personal values. Pure."""

import hashlib
import hmac
from typing import Any

import rfc8785

SALT_BYTES = 32


class NotCanonical(ValueError):
    """The value has no RFC 8785 form: a float, a lone surrogate, an integer beyond 2**53."""


def encode(value: Any) -> bytes:
    """The RFC 8785 (JCS) bytes of a JSON value.

    Raises:
        NotCanonical: for floats, integers beyond 2**53 - 1, lone surrogates and anything that is not JSON.
    """
    _refuse_floats(value)
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise NotCanonical(str(error)) from error


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise NotCanonical("a float; money is whole minor units")
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)


def commit(name: str, value: Any, salt: bytes) -> str:
    """HMAC-SHA-256 (hex) over name and value under a 32-byte salt: tells nothing once the salt is erased."""
    return hmac.new(salt, encode([name, value]), hashlib.sha256).hexdigest()


def sha256_hex(value: Any) -> str:
    """SHA-256 (hex) over the canonical bytes."""
    return hashlib.sha256(encode(value)).hexdigest()

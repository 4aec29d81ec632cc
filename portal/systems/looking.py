"""Looking up is no news: whatever goes wrong while asking what became of an effect says nothing about the effect."""

from collections.abc import Iterator
from contextlib import contextmanager

from portal.systems.outside import Lost, NotSent, OutsideError


@contextmanager
def up() -> Iterator[None]:
    """Turn every ending of a look-up into Lost: read as Refused or NotSent, it would let something be sent twice."""
    try:
        yield
    except OutsideError as error:
        raise Lost(f"nobody can say now: {error}") from None


@contextmanager
def before_the_effect() -> Iterator[None]:
    """Readings before the effect is asked for: where one is lost, nothing has happened yet. Refused stays."""
    try:
        yield
    except Lost as error:
        raise NotSent(f"nothing was sent: {error}") from None

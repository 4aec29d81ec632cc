"""Looking up is no news: whatever goes wrong while asking what became of an effect says nothing about the effect."""

from collections.abc import Iterator
from contextlib import contextmanager

from portal.retold import kept
from portal.systems.outside import Lost, NotSent, OutsideError

# How a call can end, kept in English beside it.
NOBODY_KNOWS = kept("nobody can say now: %(why)s")
NOT_SENT = kept("nothing was sent: %(why)s")


@contextmanager
def up() -> Iterator[None]:
    """Turn every ending of a look-up into Lost: read as Refused or NotSent, it would let something be sent twice."""
    try:
        yield
    except OutsideError as error:
        raise Lost(NOBODY_KNOWS % {"why": error}) from None


@contextmanager
def before_the_effect() -> Iterator[None]:
    """Readings before the effect is asked for: where one is lost, nothing has happened yet. Refused stays."""
    try:
        yield
    except Lost as error:
        raise NotSent(NOT_SENT % {"why": error}) from None

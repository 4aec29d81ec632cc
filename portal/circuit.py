"""A breaker before a server that may be away: after a failure nobody waits for it again for some seconds."""

import time
from collections.abc import Callable


class Circuit:
    """Per process. While it is open, callers go without the server at once instead of each waiting for its time-out."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._open_until = 0.0

    @property
    def closed(self) -> bool:
        """Whether the server may be asked."""
        return self._clock() >= self._open_until

    def broke(self) -> None:
        """It did not answer: ask nobody for a while."""
        self._open_until = self._clock() + self._seconds

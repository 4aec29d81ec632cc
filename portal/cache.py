"""The cache: Redis where it answers, else this process's own memory. Nothing that counts tries may stop counting.

JSON, because the usual serializer unpickles whatever a client of Redis may have written. A Redis that is away or
frozen costs one request a third of a second every few seconds, and no request an error.
"""

import json
import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

from portal.circuit import Circuit

AWAY_SECONDS = 3.0
SOCKET_SECONDS = 0.3
OWN_ENTRIES = 20_000
logger = logging.getLogger(__name__)


class JSONSerializer:
    """Values of the cache as JSON; integers stay bare so that Redis can count them."""

    def dumps(self, obj: Any) -> bytes | int:
        """Encode a JSON value."""
        return obj if type(obj) is int else json.dumps(obj).encode()

    def loads(self, data: bytes) -> Any:
        """Decode what `dumps` made."""
        return json.loads(data)


class Client(RedisCacheClient):
    """Of one server, made once: making a client takes about as long as asking it."""

    @cached_property
    def _made(self) -> Any:
        return super().get_client()

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The same for every key."""
        return self._made


class Redis(RedisCache):
    """With that client."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client


class Cache(BaseCache):
    """Writes to both, reads from Redis, and from memory while Redis is away: counts of failed sign-ins go on."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        options: dict[str, Any] = {"db": 1, "socket_timeout": SOCKET_SECONDS, "socket_connect_timeout": SOCKET_SECONDS}
        options |= {"serializer": "portal.cache.JSONSerializer"}
        self._redis = Redis(server, {**params, "OPTIONS": options})
        self._own = LocMemCache(server, {**params, "OPTIONS": {"MAX_ENTRIES": OWN_ENTRIES}})
        self._circuit = Circuit(AWAY_SECONDS)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """The value, or `default`."""
        return self._ask(
            lambda: self._redis.get(key, default, version=version), lambda: self._own.get(key, default, version=version)
        )

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Keep a JSON value for `timeout` seconds."""
        self._own.set(key, value, timeout, version=version)
        self._ask(lambda: self._redis.set(key, value, timeout, version=version), lambda: None)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keep it where there is nothing yet; whether it did."""
        made = self._ask(
            lambda: self._redis.add(key, value, timeout, version=version),
            lambda: self._own.add(key, value, timeout, version=version),
        )
        if made:
            self._own.set(key, value, timeout, version=version)
        return bool(made)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Count up.

        Raises:
            ValueError: there is nothing to count.
        """

        def own() -> int:
            return int(self._own.incr(key, delta, version=version))

        return int(self._ask(lambda: self._redis.incr(key, delta, version=version), own))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keep it for longer; whether it was there."""
        own = self._own.touch(key, timeout, version=version)
        return bool(self._ask(lambda: self._redis.touch(key, timeout, version=version), lambda: own))

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget it; whether it was there."""
        own = self._own.delete(key, version=version)
        return bool(self._ask(lambda: self._redis.delete(key, version=version), lambda: own))

    def clear(self) -> None:
        """Forget everything."""
        self._own.clear()
        self._ask(self._redis.clear, lambda: None)

    def _ask(self, redis: Callable[[], Any], own: Callable[[], Any]) -> Any:
        if self._circuit.closed:
            try:
                return redis()
            except RedisError as error:
                self._circuit.broke()
                logger.warning("the cache goes without Redis: %s", error)
        return own()

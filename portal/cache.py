"""The cache's serializer: JSON, because the usual one unpickles whatever a client of Redis may have written."""

import json
from typing import Any


class JSONSerializer:
    """Values of the cache as JSON; integers stay bare so that Redis can count them."""

    def dumps(self, obj: Any) -> bytes | int:
        """Encode a JSON value."""
        return obj if type(obj) is int else json.dumps(obj).encode()

    def loads(self, data: bytes) -> Any:
        """Decode what `dumps` made."""
        return json.loads(data)

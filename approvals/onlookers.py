"""Who else has an item open right now: told by their pages, kept in the cache alone, gone within a minute.

Two that say so at the same instant may miss each other until their pages say it again.
"""

from datetime import datetime

from django.core.cache import cache

STAYS = 50  # seconds; pages say it every 20
MOST = 20


def look(*, workspace: int, item: str, person: int, name: str, now: datetime) -> list[str]:
    """Note that somebody looks at an item (`proposal:12`); names of the others who do, who came first in front."""
    key, at = f"onlookers:{workspace}:{item}", int(now.timestamp())
    known: dict[str, tuple[str, int]] = cache.get(key) or {}
    others = {who: seen for who, seen in known.items() if who != str(person) and at - seen[1] < STAYS}
    cache.set(key, {**dict(list(others.items())[: MOST - 1]), str(person): (name, at)}, STAYS)
    return [seen[0] for seen in others.values()]

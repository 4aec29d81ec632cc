"""Every fault test works in an installation of its own, and what must hold is looked at after each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from portal import env
from portal.celery import app
from tests.cast import Cast, gather
from tests.conftest import sign_in
from tests.faults import checking
from tests.faults.ground import Ground, standing

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def _ground() -> Iterator[Ground]:
    with standing() as ground:
        yield ground


@pytest.fixture
def ground(_ground: Ground, django_db_blocker: Any) -> Iterator[Ground]:
    """The installation, with both servers up and no process yet; this process works in it too, as web."""
    with working_in(_ground, django_db_blocker):
        yield _ground


@contextmanager
def working_in(ground: Ground, django_db_blocker: Any) -> Iterator[None]:
    """This process's own queries and messages go to the installation, signed in as web."""
    before, broker = dict(connection.settings_dict), app.conf.broker_url
    connection.close()
    connection.settings_dict.update(env.database_of(ground.addresses.database_url))
    _use_broker(ground.addresses.broker_url)
    ground.revive()
    with django_db_blocker.unblock():
        sign_in("web")
        try:
            yield
        finally:
            ground.down()
            ground.revive()
            connection.close()
            connection.settings_dict.update(before)
            _use_broker(broker)


def _use_broker(url: str) -> None:
    app.conf.broker_url = url
    app._after_fork()  # forget the connections to another one


@dataclass
class Figures:
    """What a case tried and saw; looks at the workspaces it worked in when the case is over."""

    record: Callable[[str, object], None]
    casts: list[tuple[Cast, Callable[[], list[dict[str, Any]]] | None]] = field(default_factory=list)
    tried: int = 0
    recovery: float = 0.0

    def took(self, seconds: float) -> None:
        """A recovery took this long; the longest counts."""
        self.recovery = max(self.recovery, seconds)

    def conclude(self) -> None:
        """Look at everything; fails where anything is lost, doubled or untold."""
        found = checking.Found()
        for cast, ledger in self.casts:
            found += checking.look(cast, ledger() if ledger else None)
        values = {"tried": self.tried, "lost": found.lost, "doubled": found.doubled, "recovery": self.recovery}
        for name, value in values.items():
            self.record(name, value)
        assert not found.wrong, "\n".join(found.wrong[:20])
        assert (found.lost, found.doubled) == (0, 0)


@pytest.fixture
def figures(ground: Ground, record_property: Callable[[str, object], None]) -> Iterator[Figures]:
    """Counts for the report. A case that leaves anything lost, doubled or untold fails here."""
    seen = Figures(record_property)
    yield seen
    seen.conclude()


@pytest.fixture
def cast(figures: Figures) -> Cast:
    """A fresh workspace on the ground, whose payments our own books serve."""
    made = gather()
    figures.casts.append((made, None))
    return made


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything here breaks servers: marked, and given time. Only the short ones run with all the other tests."""
    mine = [item for item in items if HERE in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.fault)
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))
    asked_for = "fault" in config.option.markexpr or any("faults" in str(arg) for arg in config.args)
    if not asked_for:
        left_out = [item for item in mine if item.get_closest_marker("short") is None]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)

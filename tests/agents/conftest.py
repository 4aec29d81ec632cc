"""A workspace of its own for each test of the agents, with a door for lines to come in by."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.modelserver import ModelServer

if TYPE_CHECKING:
    from tests.cast import Cast


@dataclass(frozen=True)
class Desk:
    """A workspace, how lines come in to it, and how its rows are read."""

    cast: "Cast"

    @property
    def workspace(self) -> int:
        return self.cast.ws

    def take_in(self, agent: str, **line: object) -> Any:
        from agents import intake
        from portal.workspace import within

        with within(self.workspace) as now:
            return intake.take_in(workspace=self.workspace, agent=agent, line=line, actor="system:tests", now=now)

    def rows(self, model: Any, **filters: object) -> list[Any]:
        from portal.workspace import within

        with within(self.workspace):
            return list(model.objects.filter(workspace_id=self.workspace, **filters).order_by("pk"))


@pytest.fixture
def desk(live) -> Desk:
    from tests import cast

    return Desk(cast.gather())


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    """A model server as a process, told by each test what to answer."""
    with ModelServer() as running:
        yield running

"""A migration that gives models and their fields the names that Django would derive, so that they can be translated.

As hundreds of `AlterField` it would take a test database longer than all other migrations together.
"""

from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

UNNAMED = frozenset({"id", "workspace"})


class Named(Operation):
    """`run=("run", "runs")`: what one is called, and several; every field but the row's own id and its workspace.

    Only the state of the models changes; the database has nothing to do.
    """

    def __init__(self, **models: tuple[str, str]) -> None:
        self.models = models

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], dict(self.models)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """All at once, so that what was rendered is rendered anew once."""
        for model, (one, several) in self.models.items():
            found = state.models[app_label, model]
            found.options = {**found.options, "verbose_name": one, "verbose_name_plural": several}
            for name in found.fields.keys() - UNNAMED:
                _name, _path, args, kwargs = found.fields[name].deconstruct()
                kwargs["verbose_name"] = name.replace("_", " ")
                found.fields[name] = type(found.fields[name])(*args, **kwargs)
        if "apps" in state.__dict__:
            state.reload_models([(app_label, model) for model in self.models])

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing."""

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing."""

    def describe(self) -> str:
        return f"Name {', '.join(self.models)}"

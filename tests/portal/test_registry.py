"""A system that leaves a promise out, or promises what it cannot keep, is not registered."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from portal.models import Part
from portal.systems import registry
from portal.systems.http import HttpSystem
from portal.systems.outside import Capabilities

GOOD = HttpSystem.declared["refund"]


def system(**changes: Any) -> type[Any]:
    own: dict[str, Any] = {"name": "trial", "parts": frozenset({Part.PAYMENTS}), "declared": {"refund": GOOD}}
    values = {name: value for name, value in {**own, **changes}.items() if value is not ...}
    return type("Trial", (HttpSystem,), values)


@pytest.fixture(autouse=True)
def _as_before() -> Any:
    before = dict(registry.SYSTEMS)
    yield
    registry.SYSTEMS.clear()
    registry.SYSTEMS.update(before)


def test_what_says_everything_is_registered() -> None:
    made = registry.register(system())
    assert registry.SYSTEMS["trial"] is made
    with pytest.raises(TypeError, match="taken"):
        registry.register(system())


def test_the_systems_that_are_there_serve_what_they_say() -> None:
    assert {name: sorted(each.parts) for name, each in registry.SYSTEMS.items()} == {
        "http": ["contacts", "helpdesk", "payments"], "stripe": ["payments"],
    }  # fmt: skip


@pytest.mark.parametrize("left_out", [field for field in Capabilities.__dataclass_fields__])  # noqa: C416  # a list for the ids
def test_a_promise_left_out_is_named(left_out: str) -> None:
    said = {name: getattr(GOOD, name) for name in Capabilities.__dataclass_fields__ if name != left_out}
    with pytest.raises(TypeError, match=left_out):
        Capabilities(**said)
    with pytest.raises(TypeError, match=f"refund leaves out {left_out}"):
        registry.register(system(declared={"refund": SimpleNamespace(**said)}))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": ""}, "name"), ({"name": "books"}, "books"), ({"name": "x" * 21}, "too long"),
        ({"title": ""}, "title"),
        ({"parts": frozenset()}, "parts"), ({"settings": None}, "settings"), ({"credential": ""}, "credential"),
        ({"declared": {}}, "declared"), ({"send": None}, "send"), ({"find": None}, "find"),
        ({"status": None}, "status"),
        ({"parts": frozenset({Part.PAYMENTS, Part.HELPDESK})}, "reply; `declared` says nothing of update_ticket"),
    ],
)  # fmt: skip
def test_what_a_system_lacks_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(TypeError, match=named):
        registry.register(system(**changes))
    assert "trial" not in registry.SYSTEMS


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"reversibility": "perhaps"}, "reversibility"), ({"idempotency": timedelta(0)}, "lifetime"),
        ({"idempotency": True}, "lifetime"), ({"idempotency": timedelta(hours=-1)}, "lifetime"),
        ({"look_up": "yes"}, "look_up"), ({"settling": timedelta(0)}, "settling"), ({"settling": 60}, "settling"),
        ({"read_seconds": 0}, "read_seconds"), ({"read_seconds": 20.5}, "read_seconds"),
        ({"calls_per_second": 0}, "calls_per_second"), ({"calls_per_second": float("nan")}, "calls_per_second"),
    ],
)  # fmt: skip
def test_a_promise_that_cannot_be_kept_is_refused(change: dict[str, Any], named: str) -> None:
    registry.refuse_bad_promises({"refund": GOOD})
    promise = replace(GOOD, **change)
    with pytest.raises(TypeError, match=f"refund: .*{named}"):
        registry.register(system(declared={"refund": promise}))
    with pytest.raises(TypeError, match=named):
        registry.refuse_bad_promises({"refund": promise})


def test_a_system_without_keys_or_look_up_is_one_too() -> None:
    registry.register(system(declared={"refund": replace(GOOD, idempotency=None, look_up=False)}))

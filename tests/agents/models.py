"""A workspace that asks models: a backend on the test's own server, with a key, prices and a run's worth of money."""

from typing import Any

from agents.gateway import catalogue
from agents.models import ModelCall
from portal.workspace import within

SMALL, LARGE, VERIFIER = "small-1", "large-1", "verifier-1"
# Micro-dollars per million tokens.
PRICES = {SMALL: (150_000, 600_000), LARGE: (2_500_000, 10_000_000), VERIFIER: (1_000_000, 4_000_000)}
KEY = "sk-only-agents-may-ever-read-this"
ACTOR = "system:test"
UNSURE = "It is about the thing from last week, you know which one, can you look at it again?"


def connect(workspace: int, base_url: str, *, name: str = "main", key: bool = True, **values: Any) -> None:
    """A backend with its key, and the prices of its models."""
    models = {"small_model": SMALL, "large_model": LARGE, "verifier_model": "", "deadline_seconds": 10} | values
    with within(workspace) as now:
        catalogue.set_backend(
            workspace=workspace, name=name, base_url=base_url, allow_private=True, actor=ACTOR, now=now, **models
        )
        if key:
            catalogue.set_key(workspace=workspace, backend=name, secret=KEY, actor=ACTOR, now=now)
        for model, (into, out) in PRICES.items():
            catalogue.set_price(
                workspace=workspace, model=model, since=now.date(), input_micros=into, output_micros=out, actor=ACTOR,
                now=now,
            )  # fmt: skip


def cap(workspace: int, most: int, *, kind: str = "money", scope: str = "run", per: str = "run", **more: Any) -> None:
    """A budget."""
    with within(workspace) as now:
        catalogue.set_budget(
            workspace=workspace, series=f"{scope}-{kind}-{per}", actor=ACTOR, now=now,
            **({"holder": "", "retired": False} | more), scope=scope, kind=kind, per=per, most=most,
        )  # fmt: skip


def calls(workspace: int, run: int | None = None) -> list[ModelCall]:
    """Those on record, oldest first."""
    with within(workspace):
        rows = ModelCall.objects.filter(workspace_id=workspace).order_by("pk")
        return list(rows if run is None else rows.filter(run=run))


def triage(queue: str = "orders_delivery", *, priority: str = "P3", quote: str = "", confidence: float = 0.9) -> Any:
    """An answer to the triage step."""
    return {"queue": queue, "priority": priority, "quote": quote, "confidence": confidence}

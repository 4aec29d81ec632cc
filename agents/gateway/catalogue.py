"""What admins set: backends, their keys, prices, budgets, bars. Insert-only versions, each on the log.

Refuses a server that is not on MODEL_HOSTS. A key counts for the backend and host it was set for: whoever turns a
backend elsewhere has to bring the key along.
"""

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from pydantic import SecretStr

from agents import marking
from agents.gateway.base import GatewayError
from agents.gateway.records import LONGEST_DEADLINE
from agents.models import Budget, ConfidenceBar, ModelBackend, ModelKey, ModelPrice
from audit import log
from audit.events import Event
from portal import env, sealing
from portal.egress import host_and_port
from portal.systems.reach import an_address

LONGEST_KEY = 2000
BACKEND_FIELDS = (
    "base_url", "allow_private", "small_model", "large_model", "verifier_model", "embedding_model",
    "rank", "deadline_seconds", "barred",
    "retired",
)  # fmt: skip
R = TypeVar("R", bound=Model)


class CatalogueError(GatewayError):
    """What cannot be set so; `field` names the one that is off."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field, self.sentence = field, sentence


def set_backend(*, workspace: int, name: str, actor: str, now: datetime, **values: Any) -> ModelBackend:
    """Write the next version of a backend.

    Raises:
        CatalogueError.
    """
    row = ModelBackend(workspace_id=workspace, name=name, made_by=actor, created_at=now, **values)
    row.base_url = check_backend({name: getattr(row, name) for name in BACKEND_FIELDS})
    body = {name: getattr(row, name) for name in BACKEND_FIELDS}
    return _write(row, f"backend:{row.name}", Event.BACKEND_SET, body)


def check_backend(values: Mapping[str, Any]) -> str:
    """Its address as it is kept, where the rest fits too.

    Raises:
        CatalogueError.
    """
    uses = ("small_model", "large_model", "verifier_model", "embedding_model")
    if not any(values.get(name) for name in ("retired", *uses)):
        raise CatalogueError("small_model", _("name a model for at least one of the four"))
    if not 1 <= int(values.get("deadline_seconds") or 0) <= LONGEST_DEADLINE:
        raise CatalogueError("deadline_seconds", _("1 to %(most)s seconds") % {"most": LONGEST_DEADLINE})
    if unknown := sorted({str(name) for name in values.get("barred") or ()} - set(marking.WORDS)):
        words = _("%(name)s is no class of data; there are %(classes)s")
        raise CatalogueError("barred", words % {"name": repr(unknown[0][:40]), "classes": ", ".join(marking.WORDS)})
    return check_address(str(values["base_url"]), allow_private=bool(values.get("allow_private")))


def set_key(*, workspace: int, backend: str, secret: str, actor: str, now: datetime) -> ModelKey:
    """Seal the API key of a backend; neither the log nor anybody but the agents process learns it.

    Raises:
        CatalogueError: there is no such backend, or it is no key.
        portal.sealing.SealingError: this installation has no key to seal with.
    """
    sealed, key_id = seal_key(workspace=workspace, backend=backend, secret=secret)
    row = ModelKey(
        workspace_id=workspace, backend=backend, sealed=sealed, key_id=key_id, made_by=actor, created_at=now
    )  # fmt: skip
    return _write(row, f"model_key:{backend}", Event.MODEL_KEY_SET, {"backend": backend, "key": key_id})


def seal_key(*, workspace: int, backend: str, secret: str) -> tuple[bytes, str]:
    """The key sealed for the backend in force, and the id of the key that opens it; nothing is kept.

    Raises:
        CatalogueError, portal.sealing.SealingError: as `set_key`.
    """
    if not 1 <= len(secret) <= LONGEST_KEY or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise CatalogueError(
            "secret", _("1 to %(most)s letters, digits and signs, without spaces") % {"most": LONGEST_KEY}
        )
    row = next((one for one in backends(workspace) if one.name == backend), None)
    if row is None:
        raise CatalogueError("backend", _("there is no backend %(name)s") % {"name": repr(backend)})
    return sealing.seal(secret, place=_place(row), keys=sealing.MODELS)


def open_key(row: ModelBackend) -> SecretStr:
    """The API key of a backend, for the agents process alone.

    Raises:
        CatalogueError: none is set, or it was set for another address.
        portal.sealing.SealingError: this process cannot open it.
    """
    newest = ModelKey.objects.filter(workspace_id=row.workspace_id, backend=row.name).order_by("-version").first()
    if newest is None:
        raise CatalogueError("secret", _("no key is set for %(name)s") % {"name": row.name})
    return sealing.unseal(bytes(newest.sealed), place=_place(row), keys=sealing.MODELS)


def set_price(
    *, workspace: int, model: str, since: date, input_micros: int, output_micros: int, actor: str, now: datetime
) -> ModelPrice:
    """What a model costs from a day on, in micro-dollars per million tokens."""
    row = ModelPrice(
        workspace_id=workspace, model=model, since=since, input_micros=input_micros, output_micros=output_micros,
        made_by=actor, created_at=now,
    )  # fmt: skip
    body = {"since": since.isoformat(), "input_micros": input_micros, "output_micros": output_micros}
    return _write(row, f"price:{model}", Event.PRICE_SET, {"model": model, **body})


def set_budget(*, workspace: int, series: str, actor: str, now: datetime, **values: Any) -> Budget:
    """Write the next version of a budget, a new one where `series` is empty.

    Raises:
        CatalogueError.
    """
    row = Budget(
        workspace_id=workspace, series=series or secrets.token_hex(4), made_by=actor, created_at=now, **values
    )  # fmt: skip
    check_budget(scope=row.scope, holder=row.holder, kind=row.kind, per=row.per)
    body = {name: getattr(row, name) for name in ("scope", "holder", "kind", "per", "most", "retired")}
    return _write(row, f"budget:{row.series}", Event.BUDGET_SET, body)


def check_budget(*, scope: str, holder: str, kind: str, per: str) -> None:
    """Whether such a cap can be counted.

    Raises:
        CatalogueError.
    """
    if scope == Budget.Scope.RUN and (per != "run" or holder):
        raise CatalogueError("per", _("what each run may take is per run, and nobody's in particular"))
    if scope == Budget.Scope.WORKSPACE and holder:
        raise CatalogueError("holder", _("the workspace is one; leave this empty"))
    if scope == Budget.Scope.TOOL and kind != Budget.Kind.TOOL_CALLS:
        raise CatalogueError("kind", _("of a tool, calls are counted"))
    if scope == Budget.Scope.TOOL and per != "day":
        raise CatalogueError("per", _("calls of a tool are counted per day"))
    if kind == Budget.Kind.ONE_CALL and per != "run":
        raise CatalogueError("per", _("one call belongs to a run"))


def set_bar(*, workspace: int, step: str, percent: int, actor: str, now: datetime) -> ConfidenceBar:
    """From which confidence on an answer of a step stands, in per cent."""
    row = ConfidenceBar(workspace_id=workspace, step=step, percent=percent, made_by=actor, created_at=now)
    return _write(row, f"bar:{step}", Event.BAR_SET, {"step": step, "percent": percent})


def backends(workspace: int) -> list[ModelBackend]:
    """The newest version of each backend that is not retired, in order of fall-back."""
    rows = ModelBackend.objects.filter(workspace_id=workspace).order_by("name", "-version").distinct("name")
    return sorted((row for row in rows if not row.retired), key=lambda row: (row.rank, row.name))


def prices(workspace: int, *, today: date) -> dict[str, ModelPrice]:
    """What each model costs today."""
    rows = ModelPrice.objects.filter(workspace_id=workspace, since__lte=today)
    return {row.model: row for row in rows.order_by("model", "-since", "-pk").distinct("model")}


def bars(workspace: int) -> dict[str, int]:
    """Per cent by step, where one was set."""
    rows = ConfidenceBar.objects.filter(workspace_id=workspace).order_by("step", "-version").distinct("step")
    return {row.step: row.percent for row in rows}


def check_address(address: str, *, allow_private: bool) -> str:
    """The address of a server of models as it is kept.

    Raises:
        CatalogueError: it is none, not on MODEL_HOSTS, or in the clear beyond a private network.
    """
    try:
        kept = an_address(address)
    except ValueError as error:
        raise CatalogueError("base_url", str(error)) from None
    url, allowed = urlsplit(kept), {host.strip() for host in env.read().model_hosts.split(",")}
    if not {url.hostname, host_and_port(kept)} & allowed:
        words = _("%(host)s is not on MODEL_HOSTS, which the operator sets")
        raise CatalogueError("base_url", words % {"host": url.hostname})
    if url.scheme == "http" and not allow_private:
        raise CatalogueError("allow_private", _("plain http is for private addresses; use https, or allow them"))
    return kept


def _place(row: ModelBackend) -> str:
    """Where alone a key may be used."""
    scheme = row.base_url.partition(":")[0]
    return f"{row.workspace_id}/models/{row.name}/{scheme}://{host_and_port(row.base_url)}"


def _write(row: R, subject: str, event: Event, body: Mapping[str, Any]) -> R:
    """The row and its entry, numbered as the log numbers its subject."""
    kept: Any = row
    with transaction.atomic():
        version = log.next_version(kept.workspace_id, subject)
        if hasattr(kept, "version"):
            kept.version = version
        log.attribute(subject)
        kept.save(force_insert=True)
        log.record(
            workspace=kept.workspace_id, subject=subject, version=version, event=event, actor=kept.made_by,
            now=kept.created_at, body=body,
        )  # fmt: skip
    return row

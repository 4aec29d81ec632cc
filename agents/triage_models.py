"""Which fitted triage model is in force in a workspace, and its file below VAR_DIR/models, named by hash.

The newest `model.trained` entry of the workspace names it: an agent reads it and cannot forge it.
Without one, the model of the messages this product brings along serves.
"""

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import sklearn
from django.conf import settings
from django.db import transaction

from agents.triage import classifier
from agents.triage.classifier import Labelled, Model
from audit import log
from audit.events import Event
from audit.models import Entry

SUBJECT = "model:triage"
MODELS_KEPT = 8


def folder() -> Path:
    """Where model files lie."""
    return Path(settings.VAR_DIR) / "models"


def current(*, workspace: int) -> str:
    """SHA-256 (hex) of the model file in force."""
    entry = (
        Entry.objects.filter(workspace_id=workspace, subject=SUBJECT, event=Event.MODEL_TRAINED)
        .order_by("-version")
        .first()
    )
    return ensure_default() if entry is None else str(json.loads(entry.canonical)["body"]["digest"])


class InForce:
    """The model in force, looked up once: for one transaction."""

    def __init__(self, workspace: int) -> None:
        self._workspace = workspace

    @functools.cached_property
    def version(self) -> str:
        """SHA-256 (hex) of its file."""
        return current(workspace=self._workspace)


class Named(InForce):
    """A model by its digest, whatever is in force."""

    def __init__(self, workspace: int, digest: str) -> None:
        super().__init__(workspace)
        self.version = digest


@functools.lru_cache(maxsize=MODELS_KEPT)
def load(digest: str) -> Model:
    """The model of a digest, read once per process.

    Raises:
        classifier.ModelError: the file does not have the digest it is named by.
        FileNotFoundError: the file is not there.
    """
    return classifier.load(folder() / f"{digest}.model", digest)


def read_folder(data: Path) -> list[Labelled]:
    """The labelled messages of a folder, from each `messages_*.jsonl`.

    Raises:
        classifier.ModelError: naming the file, and the line where there is one.
    """
    paths = sorted(data.glob("messages_*.jsonl"))
    if not paths:
        raise classifier.ModelError(f"{data}: holds no messages_*.jsonl")
    return [row for path in paths for row in _read(path)]


def _read(path: Path) -> Iterator[Labelled]:
    at = 0
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                at += 1
                yield from classifier.read_rows([line])
    except KeyError as error:
        raise classifier.ModelError(f"{path.name} line {at}: {error.args[0]} is missing") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise classifier.ModelError(f"{path.name} line {at}: not a labelled message: {error}") from error


def fit(rows: Sequence[Labelled]) -> str:
    """Fit a model and store it; returns its digest.

    Raises:
        classifier.ModelError: the rows cannot be learned from.
    """
    return classifier.save(classifier.fit(rows), folder()).stem


def put_in_force(*, workspace: int, digest: str, rows: int, actor: str, now: datetime) -> None:
    """From the next run on the workspace is triaged by this model."""
    with transaction.atomic():
        log.record(
            workspace=workspace,
            subject=SUBJECT,
            event=Event.MODEL_TRAINED,
            actor=actor,
            now=now,
            body={"digest": digest, "rows": rows},
        )


def ensure_default() -> str:
    """The digest of the default model, fitted once per installation and version of seeds and library."""
    made_from = hashlib.sha256(classifier.SEEDS.read_bytes() + sklearn.__version__.encode()).hexdigest()
    pointer = folder() / f"default-{made_from[:16]}.current"
    if pointer.exists():
        return pointer.read_text()
    digest = fit(classifier.read_seeds())
    part = pointer.with_suffix(".part")
    part.write_text(digest)
    part.replace(pointer)
    return digest

"""Which fitted triage model is in force in a workspace, and its file below VAR_DIR/models, named by hash.

The newest `model.trained` entry of the workspace names it: an agent reads it and cannot forge it.
Without one, the model of the messages this product brings along serves.
"""

import functools
import hashlib
import json
from collections.abc import Sequence
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


@functools.lru_cache(maxsize=MODELS_KEPT)
def load(digest: str) -> Model:
    """The model of a digest, read once per process.

    Raises:
        classifier.ModelError: the file does not have the digest it is named by.
        FileNotFoundError: the file is not there.
    """
    return classifier.load(folder() / f"{digest}.model", digest)


def train(*, workspace: int, rows: Sequence[Labelled], actor: str, now: datetime) -> str:
    """Fit a model, store it and put it in force; returns its digest. Call it inside the workspace.

    Raises:
        classifier.ModelError: the rows cannot be learned from.
    """
    digest = classifier.save(classifier.fit(rows), folder()).stem
    with transaction.atomic():
        log.record(
            workspace=workspace, subject=SUBJECT, event=Event.MODEL_TRAINED, actor=actor, now=now,
            body={"digest": digest, "rows": len(rows), "queues": sorted({row.queue for row in rows})},
        )  # fmt: skip
    return digest


def ensure_default() -> str:
    """The digest of the default model, fitted once per installation and version of seeds and library."""
    made_from = hashlib.sha256(classifier.SEEDS.read_bytes() + sklearn.__version__.encode()).hexdigest()
    pointer = folder() / f"default-{made_from[:16]}.current"
    if pointer.exists():
        return pointer.read_text()
    digest = classifier.save(classifier.fit(classifier.read_seeds()), folder()).stem
    part = pointer.with_suffix(".part")
    part.write_text(digest)
    part.replace(pointer)
    return digest

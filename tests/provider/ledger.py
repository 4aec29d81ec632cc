"""What the provider knows: payments, effects, stored answers. One fsynced JSON line each; a start folds the file.

An effect and the answer stored under its key are one line, so that no crash can part them.
"""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_LIFETIME_HOURS = 24.0


@dataclass
class Stored:
    """The answer kept under a key: replayed to the same bytes, refused to others."""

    digest: str
    status: int
    answer: dict[str, Any]
    at: float


@dataclass
class Payment:
    """Money that came in, and how much of it went back."""

    id: str
    amount_minor: int
    currency: str
    back_minor: int = 0


@dataclass
class Ledger:
    """The fold of the file. Methods that change it write the line first; callers hold `lock`."""

    path: Path
    lock: threading.RLock = field(default_factory=threading.RLock)
    payments: dict[str, Payment] = field(default_factory=dict)
    effects: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Stored] = field(default_factory=dict)
    in_progress: set[str] = field(default_factory=set)
    shift_seconds: float = 0.0
    lifetime_hours: float = DEFAULT_LIFETIME_HOURS

    def __post_init__(self) -> None:
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size > 0
        for line in lines(self.path):
            self._fold(line)
        self._file = self.path.open("ab", buffering=0)
        if torn:
            self._file.write(b"\n")

    def now(self) -> float:
        """Unix seconds on the provider's own clock, which tests may move."""
        return time.time() + self.shift_seconds

    def write(self, kind: str, **values: Any) -> None:
        """Make one line durable, then true."""
        line = {"kind": kind, "at": self.now(), **values}
        self._file.write(json.dumps(line).encode() + b"\n")
        os.fsync(self._file.fileno())
        self._fold(line)

    def known(self, key: str) -> Stored | None:
        """What is stored under a key that is still inside its lifetime."""
        stored = self.answers.get(key)
        return stored if stored and self.now() - stored.at < self.lifetime_hours * 3600 else None

    def by_reference(self, reference: str) -> dict[str, Any] | None:
        """The first effect of a reference."""
        return next((effect for effect in self.effects if effect["reference"] == reference), None)

    def _fold(self, line: Mapping[str, Any]) -> None:
        match line["kind"]:
            case "payment":
                self.payments[line["id"]] = Payment(line["id"], line["amount_minor"], line["currency"])
            case "request":
                self._fold_request(line)
            case "status":
                next(e for e in self.effects if e["id"] == line["id"])["status"] = line["status"]
            case "clock":
                self.shift_seconds = line["shift_seconds"]
            case "lifetime":
                self.lifetime_hours = line["hours"]

    def _fold_request(self, line: Mapping[str, Any]) -> None:
        if line["key"] and line["answer"] is not None:
            self.answers[line["key"]] = Stored(line["digest"], line["status"], line["answer"], line["at"])
        if effect := line["effect"]:
            self.effects.append(dict(effect))
            if effect["operation"] == "refund":
                self.payments[effect["payment"]].back_minor += effect["amount_minor"]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line; a last one that a crash tore is not there."""
    if not path.exists():
        return
    for raw in path.read_bytes().split(b"\n"):
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        yield line


def effects(path: Path) -> list[dict[str, Any]]:
    """Every effect that was ever made, with where it stands by now; readable while the provider is dead."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines(path):
        if line["kind"] == "request" and line["effect"]:
            found[line["effect"]["id"]] = {**line["effect"], "at": line["at"]}
        elif line["kind"] == "status":
            found[line["id"]]["status"] = line["status"]
    return list(found.values())

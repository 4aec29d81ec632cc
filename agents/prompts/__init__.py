"""What each step tells a model, in files `STEP.VERSION.txt` beside this one. Pure: it reads them and nothing else.

A version that was in service is not changed: another wording is another file, tried with `replay --prompt` and put in
force by its number here. A call names the version and the beginning of the text's digest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
IN_FORCE: Mapping[str, int] = {"classify": 1, "second_look": 1}


class PromptError(Exception):
    """Base of what can be wrong with a prompt's name."""


class NoSuchPrompt(PromptError):
    """No file has that step and version; the message names those that are there."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of what a step tells a model."""

    step: str
    version: int
    text: str

    @property
    def name(self) -> str:
        """As calls name it: `classify.1-0d3f9a2c`, the last part out of the SHA-256 of its text."""
        return f"{self.step}.{self.version}-{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"

    def fill(self, **values: str) -> str:
        """The text with values in the place of `{name}`; other braces stay."""
        text = self.text
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return text


def in_force(step: str) -> Prompt:
    """The version that is asked with in service."""
    return find(step, IN_FORCE[step])


def find(step: str, version: int) -> Prompt:
    """One version of a step's prompt.

    Raises:
        NoSuchPrompt.
    """
    path = FOLDER / f"{step}.{version}.txt"
    if step not in IN_FORCE or not path.is_file():
        there = ", ".join(sorted(one.stem for one in FOLDER.glob("*.txt")))
        raise NoSuchPrompt(f"there is no prompt {step}.{version}; there are {there}")
    return Prompt(step, version, path.read_text(encoding="utf-8").strip())


def named(name: str) -> Prompt:
    """The prompt of a name as people write it: `classify.2`.

    Raises:
        NoSuchPrompt.
    """
    step, _, version = name.partition(".")
    return find(step[:40], int(version) if version.isascii() and version.isdigit() and len(version) < 6 else 0)

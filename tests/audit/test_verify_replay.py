"""`--replay`: the verifier's own table of moves, and each way in which a signed log can tell an illegal story."""

from pathlib import Path
from typing import Any

import pytest

from approvals import state
from audit import canonical, verify
from tests.audit.test_verify import check, lay

DIGEST, OTHER = "a" * 64, "b" * 64


class Story:
    """Entries of one proposal and the votes on it, in order."""

    def __init__(self, people: int = 1) -> None:
        self.lines: list[bytes] = []
        self._versions: dict[str, int] = {}
        self.on: dict[str, Any] = {"revision": 1, "digest": DIGEST, "people": people}
        self.round = 1

    def moves(self, *moves: str, **changed: Any) -> "Story":
        """`event>state`, with what the entry says."""
        self.on |= changed
        for move in moves:
            event, _, after = move.partition(">")
            self._add(f"proposal.{event}", "proposal:9", after, "system:apply", dict(self.on))
        return self

    def votes(self, *people: str, kind: str = "approve", **changed: Any) -> "Story":
        for person in people:
            body = {"proposal": 9, "kind": kind, "round": self.round, **self.on, **changed}
            self._add("decision.recorded", f"decision:{len(self.lines)}", "", f"person:{person}", body)
        return self

    def _add(self, event: str, subject: str, after: str, actor: str, body: dict[str, Any]) -> None:
        self._versions[subject] = self._versions.get(subject, 0) + 1
        made = {
            "actor": actor, "at": "2026-01-01T00:00:00+00:00", "body": body, "case": "", "commitments": {},
            "event": event, "state": after, "subject": subject, "trace_id": "", "version": self._versions[subject],
            "workspace": 1,
        }  # fmt: skip
        self.lines.append(canonical.encode(made))


def begun(people: int = 1) -> Story:
    return Story(people).moves("proposed>pending")


DONE = ("approved>approved", "applying>applying", "applied>applied")

LEGAL = {
    "approved by one": begun().votes("1").moves(*DONE),
    "approved by two": begun(2).votes("1", "2").moves(*DONE),
    "allowed": Story(0).moves("allowed>approved", *DONE[1:]),
    "edited, then approved anew": begun().votes("1").moves("edited>pending", revision=2, digest=OTHER)
    .votes("2").moves(*DONE),
    "unknown, looked up, sent again": begun().votes("1")
    .moves(*DONE[:2], "unknown>unknown", "cleared>approved", *DONE[1:]),
    "failed and done anew": begun().votes("1").moves(*DONE[:2], "failed>failed")
    .moves("redone>pending", revision=2).votes("1").moves(*DONE),
    "denied": Story().moves("denied>denied"),
}  # fmt: skip
STOPPED = begun().votes("1").moves("approved>approved", "stopped>pending")
UNVOTED = begun(2).votes("1").moves("unvoted>pending")
UNVOTED.round = 2

ILLEGAL = {
    "nothing came before": (Story().moves(*DONE), 0, "is not there yet: proposal.approved"),
    "a move that is not in the table": (begun().moves("applied>applied"), 1, "is pending: proposal.applied"),
    "another state than the move leads to": (begun().votes("1").moves("approved>applied"), 2, "cannot make it applied"),
    "after its end": (Story().moves("denied>denied", "reopened>pending"), 1, "is denied"),
    "no vote": (begun().moves(*DONE), 1, "approved with 0 of 1 votes"),
    "one vote of two": (begun(2).votes("1").moves(*DONE), 2, "approved with 1 of 2 votes"),
    "the same person twice": (begun(2).votes("1", "1").moves(*DONE), 3, "approved with 1 of 2 votes"),
    "a vote that was a no": (begun().votes("1", kind="reject").moves(*DONE), 2, "approved with 0 of 1"),
    "votes on other bytes": (begun().votes("1", digest=OTHER), 1, "in a form that it does not have"),
    "other bytes after the vote": (
        begun().votes("1").moves("approved>approved", "applying>applying").moves("applied>applied", digest=OTHER),
        4, "other bytes",
    ),
    "votes of before an edit": (
        begun().votes("1").moves("edited>pending", revision=2, digest=OTHER).moves(*DONE), 3, "with 0 of 1 votes",
    ),
    "fewer people asked after the fact": (begun(2).votes("1").moves(*DONE, people=1), 2, "other people are asked"),
    "nobody asked after the fact": (begun(1).moves(*DONE, people=0), 1, "other people are asked"),
    "allowed though people are asked": (Story(1).moves("allowed>approved"), 0, "with 0 of 1 votes"),
    "a revision left out": (begun().moves("edited>pending", revision=3), 1, "is not its revision 2"),
    "votes of a round before": (STOPPED.moves("approved>approved"), 4, "with 0 of 1 votes"),
    "a vote that was taken back": (UNVOTED.votes("2").moves("approved>approved"), 4, "with 1 of 2 votes"),
    "a vote before it is there": (Story().votes("1"), 0, "in a form that it does not have"),
    "people in words": (Story("one").moves("proposed>pending"), 0, "other people"),  # type: ignore[arg-type]
}  # fmt: skip


def test_the_table_is_that_of_the_product() -> None:
    ours = {
        (
            str(move.before or ""),
            str(move.event),
            str(move.after),
            move.new_revision or move.before is None,
            move.new_round,
        )
        for move in state.MOVES
    }
    theirs = {
        (before, f"proposal.{event}", after.rstrip("+*"), "+" in after, "*" in after)
        for before, moves in verify.LEGAL.items()
        for event, _, after in (move.partition(":") for move in moves.split())
    }
    assert theirs == ours


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_story_is_sound(tmp_path: Path, name: str) -> None:
    lines = LEGAL[name].lines
    code, said = check(lay(tmp_path / "bundle", lines, sizes=(0, len(lines))), "--replay")
    assert (code, "1 proposals replayed" in said) == (0, True), said


@pytest.mark.parametrize("name", ILLEGAL)
def test_an_illegal_story_is_named_though_all_of_it_is_signed(tmp_path: Path, name: str) -> None:
    story, index, named = ILLEGAL[name]
    bundle = lay(tmp_path / "bundle", story.lines, sizes=(len(story.lines),))
    assert check(bundle)[0] == 0
    code, said = check(bundle, "--replay")
    assert (code, named in said, said.startswith(f"verify: entry {index}: proposal:9 ")) == (1, True, True), said

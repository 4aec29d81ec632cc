"""Which writes stand on a field: the rule of undo against a plain stack, over random stories."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.diff import ABSENT, Change, Fit
from approvals.reversal import layers
from approvals.reversal.layers import Write

FIELDS = ("city", "email", "phone")


@dataclass
class Stack:
    """The plain truth about one field: the writes that stand, and what each write found and left behind."""

    value: Any
    standing: tuple[int, ...] = ()
    left: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    live: set[int] = field(default_factory=set)


@dataclass
class Record:
    """A record with its writes, newest last; undone by the rule under test, followed by the stacks beside it."""

    stacks: dict[str, Stack]
    writes: list[Write] = field(default_factory=list)

    @property
    def now(self) -> dict[str, Any]:
        return {name: stack.value for name, stack in self.stacks.items() if stack.value is not ABSENT}

    def write(self, values: dict[str, Any]) -> None:
        changes = tuple(
            Change(name, "unset" if value is ABSENT else "set", self.stacks[name].value, value)
            for name, value in values.items()
            if value != self.stacks[name].value
        )
        if not changes:
            return
        number = len(self.writes) + 1
        for change in changes:
            stack = self.stacks[change.field]
            stack.left[number] = (stack.standing, (*stack.standing, number))
            stack.standing, stack.value = (*stack.standing, number), change.after
            stack.live.add(number)
        self.writes.append(Write(number, number, None, changes))

    def expected(self, write: Write) -> dict[str, Fit]:
        """By the stacks: clean where the field stands exactly as this write left it."""
        fates = {}
        for change in write.changes:
            stack = self.stacks[change.field]
            untouched = write.proposal in stack.live and stack.standing == stack.left[write.proposal][1]
            if stack.value == change.before:
                fates[change.field] = Fit.ALREADY
            else:
                fates[change.field] = Fit.CLEAN if untouched and stack.value == change.after else Fit.CONFLICT
        return fates

    def undo(self, write: Write) -> None:
        found = layers.parts(write.proposal, write.changes, self.now, self.writes[write.receipt :])
        assert {part.change.field: part.fate for part in found} == self.expected(write)
        clean = [part.change for part in found if part.fate is Fit.CLEAN]
        for part in found:
            assert bool(part.because) == (part.fate is not Fit.CLEAN)
            assert part.first is None or part.first in self.stacks[part.change.field].live
        if not clean:
            return
        number = len(self.writes) + 1
        for change in clean:
            stack = self.stacks[change.field]
            below, _ = stack.left[write.proposal]
            stack.left[number] = (stack.standing, below)
            stack.standing, stack.value = below, change.before
            stack.live.discard(write.proposal)
            stack.live.add(number)
            if write.undoes is not None:
                stack.live.add(write.undoes)
        self.writes.append(Write(number, number, write.proposal, tuple(layers.reverse(change) for change in clean)))


VALUES = st.sampled_from(["a", "b", "c", ABSENT])
STEP = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1).map(lambda values: ("write", values)),
    st.tuples(st.just("hand"), st.tuples(st.sampled_from(FIELDS), VALUES)),
    st.tuples(st.just("undo"), st.integers(0, 30)),
    st.tuples(st.just("undo"), st.integers(0, 30)),
)


@settings(max_examples=1_000, deadline=None, database=None, derandomize=True)
@given(steps=st.lists(STEP, max_size=16))
def test_an_undo_takes_back_exactly_what_still_stands_on_top(steps: list[tuple[str, Any]]) -> None:
    record = Record({name: Stack("a") for name in FIELDS})
    for kind, what in steps:
        if kind == "write":
            record.write(what)
        elif kind == "hand":
            record.stacks[what[0]].value = what[1]
        elif record.writes:
            record.undo(record.writes[what % len(record.writes)])


def test_writes_of_other_members_do_not_stand_in_each_others_way() -> None:
    mine = Change("tags", "set_members", [], ["kettle"])
    other = Change("tags", "set_members", ["kettle"], ["kettle", "vip"])
    (part,) = layers.parts(1, (mine,), {"tags": ["kettle", "vip"]}, (Write(2, 2, None, (other,)),))
    assert (part.fate, part.first) == (Fit.CLEAN, None)
    again = Change("tags", "set_members", ["kettle", "vip"], ["vip"])
    back = Change("tags", "set_members", ["vip"], ["kettle", "vip"])
    later = (Write(2, 2, None, (other,)), Write(3, 3, None, (again,)), Write(4, 4, None, (back,)))
    (part,) = layers.parts(1, (mine,), {"tags": ["kettle", "vip"]}, later)
    assert (part.fate, part.first) == (Fit.CONFLICT, 4)

"""Who saw it, who edited it and who decided, for how long it was on their screen: out of the entries that name it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from approvals import decisions, diff, sentences, showing, wording
from approvals.models import Revision
from approvals.reports.forms import Act, Changed
from approvals.showing import Books
from audit.report import Fact
from portal.retold import say

ACTS = frozenset({"decision.recorded", "proposal.revised", "item.seen", "item.taken_over", "item.assigned"})


def acts(
    facts: Iterable[Fact], names: Mapping[str, str], people: Mapping[int, str], edits: Mapping[int, list[Changed]]
) -> list[Act]:
    """What people and agents did with it, oldest first; looks at one revision by one person are one line."""
    found: list[Act] = []
    for fact in facts:
        if fact.event not in ACTS:
            continue
        act = _act(fact, names, people, edits)
        again = next((one for one in found if fact.event == "item.seen" and _same_look(one, act)), None)
        if again is None:
            found.append(act)
        else:
            seconds = (again.seconds or 0) + (act.seconds or 0)
            found[found.index(again)] = again.model_copy(update={"seconds": seconds})
    return found


def _same_look(one: Act, other: Act) -> bool:
    return (one.words, one.who, one.revision) == (other.words, other.who, other.revision)


def _act(
    fact: Fact, names: Mapping[str, str], people: Mapping[int, str], edits: Mapping[int, list[Changed]]
) -> Act:  # fmt: skip
    body, revision = fact.body, int(fact.body.get("revision") or 0)
    said = (say(decisions.REJECT_REASONS.get(str(body.get("reason", "")), "")), fact.value("note"))
    edited = fact.event == "proposal.revised" or body.get("kind") in ("edit", "redo")
    made = revision if fact.event == "proposal.revised" else revision + 1
    return Act(
        entry=fact.entry, at=fact.at, who=wording.actor(fact.actor, people), role=str(body.get("role", "")),
        words=sentences.phrase(fact.event, body).replace("{about}", _it(fact, names)), revision=revision,
        digest=str(body.get("digest", "")), seconds=body.get("seconds"), present="step_up" in body,
        note=": ".join(part for part in said if part), edits=list(edits.get(made, ())) if edited else [],
    )  # fmt: skip


def _it(fact: Fact, names: Mapping[str, str]) -> str:
    """What a report is about needs no name in it; to whom something was given does."""
    to = fact.body.get("to")
    if fact.event != "item.assigned" or not to:
        return pgettext("proposal", "it")
    return pgettext("proposal", "it to %(name)s") % {
        "name": names.get(f"person:{to}") or _("person %(number)s") % {"number": to}
    }


def edits(revisions: Sequence[Revision], books: Books) -> dict[int, list[Changed]]:
    """For each revision after the first what differs from the one before, by label."""
    ordered = sorted(revisions, key=lambda one: one.number)
    return {after.number: _between(flat(before, books), flat(after, books)) for before, after in pairwise(ordered)}


def _between(before: Mapping[str, str], after: Mapping[str, str]) -> list[Changed]:
    labels = [*before, *(label for label in after if label not in before)]
    return [
        Changed(name="", label=label, before=before.get(label), after=after.get(label))
        for label in labels
        if before.get(label) != after.get(label)
    ]


def flat(revision: Revision, books: Books) -> dict[str, str]:
    """What a revision would bring about, as labels and texts."""
    if not bytes(revision.nonce):
        return {}
    changes, effects = diff.read_content(revision.content)
    found = {row.label: showing.joined(row.after) for row in showing.fields(changes, books)}
    for effect in showing.effects(effects, books):
        found |= dict(effect.facts)
        found |= {effect.title: showing.joined(effect.text)} if effect.text else {}
    return found

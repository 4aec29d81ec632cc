"""How far each entry of a report is proved: sealed under which checkpoint, kept outside where and when."""

from collections.abc import Mapping, Sequence
from typing import Literal

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals import sentences, wording
from approvals.reports.forms import Kept, Proof, Proved, Seal
from audit import proofs
from audit.models import Entry
from audit.report import Fact

Part = Literal["", "asked", "approval", "outcome"]
ASKED = ("proposal.proposed", "proposal.allowed", "proposal.denied")
ENDED = (
    "proposal.denied", "proposal.rejected", "proposal.expired", "proposal.withdrawn", "proposal.applied",
    "proposal.failed", "proposal.unknown",
)  # fmt: skip


def of(subject: str, facts: Sequence[Fact], names: Mapping[str, str], who: Mapping[int, str]) -> Proof:
    """Every entry with its digest, its place in the tree and what was signed over it."""
    entries = {one.pk: one for one in Entry.objects.filter(pk__in=[fact.entry for fact in facts])}
    sealed = proofs.sealed(entries.values())
    parts = _parts(facts)
    proved = [
        Proved(
            entry=fact.entry, at=fact.at, part=parts.get(fact.entry, ""), digest=proofs.digest(entries[fact.entry]),
            words=_sentence(fact, names, who, subject),
            seal=_seal(sealed.get(fact.entry)), href=reverse("entry", args=[fact.entry]),
        )
        for fact in facts
    ]  # fmt: skip
    return Proof(words=_words(proved), entries=proved)


def _sentence(fact: Fact, names: Mapping[str, str], who: Mapping[int, str], it: str) -> str:
    return f"{wording.actor(fact.actor, who)} {sentences.told(fact.event, fact.subject, fact.body, names, it=it)}"


def _parts(facts: Sequence[Fact]) -> dict[int, Part]:
    """The entries that count most: where it was asked for, the newest approval, and its end."""
    own: dict[int, Part] = {}
    for fact in facts:
        if fact.event in ASKED:
            own[fact.entry] = "asked"
    approved = [fact.entry for fact in facts if fact.event == "proposal.approved"]
    ended = [fact.entry for fact in facts if fact.event in ENDED]
    own |= dict.fromkeys(approved[-1:], "approval")
    return own | dict.fromkeys(ended[-1:], "outcome")


def _seal(found: proofs.Sealed | None) -> Seal | None:
    if found is None:
        return None
    return Seal(
        index=found.index, origin=found.origin, size=found.size, root=found.root, at=found.at,
        anchors=[Kept(where=where, at=at) for where, at in found.anchors],
    )  # fmt: skip


def _words(proved: Sequence[Proved]) -> str:
    open_still = sum(one.seal is None for one in proved)
    if open_still == len(proved):
        return _("None of these entries is sealed yet; that takes a second or two after they are written.")
    anchored = all(one.seal and one.seal.anchors for one in proved)
    if not open_still and anchored:
        return _(
            "All of these entries are under a signed checkpoint, and the checkpoint over them is kept outside the"
            " database as well."
        )
    said = (
        _("%(count)s of these entries are under a signed checkpoint.") % {"count": len(proved) - open_still}
        if open_still
        else _("All of these entries are under a signed checkpoint.")
    )
    rests = _("Not all of them are kept outside the database yet: until then the seal rests on the sealer's key alone.")
    return f"{said} {rests}"

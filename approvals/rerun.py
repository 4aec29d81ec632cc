"""What schema, policy and tier came to when they ran again on a new revision, against the one before it, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals import wording
from approvals.models import Proposal, Revision


def last(proposal: Proposal) -> str:
    """Of the revision that stands there, in one statement; "" where it is the first."""
    numbers = (proposal.revision - 1, proposal.revision)
    rows = list(Revision.objects.filter(proposal=proposal, number__in=numbers).order_by("number"))
    return words(*rows) if len(rows) == len(numbers) else ""


def words(before: Revision, now: Revision) -> str:
    """A sentence: what of tier, people and rules is another, or that none of it is."""
    tier = _tier(str(before.verdict.get("tier", "")), str(now.verdict.get("tier", "")))
    parts = [": ".join(part for part in (tier, _people(before, now)) if part), _rules(before, now)]
    found = "; ".join(part for part in parts if part)
    told = found[:1].upper() + found[1:] if found else _("Tier, people and rules are unchanged")
    return f"{told}."


def _tier(was: str, now: str) -> str:
    told = {"was": wording.tier(was), "now": wording.tier(now)}
    return "" if was == now else _("tier from %(was)s to %(now)s") % told


def _people(before: Revision, now: Revision) -> str:
    if (before.people, before.second_role) == (now.people, now.second_role):
        return ""
    count = ngettext("%(count)s person now", "%(count)s people now", now.people) % {"count": now.people}
    told = {"count": count, "role": _(now.second_role), "was": before.people}
    if now.second_role:
        return _("%(count)s, one of them a %(role)s (before: %(was)s)") % told
    return _("%(count)s (before: %(was)s)") % told


def _rules(before: Revision, now: Revision) -> str:
    was, there = (", ".join(one.verdict.get("rules", ())) for one in (before, now))
    if was == there:
        return ""
    nothing = _("none")
    return _("rule %(now)s instead of %(was)s") % {"now": there or nothing, "was": was or nothing}

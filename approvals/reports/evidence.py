"""What a proposal rests on, with citations that this reader may open; of the others only that they are there."""

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import background, detail, showing, wording
from approvals.background import Citation
from approvals.models import Proposal
from approvals.reports.forms import Cited
from portal import pages
from portal.models import Clause

HIDDEN = noop("A page that you may not read.")


def of(proposal: Proposal, known: background.Facts, roles: Collection[str]) -> list[Cited]:
    """Evidence in its order."""
    found = background.citations(detail.draft(proposal).payload.get("evidence", ()), known)
    open_to = _readable(proposal.workspace_id, found, roles)
    return [_cited(one, proposal, (one.clause_id, one.version) in open_to) for one in found]


def _readable(workspace: int, found: Collection[Citation], roles: Collection[str]) -> set[tuple[str, int]]:
    """Ids and versions of the cited clauses on pages that one with these roles reads; one statement."""
    ids = [one.clause_id for one in found if one.clause_id]
    rows = Clause.objects.filter(workspace_id=workspace, clause_id__in=ids)
    return set(pages.readable(rows, pages.readers_of(roles)).values_list("clause_id", "version")) if ids else set()


def _cited(one: Citation, proposal: Proposal, readable: bool) -> Cited:
    if one.clause_id and not readable:
        return Cited(
            claim="", source=one.source, where=one.clause_id, quote=_(HIDDEN), version=one.version,
            readable=False, href="",
        )  # fmt: skip
    kind = one.source.partition(":")[0]
    href = reverse("policy-clause", args=[one.clause_id, one.version]) if one.clause_id else ""
    if not href and kind in ("ticket", "messages", "contact", "order", "customer", "payment", "payments"):
        href = reverse("case", args=[proposal.case_id])
    return Cited(
        claim=one.claim, source=one.source, where=wording.source(one.source), version=one.version, readable=True,
        quote=one.clause or showing.joined(one.quote), href=href,
    )  # fmt: skip

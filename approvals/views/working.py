"""Work by hand: edit a proposal, start any action oneself, and the page of a whole case."""

import secrets
from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals import background, by_hand, manual, passages, proposals, queries, revising, shifts, staleness, votes
from approvals.actions import ACTIONS, ActionError
from approvals.forms import ActionForm
from approvals.models import Case, Handoff, Proposal, Submission
from approvals.views import deciding, noting, phrasing
from portal import money, roles
from portal.htmx import WorkspaceRequest, respond
from portal.models import Person
from portal.retold import fault, kept, say

BY_HAND = kept("Started by hand.")


@require_http_methods(["GET", "POST"])
def edit(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The arguments as a form; saving is a new revision without votes."""
    deciding.require_deciding(request)
    row = get_object_or_404(Proposal.objects.select_related("case"), workspace=request.workspace, pk=pk)
    facts, phrases, form = _editing(request, row)
    status, wrote, missed = 200, _wrote(request, facts.wrote), 0
    if phrases.inserting:
        status = _inserted(form, phrases)
    elif request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                args = _args(request, form, row.action, row.target)
                done = deciding.decide(request, pk, revising.edit, args=args, wrote=wrote)
                return deciding.back_to(request, f"proposal:{pk}", done=done)
            except (*deciding.REFUSALS, ActionError, money.MoneyError) as error:
                status = 422 if isinstance(error, ActionError | money.MoneyError) else deciding.status_of(error)
                if isinstance(error, revising.Wrote):  # perhaps after the records were read above
                    facts, phrases, form = _editing(request, row)
                    missed, wrote = _missed(facts, wrote), facts.wrote
                form.refuse(fault(str(error)))
    # A refused page keeps what it was made from: saving it again must not pass for having seen the new one.
    seen = request.POST if request.method == "POST" else row
    context = {"form": form, "proposal": row, "seen": seen, "title": say(ACTIONS[row.action].title)}
    context |= {"facts": facts, "phrases": phrases, "wrote": wrote, "missed": missed, "item": f"proposal:{pk}"}
    return respond(request, "approvals/edit.html", {}, context, status=status)


def _editing(request: WorkspaceRequest, row: Proposal) -> tuple[background.Facts, phrasing.Phrases, ActionForm]:
    """The records as they are now, and the form over them: with what was posted, else what is proposed."""
    ws = request.workspace.pk
    offer = manual.offer(workspace=ws, action=row.action, target=row.target, args=votes.current(row).args)
    facts = background.facts(ws, row.case, row.target, row.customer)
    phrases = phrasing.on(request, row.case, row.action, facts)
    return facts, phrases, _form(request, row.action, offer, phrases.data)


def _wrote(request: WorkspaceRequest, now: int) -> int:
    """The number of the last message beside the form: as it was posted, else as it is now."""
    said = request.POST.get("wrote", "")
    return int(said) if said.isdecimal() and len(said) < 9 else now


def _missed(facts: background.Facts, wrote: int) -> int:
    """The number of the first message that the customer wrote after the one beside the form; 0 where none is."""
    messages = facts.ticket.messages if facts.ticket else ()
    return min((one.seq for one in messages if one.sender == "customer" and one.seq > wrote), default=0)


@require_http_methods(["GET", "POST"])
def new_action(request: WorkspaceRequest, pk: int, action: str) -> HttpResponse:
    """Do it myself: the form of an action on a case; it goes through the same door as everybody's."""
    deciding.require_deciding(request)
    case = get_object_or_404(Case, workspace=request.workspace, pk=pk)
    contact = manual.contact_of(case)
    if action not in dict(manual.actions_for(case, contact)):
        raise Http404
    handoff = _handoff(request, case)
    plans = manual.found_args(handoff, action)
    target = contact if ACTIONS[action].target_kind == "contact" else _target(request, case, action, plans)
    context = {"case": case, "action": action, "title": say(ACTIONS[action].title), "handoff": handoff}
    if not target:
        facts = background.facts(request.workspace.pk, case)
        return respond(request, "approvals/choose_order.html", {}, {**context, "facts": facts, "plans": plans})
    facts = background.facts(request.workspace.pk, case, target)
    phrases = phrasing.on(request, case, action, facts, handoff)
    start = next((plan for plan in plans if plan.get("order_id", target[6:]) == target[6:]), None)
    start = {"body": phrases.start} if phrases.start else start
    offer = manual.offer_from(workspace=request.workspace.pk, action=action, target=target, plan=start)
    last = staleness.last(facts.ticket) or 0  # of all, ours too: a reply that crosses another is found stale
    form, status, wrote = _form(request, action, offer, phrases.data), 200, _wrote(request, last)
    missed = 0
    if phrases.inserting:
        status = _inserted(form, phrases)
    elif request.method == "POST":
        if facts.wrote > wrote:
            form.refuse(say(revising.UNREAD))
            missed, wrote = _missed(facts, wrote), last
        elif (made := _start(request, case, action, target, form, wrote)) is not None:
            return redirect("submission", pk=made.pk)
        status = 422
    key = request.POST.get("key") or secrets.token_hex(8)
    asks = _asks(request, handoff, phrases)
    context |= {"form": form, "target": target, "key": key, "facts": facts, "asks": asks, "phrases": phrases}
    context |= {"wrote": wrote, "missed": missed}
    return respond(request, "approvals/new_action.html", {}, context, status=status)


@require_GET
def submission(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """'Being checked', until the gate has answered; then the way to what came of it."""
    row = get_object_or_404(Submission.objects.select_related("case"), workspace=request.workspace, pk=pk)
    kind, _colon, key = row.outcome.removeprefix("denied: ").partition(":")
    if row.status == Submission.Status.GATED and kind in ("proposal", "handoff") and key.isdecimal():
        return _go(request, reverse(kind, args=[int(key)]))
    return respond(
        request,
        "approvals/submission.html",
        {"submission": "approvals/_submission.html"},
        {"submission": row},
    )


@require_GET
def case(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Everything of one case."""
    ws, row = request.workspace.pk, get_object_or_404(Case, workspace=request.workspace, pk=pk)
    facts, siblings = background.facts(ws, row), background.siblings(ws, pk)
    context = {
        "case": row,
        "facts": facts,
        "siblings": siblings,
        "came": passages.of(background.taints(ws, siblings), facts.ticket),
        "handoffs": background.handoffs(ws, pk),
        "timeline": background.timeline(ws, pk),
        "starts": manual.actions_for(row, facts.contact_named),
        "decides": bool(roles.deciding(request.roles)),
        "notes": shifts.open_notes(ws, case=pk),
        "notes_for": bool(noting.WRITERS & request.roles),
        "printing": "print" in request.GET,
    }
    return respond(request, "approvals/case.html", {}, context)


@require_GET
def cases(request: WorkspaceRequest) -> HttpResponse:
    """Cases, newest first, or those of a record, with what could have one."""
    subject, before = request.GET.get("subject", "").strip()[:120], request.GET.get("before", "")
    if subject:
        return _found(request, subject)
    start = int(before) if before.isdecimal() and len(before) < 19 else None
    found = queries.cases(request.workspace.pk, before=start)
    shown = found[: queries.PAGE]
    more = shown[-1].pk if len(found) > queries.PAGE else None
    return respond(request, "approvals/cases.html", {}, {"cases": shown, "more": more, "subject": subject})


@require_POST
def open_case(request: WorkspaceRequest) -> HttpResponse:
    """A case by hand, for a record that never came in."""
    deciding.require_deciding(request)
    subject = request.POST.get("subject", "").strip()
    try:
        made = by_hand.open_for(
            workspace=request.workspace.pk, subject=subject, person=request.user.pk, now=request.now
        )  # fmt: skip
    except by_hand.NoRecord as error:
        return _found(request, subject[:120], problem=str(error))
    return redirect("case", pk=made.pk)


def _found(request: WorkspaceRequest, subject: str, *, problem: str = "") -> HttpResponse:
    found = by_hand.find(workspace=request.workspace.pk, text=subject)
    context = {
        "cases": found.cases, "records": found.records, "most": found.most, "subject": subject, "problem": problem,
        "decides": bool(roles.deciding(request.roles)) and request.impersonator is None,
    }  # fmt: skip
    return respond(request, "approvals/cases.html", {}, context, status=422 if problem else 200)


@require_POST
def keys(request: WorkspaceRequest) -> HttpResponse:
    """Switch one's own single keys off or on."""
    Person.objects.filter(pk=request.user.pk).update(keys_enabled=not request.user.keys_enabled)
    return redirect("queue")


def _form(request: WorkspaceRequest, action: str, offer: manual.Offer, put: QueryDict | None = None) -> ActionForm:
    data = put or (request.POST if request.method == "POST" else None)
    return ActionForm(
        ACTIONS[action].schema,
        choices=offer.choices,
        initial_args=offer.initial,
        fixed=offer.fixed,
        present=offer.present,
        standing=offer.standing,
        data=data,
    )


def _inserted(form: ActionForm, phrases: phrasing.Phrases) -> int:
    """The form comes back with the text, which is no fault, or says that none was chosen."""
    if phrases.data is not None:
        return 200
    form.refuse(_("Choose a text first."))
    return 422


def _args(request: WorkspaceRequest, form: ActionForm, action: str, target: str) -> dict[str, Any]:
    return manual.complete(workspace=request.workspace.pk, action=action, target=target, args=form.args())


def _start(
    request: WorkspaceRequest, case: Case, action: str, target: str, form: ActionForm, read_to: int
) -> Submission | None:
    """Hand it in, or put what is off beside its field."""
    if not form.is_valid():
        return None
    ws = request.workspace.pk
    try:
        args = _args(request, form, action, target)
        manual.check(workspace=ws, case=case, action=action, target=target, args=args)
    except (ActionError, money.MoneyError) as error:
        form.refuse(fault(str(error)))
        return None
    key = request.POST.get("key", "")[:32] or secrets.token_hex(8)
    try:
        return manual.hand_in(
            workspace=ws,
            case=case,
            action=action,
            target=target,
            args=args,
            why=BY_HAND,
            person=request.user.pk,
            key=key,
            asks=action == "ticket.reply" and "asks" in request.POST,
            read_to=read_to if case.subject.startswith("ticket:") else None,
        )
    except proposals.ProposalError as error:
        form.refuse(fault(str(error)))
        return None


def _asks(request: WorkspaceRequest, handoff: Handoff | None, phrases: phrasing.Phrases) -> bool:
    """Whether the box is ticked that the reply waits for an answer: as posted, at first where a question led here."""
    if request.method == "POST":
        return "asks" in (phrases.data or request.POST)
    return handoff is not None and handoff.kind == Handoff.Is.QUESTION


def _handoff(request: WorkspaceRequest, case: Case) -> Handoff | None:
    """The hand-off that led here, named in the address."""
    key = request.GET.get("handoff", "")
    if not key.isdecimal() or len(key) > 18:
        return None
    return Handoff.objects.filter(workspace=request.workspace, case=case, pk=int(key)).first()


def _target(request: WorkspaceRequest, case: Case, action: str, plans: list[dict[str, Any]]) -> str:
    """The record to act on; of a refund the order, "" while it is not chosen."""
    if action != "refund.create" or case.subject.startswith("order:"):
        return case.subject
    named = request.GET.get("order", "") or (plans[0].get("order_id", "") if len(plans) == 1 else "")
    return f"order:{named}" if named else ""


def _go(request: WorkspaceRequest, where: str) -> HttpResponse:
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": where})
    return redirect(where)

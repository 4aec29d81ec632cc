"""A workspace with a row of every kind, and every address of the product about them, from the URL resolver.

`said` stands in every field that a customer, an agent or a colleague can fill.
"""

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any

from django.contrib.admin.sites import AdminSite
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agents import models as agents
from agents import transcripts, vault
from agents.sweeps import planning
from approvals import (
    asides,
    batches,
    claims,
    conversations,
    decisions,
    handoffs,
    relaxing,
    saving,
    shifts,
    state,
    switches,
    thresholds,
)
from approvals import models as approvals
from approvals.blind import drawing
from approvals.practice import working as practising
from audit import log
from audit.models import Entry
from portal import choices, models, notices, standing_in, stepup, tokens, walls, workspace
from portal.admin_site import site
from tests.agents.models import connect
from tests.approvals import steps
from tests.approvals.test_second_wall import high
from tests.cast import Cast
from tests.conftest import signed_in
from tests.presence import Codes

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ALIKE = re.compile(r"[^a-z]+")
ZERO = "0" * 64


@dataclass
class House:
    """A cast and what stands in their workspace; `ids` by what an address calls it."""

    cast: Cast
    said: str
    ids: dict[str, list[Any]] = field(default_factory=dict)
    codes: dict[str, Codes] = field(default_factory=dict)


def furnish(cast: Cast, said: str = "It leaks since Monday.") -> House:
    """Rows of every kind, made as the product makes them."""
    _name(cast, said)
    customer = _customer(cast, said)
    ticket = _ticket(cast, customer, said)
    _proposals(cast, ticket, customer, said)
    _handed_over(cast, ticket, said)
    _desk(cast, said)
    _together(cast)
    _practice(cast)
    _runs(cast, ticket, said)
    _settings(cast, said)
    _people(cast, said)
    _notices(cast)
    house = House(cast, said, look(cast), {"odile": Codes(cast, "odile")})
    missing = [kind for kind, keys in house.ids.items() if not keys]
    assert not missing, f"nothing of these in the house: {missing}"
    return house


def _name(cast: Cast, said: str) -> None:
    """What colleagues are called, and their queues."""
    with signed_in("owner"), workspace.within(cast.ws):
        log.attribute("test")
        models.Person.objects.filter(pk=cast.id("ravi")).update(name=f"Ravi {said}"[:80])
        models.Queue.objects.filter(workspace_id=cast.ws, name="other").update(title=f"Other {said}"[:80])
        models.Workspace.objects.filter(pk=cast.ws).update(name=f"Kestrel {said}"[:80])
        log.attribute("")


def _customer(cast: Cast, said: str) -> str:
    """A customer whose every field says it, with an order that is paid; the customer's id."""
    key = f"cu-{secrets.token_hex(3)}"
    with workspace.within(cast.ws):
        log.attribute("test")
        models.Customer.objects.create(
            workspace=cast.workspace, customer_id=key, first_name=f"Cleo {said}"[:80], last_name=f"Custer {said}"[:80],
            email=f"{key}{said}@example.com"[:254], address1=said[:200], address2=said[:200], city=said[:100],
            state=said[:60], postcode=said[:20], country=said[:60],
        )  # fmt: skip
    return key


def _ticket(cast: Cast, customer: str, said: str) -> str:
    with workspace.within(cast.ws) as now:
        log.attribute("test")
        ticket = steps.ticket(cast, text=f"My kettle is broken. {said}", customer=customer)
        row = models.Ticket.objects.get(ticket_id=ticket.partition(":")[2])
        receive = {"workspace": cast.ws, "ticket": row.external_id, "actor": "system:test", "now": now}
        conversations.receive(external_id="m-1", text=f"Still. {said}", **receive)
    with signed_in("owner"), workspace.within(cast.ws):
        log.attribute("test")
        rows = models.Ticket.objects.filter(pk=row.pk)
        rows.update(subject=f"Kettle {said}"[:200], sender_email=f"x{said}@example.com"[:254], tags=[said[:40]])
        log.attribute("")
    return ticket


def _proposals(cast: Cast, ticket: str, customer: str, said: str) -> None:
    """In every state that one comes to without an outside system."""
    order = steps.order(cast, customer=customer, amount=4_510, besides=700)
    cites = [{"claim": f"Broken {said}", "source": ticket, "quote": said}]
    args = {**steps.refund_args(order, customer=customer), "reason": said[:200]}
    steps.propose(cast, ticket, "refund.create", f"order:{order}", args, agent="refunds", evidence=cites)
    high(cast)
    steps.propose(cast, ticket, "ticket.reply", ticket, {"body": f"Dear Cleo, {said}", "clauses": []}, evidence=cites)
    contact = steps.contact(cast, {"full_name": f"CLEO {said}", "city": "BERLIN", "notes": said})
    changes = {"changes": {"city": "Berlin", "full_name": f"Cleo {said}"}}
    steps.propose(cast, contact, "contact.update", contact, changes, agent="contacts")
    done = steps.propose(cast, *_priority(cast, "P1"))
    steps.approve(cast, done, "rosa")
    steps.apply(cast, done)
    seen: Callable[[Any], Any] = lambda row: {"workspace": cast.ws, "proposal": row.pk, "seen": steps.seen(row)}  # noqa: E731
    for act, more in (
        (decisions.reject, {"reason": "other", "note": said}),
        (decisions.send_back, {"text": f"Rather P4. {said}"}),
        (decisions.withdraw, {}),
    ):
        row = steps.propose(cast, *_priority(cast, "P2"))
        with workspace.within(cast.ws, cast.id("mara")) as now:
            act(person=cast.id("mara"), now=now, **seen(row), **more)
    stale = steps.propose(cast, *_priority(cast, "P1"))
    with signed_in("owner"), workspace.within(cast.ws):
        log.attribute("test")
        rows = models.Ticket.objects.filter(ticket_id=stale.target.partition(":")[2])
        rows.update(priority="P4", version=2)
        log.attribute("")
    with contextlib.suppress(decisions.DecisionError):  # it is told, and stale from now on
        steps.approve(cast, stale, "rosa")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim_next(workspace=cast.ws, person=cast.id("rosa"), now=now, roles=["reviewer"])


def _priority(cast: Cast, priority: str) -> tuple[str, str, str, dict[str, str]]:
    target = steps.ticket(cast)
    return target, "ticket.update", target, {"priority": priority}


def _handed_over(cast: Cast, ticket: str, said: str) -> None:
    """A draft that was refused, a matter for a person, a question; one of them was resolved."""
    refused = steps.submit_as_agent(cast, ticket, "ticket.update", ticket, {"queue": f"no {said}"})
    steps.pass_gate(cast, refused)
    papers = {
        "handoff": {"reason": "out_of_scope", "summary": f"Leaks {said}", "found": {"name": said, said[:40]: [said]}},
        "question": {
            "text": f"Which? {said}", "asks": [said],
            "facts": [{"name": "order", "kind": "order", "question": f"Which order? {said}", "about": said}],
        },
    }  # fmt: skip
    for kind, payload in papers.items():
        run = steps.begin_run(cast, ticket)
        with signed_in("agents"), workspace.within(cast.ws):
            made = approvals.Submission.objects.create(
                workspace=cast.workspace, case_id=run.case_id, kind=kind, proposer="agent:triage", run=f"run:{run.pk}",
                key=kind, payload={**payload, "evidence": [{"claim": said, "source": ticket, "quote": said}]},
            )  # fmt: skip
        steps.pass_gate(cast, made)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        first = approvals.Handoff.objects.filter(submission=refused).get()
        handoffs.resolve(
            workspace=cast.ws, handoff=first.pk, person=cast.people["rosa"], outcome=f"Done. {said}", now=now
        )


def _desk(cast: Cast, said: str) -> None:
    """What people keep of the queue: a view each, a note for the next shift, one laid aside, one escalated."""
    for name in ("rosa", "mara", "ada"):
        with workspace.within(cast.ws, cast.id(name)) as now:
            who: dict[str, Any] = {"workspace": cast.ws, "person": cast.id(name), "now": now}
            saving.save(**who, name="Mine", query="action=ticket.update", shared=True)
            with contextlib.suppress(saving.SavingError):  # not every text is a name
                saving.save(**who, name=said.strip()[:40], query="action=ticket.update", shared=True)
    mara: dict[str, Any] = {"workspace": cast.ws, "person": cast.id("mara")}
    for escalated in (False, True):
        row = steps.propose(cast, *_priority(cast, "P2"))
        with workspace.within(cast.ws, cast.id("mara")) as now:
            it = {"item": f"proposal:{row.pk}", "now": now, **mara}
            if escalated:
                asides.escalate(reason=said, **it)
            else:
                asides.snooze(until=now + timedelta(hours=20), **it)
            shifts.leave(text=f"See to it. {said}", case=row.case_id, now=now, **mara)


def _together(cast: Cast) -> None:
    """Two approved with one press."""
    rows = [steps.propose(cast, *_priority(cast, "P2")) for _ in range(2)]
    who: dict[str, Any] = {"workspace": cast.ws, "person": cast.id("rosa")}
    members = [(row.pk, row.revision, row.digest) for row in rows]
    batches.decide(**who, members=members, opened=batches.draw(**who, members=members))


def _practice(cast: Cast) -> None:
    """A hand each for those who decide, one of it answered; one of what was decided, drawn for a second look."""
    for name in ("rosa", "ravi", "mara"):
        who: dict[str, Any] = {"workspace": cast.ws, "person": cast.id(name)}
        with workspace.within(cast.ws, cast.id(name)) as now:
            dealt = practising.deal(**who, now=now)
            practising.answer(**who, item=dealt[0].pk, said="reject", now=now)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        done = approvals.Proposal.objects.filter(decisions__kind="approve").order_by("pk")[0]
        drawing.place(done, state.Kind.APPROVE, why=approvals.SecondLook.Why.SHARE, now=now)


def _runs(cast: Cast, ticket: str, said: str) -> None:
    """A run with steps, calls of tools and of models, transcripts of both kinds, and a sweep with its plan."""
    run = steps.begin_run(cast, ticket)
    here: dict[str, Any] = {"workspace": cast.workspace, "run": run}
    with signed_in("agents"), workspace.within(cast.ws):
        agents.Step.objects.create(
            **here, seq=1, name="retrieve", input_digest=ZERO, output_digest=ZERO, note=said[:300]
        )
        agents.ToolCall.objects.create(**here, seq=1, tool="ticket", argument_digest=ZERO, result_digest=ZERO)
        transcripts.keep(run=run, step="reply", number=1, prompt=said, answer=said)
        vault.keep(run=run, step="reply", number=1, prompt=said, answer=said)
        agents.Account.objects.create(workspace=cast.workspace, key=f"workspace:{cast.ws}", money=12)
        agents.BackendHealth.objects.create(workspace=cast.workspace, backend="main", failures=1)
        call = agents.ModelCall.objects.create(
            **here, step="reply", request_digest=ZERO, tier=1, backend="main", backend_version=1, model="small-1",
            input_price=1, output_price=1, fence=1, most_money=10, most_tokens=10, most_wall_ms=10,
        )  # fmt: skip
        agents.ModelCall.objects.filter(pk=call.pk).update(outcome="refused", error=said[:300], settled_at=Now())
        agents.Run.objects.filter(pk=run.pk).update(state="done", outcome=f"Sorted {said}"[:200])
    with workspace.within(cast.ws, cast.id("mara")) as now:
        planning.begin(workspace=cast.ws, actor=f"person:{cast.id('mara')}", now=now)


def _settings(cast: Cast, said: str) -> None:
    """What admins and managers set, and the policy pages."""
    connect(cast.ws, "http://127.0.0.1:9/v1")
    post = browser(cast, "ada")
    for page, form in {
        "portal/connection": {
            "part": "payments", "system": "http", "http_base_url": "https://desk.example.com/api", "http_lookup": "on",
            "http_idempotency_hours": "12", "http_settling_seconds": "", "http_calls_per_second": "5",
        },
        "portal/credential": {"part": "payments", "secret": "only-apply-may-ever-read-this"},
        "agents/budget": {"scope": "agent", "holder": "triage", "kind": "money", "per": "day", "most": "2500000"},
        "agents/confidencebar": {"step": "classify", "percent": "70"},
        "agents/sweepplan": {"on": "on", "at": "03:00", "per_sweep": "10", "per_day": "20"},
        "portal/slackhook": {"on": "on", "kinds": ["switch"], "address": "https://hooks.slack.com/services/T0/B0/xyz"},
        "approvals/reusabletext": {
            "name": f"Late {said}"[:60], "language": "en", "used_for": "reply", "body": f"It is late. {said}"[:4000],
            "offered": "on",
        },
        "audit/retention": {"kind": "full_transcripts", "days": "45"},
        "audit/hold": {"who": "", "placed": "1", "reason": f"A court asked. {said}"[:300]},
    }.items():  # fmt: skip
        answer = post.post(f"/w/{cast.workspace.slug}/admin/{page}/add/", form)
        assert answer.status_code == 302, (page, answer.context and answer.context.get("errors"))
    steps.page(cast, f"Within 30 days. {said}")
    _loosening(cast, said)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        actor = f"person:{cast.id('mara')}"
        switches.throw(
            workspace=cast.ws, kind="freeze", subject="contact.merge", reason=f"Look first. {said}"[:300], actor=actor,
            now=now,
        )  # fmt: skip
        approvals.Outbox.objects.create(
            workspace=cast.workspace, task="approvals.tasks.settle", queue="apply", object_id=1, dead_at=now, tries=3
        )


def _loosening(cast: Cast, said: str) -> None:
    """One that waits for a second admin."""
    with workspace.within(cast.ws, cast.id("anton")) as now:
        row = next(row for row in thresholds.in_force(cast.ws) if row.series == "contact-update")
        values = {column: getattr(row, column) for column in thresholds.COPIED} | {"people": "automatic"}
        relaxing.propose(
            workspace=cast.ws, kind="threshold", series="contact-update", values=values, why=said, now=now,
            person=cast.id("anton"),
        )  # fmt: skip


def _people(cast: Cast, said: str) -> None:
    """What people have of their own: a token, a challenge, an absence."""
    for name in ("rosa", "ravi", "mara", "ada", "odile"):
        person = cast.people[name]
        with workspace.within(cast.ws, person.pk) as now:
            words = ALIKE.sub(" ", said.lower()).strip()
            tokens.make(workspace=cast.workspace, person=person, name=words[:60] or "x", scopes=["cases:read"], now=now)
            ask = stepup.Ask("approve", "proposal:1", ZERO, f"Approve: {said}", said[:80], 900, "EUR")
            stepup.challenge(workspace=cast.ws, person=person.pk, ask=ask, session=stepup.session_of("s"), now=now)
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        standing_in.set_out(
            workspace=cast.ws, person=cast.id("ravi"), stand_in=cast.id("mara"), starts=now, reason=said[:200],
            ends=now + timedelta(days=2), actor=cast.id("ravi"), now=now,
        )  # fmt: skip


def _notices(cast: Cast) -> None:
    """Everybody was told of something, and Mara chose how."""
    with workspace.within(cast.ws, cast.id("mara")) as now:
        choices.save(
            workspace=cast.ws, person=cast.id("mara"), channels={"switch": "app"}, by_mail=True, digest_at=["08:00"],
            quiet_from=time(19), quiet_until=time(7), now=now,
        )  # fmt: skip
    with signed_in("apply"), workspace.within(cast.ws) as now:
        home = notices.house(workspace=cast.ws, now=now)
        subject = f"proposal:{approvals.Proposal.objects.latest('pk').pk}"
        news = notices.News(notices.Kind.SWITCH, "entry:0", subject, frozenset(home.roles))
        notices.tell(news, home)


def browser(cast: Cast, name: str) -> Client:
    """Somebody signed in, whatever became of their password since the cast was gathered."""
    client = Client(raise_request_exception=False)
    client.force_login(models.Person.objects.get(pk=cast.id(name)), backend=BACKEND)
    return client


ROWS: dict[str, type] = {
    "proposals": approvals.Proposal, "reports": approvals.Proposal, "handoffs": approvals.Handoff,
    "cases": approvals.Case, "submissions": approvals.Submission, "runs": agents.Run, "entries": Entry,
    "tokens": models.PersonalToken, "out-of-office": models.Delegation, "step-up": models.StepUp,
    "dead": approvals.Outbox, "views": approvals.SavedView, "notes": approvals.ShiftNote, "notices": models.Notice,
    "practice": approvals.PracticeItem, "second-looks": approvals.SecondLook, "sweeps": agents.Sweep,
}  # fmt: skip


def look(cast: Cast) -> dict[str, list[Any]]:
    """What stands in a workspace, by what addresses call it: plurals of theirs, `app/model` in the admin."""
    with signed_in("owner"), workspace.within(cast.ws):
        ids: dict[str, list[Any]] = {
            kind: list(model.objects.filter(workspace_id=cast.ws).order_by("pk").values_list("pk", flat=True))
            for kind, model in {**ROWS, **registered(site)}.items()
            if kind != "portal/workspace"
        }
        ids["portal/workspace"] = [cast.ws]
        ids["team"] = [cast.id("rosa")]
        ids["tickets"] = list(models.Ticket.objects.filter(workspace_id=cast.ws).values_list("external_id", flat=True))
        ids["policy"] = list(models.Clause.objects.filter(workspace_id=cast.ws).values_list("clause_id", "version"))
        votes = approvals.Decision.objects.filter(workspace_id=cast.ws).exclude(batch="")
        ids["batches"] = sorted(set(votes.values_list("batch", flat=True)))
        ids["claims"] = [f"proposal:{key}" for key in ids["proposals"]]
    return ids


def registered(admin: AdminSite) -> dict[str, Any]:
    """Every table of the admin."""
    return {f"{model._meta.app_label}/{model._meta.model_name}": model for model in admin._registry}


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route below a resolver with its whole pattern."""
    for entry in resolver.url_patterns:
        where = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, where)
        else:
            yield where, entry


def routes(urlconf: str = "portal.workspace_urls") -> list[str]:
    """Every route of the product inside a workspace, or of another list of addresses."""
    return [where for where, _ in patterns(get_resolver(urlconf))]


# Not about a row: any of these does.
FREE = {"action": ["ticket.update", "refund.create", "ticket.reply", "contact.update"], "app_label": ["approvals"],
        "url": ["nothing"], "rest": ["nothing"], "name": ["refunds-20260302T090000Z-dddddddd"]}  # fmt: skip


def addresses(ids: dict[str, list[Any]], *, most: int = 10_000) -> list[tuple[str, str]]:
    """(route, address below `/w/NAME/`) for every route and each of at most `most` ids of what it is about.

    Raises:
        KeyError: a route is about something that nobody put into the house.
    """
    found = []
    for route in routes():
        if "<" not in route:
            found.append((route, plain(route)))
            continue
        for values in about(route, ids)[-most:]:
            found.append((route, plain(route, values)))
    return found


def about(route: str, ids: dict[str, list[Any]]) -> list[dict[str, str]]:
    """What a route's parameters may be, each a row of the kind that its path names."""
    named = re.findall(r"<(?:\w+:)?(\w+)>", route)
    if free := next((FREE[name] for name in named if name in FREE), None):
        rows = about("cases/<int:pk>/", ids)[:2] if "pk" in named else [{}]
        return [{**row, name: value} for row in rows for name in named if name in FREE for value in free]
    if route.startswith("admin/"):
        kind = "/".join(route.split("/")[1:3])
        return [dict.fromkeys(named, str(key)) for key in ids[kind]]
    parts = [part for part in route.split("/") if part in ids]
    if not parts:
        raise KeyError(f"what is {route} about? Say it in tests/furnished.py")
    kind = parts[-1]
    if kind == "policy":
        return [{"clause": clause, "version": str(version)} for clause, version in ids[kind]]
    return [dict.fromkeys(named, str(key)) for key in ids[kind]]


def plain(route: str, values: dict[str, str] | None = None) -> str:
    """A path with its parameters filled in; regular expressions become plain text."""
    route = re.sub(r"\(\?P(<\w+>)(?:\[[^\]]*\]|[^()])*\)", r"\1", route)
    route = route.replace("^", "").replace("\\Z", "").replace("$", "")
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: (values or {})[match.group(1)], route).replace("\\.", ".")


def prints(cast: Cast) -> dict[str, str]:
    """A fingerprint of every table of the workspace."""
    found = {}
    with signed_in("owner"), workspace.within(cast.ws), connection.cursor() as cursor:
        for table in {model._meta.db_table for model in walls.tables()}:
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
                " WHERE workspace_id = %s", [cast.ws],
            )  # fmt: skip
            found[table] = cursor.fetchone()[0]
    return found

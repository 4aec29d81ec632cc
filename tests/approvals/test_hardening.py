"""What a second reader found and proved: odd payloads, shadow tables, lost updates, leaking caps, dead ends."""

import time

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from agents.models import Run
from approvals import claims, decisions, execution, outbox, proposals, reversal, revising, thresholds
from approvals.models import CapUse, Case, Handoff, Outbox, Proposal, Submission
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.test_races import as_apply, at_once
from tests.cast import gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live):
    return gather()


def signed(cast, name="rosa"):
    client = Client(raise_request_exception=False)
    client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def raw(cast, target, payload, **more):
    run = steps.begin_run(cast, target)
    with signed_in("agents"), workspace.within(cast.ws):
        return Submission.objects.create(
            workspace_id=cast.ws,
            case_id=run.case_id,
            kind=more.pop("kind", "action"),
            proposer="agent:triage",
            run=f"run:{run.pk}",
            key="k",
            payload=payload,
            **more,
        )


def deep(levels):
    return [] if levels == 0 else [deep(levels - 1)]


BASE = {"action": "ticket.update", "args": {"priority": "P1"}, "confidence": 0.9, "flags": [], "evidence": []}
BAD = {
    "nan": {"confidence": "NaN"},
    "inf": {"confidence": "Infinity"},
    "word": {"confidence": "high"},
    "conflist": {"confidence": [1]},
    "confnull": {"confidence": None},
    "hugeint": {"confidence": 10**400},
    "args-list": {"args": [1]},
    "args-str": {"args": "abc"},
    "flags-null": {"flags": None},
    "flags-int": {"flags": 5},
    "ev-null": {"evidence": None, "args": {"priority": "X"}},
    "deep": {"args": {"tags": deep(60)}},
}


@pytest.mark.parametrize("name", BAD)
def test_gate_never_raises(cast, name):
    t = steps.ticket(cast)
    s = raw(cast, t, {**BASE, "target": t, **BAD[name]})
    steps.pass_gate(cast, s)


def test_gate_payload_list(cast):
    t = steps.ticket(cast)
    steps.pass_gate(cast, raw(cast, t, [1, 2]))


def test_gate_depends_on_int(cast):
    t = steps.ticket(cast)
    steps.pass_gate(cast, raw(cast, t, {**BASE, "target": t}, depends_on=5))


def test_gate_handoff_found_str(cast):
    t = steps.ticket(cast)
    steps.pass_gate(cast, raw(cast, t, {"reason": "x", "summary": "s", "found": "abc"}, kind="handoff"))


def test_gate_handoff_evidence_null(cast):
    t = steps.ticket(cast)
    steps.pass_gate(cast, raw(cast, t, {"reason": "x", "summary": "s", "evidence": None}, kind="handoff"))


@pytest.mark.parametrize(
    "payload",
    [
        {"evidence": ["abc"]},
        {"evidence": 5},
        {"found": {"actions": [{}]}},
        {"found": {"queues": {"a": "b"}}},
        {"found": {"drafts": 3}},
    ],
)
def test_desk_survives_an_odd_handoff(cast, payload):
    t = steps.ticket(cast)
    s = raw(cast, t, {"reason": "x", "summary": "s", **payload}, kind="handoff")
    steps.pass_gate(cast, s)
    with workspace.within(cast.ws):
        h = Handoff.objects.get()
    c = signed(cast)
    assert c.get(f"/w/{cast.workspace.slug}/handoffs/{h.pk}/").status_code == 200


@pytest.mark.parametrize("payload", [{"evidence": ["abc"]}, {"evidence": 5}])
def test_desk_survives_an_odd_proposal(cast, payload):
    t = steps.ticket(cast)
    steps.pass_gate(cast, raw(cast, t, {**BASE, "target": t, **payload}))
    c = signed(cast)
    assert c.get(f"/w/{cast.workspace.slug}/").status_code == 200


def test_shadow_tables_do_not_pass_the_trigger(cast):
    """web, raw SQL, pending -> approved with neither vote nor entry, by temp tables in front of the real ones."""
    t = steps.ticket(cast)
    row = steps.propose(cast, t, "ticket.update", t, {"priority": "P1"})
    with workspace.within(cast.ws), connection.cursor() as c:
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            c.execute("CREATE TEMP TABLE audit_entry (id int)")
        assert caught.value.__cause__.sqlstate == "42501"
        c.execute("SELECT proconfig FROM pg_proc WHERE proname LIKE 'approvals_check_%'")
        assert {tuple(config or ()) for (config,) in c.fetchall()} == {("search_path=public, pg_temp",)}
    assert steps.fresh(cast, row).state == "pending"


def test_cap_after_reject_and_reopen_still_counts(cast):
    o = steps.order(cast)
    t = steps.ticket(cast, customer="cu-1")
    row = steps.propose(cast, t, "refund.create", f"order:{o}", steps.refund_args(o), agent="refunds")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws,
            proposal=row.pk,
            seen=steps.seen(row),
            person=cast.id("rosa"),
            reason="other",
            note="",
            now=now,
        )
    with signed_in("apply"):
        execution.settle(workspace=cast.ws, proposal=row.pk)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reopen(workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"), now=now)
    steps.approve(cast, row, "rosa")
    assert steps.apply(cast, row).state == "applied"
    with workspace.within(cast.ws):
        assert CapUse.objects.filter(proposal=row, released=False).count() == 2


def two_piece_order(cast):
    o = steps.order(cast, amount=4000)
    with workspace.within(cast.ws):
        from audit import log

        log.attribute("test")
        row = models.Order.objects.get(order_id=o)
        models.OrderItem.objects.create(
            workspace=cast.workspace, order=row, line=2, item_id="i-2", product="Cup", quantity=1, unit_price_minor=500
        )
        models.Payment.objects.create(
            workspace=cast.workspace,
            order=row,
            seq=2,
            type="payment",
            amount_minor=500,
            currency="EUR",
            method=models.PaymentMethod.objects.get(payment_method_id="card-cu-1"),
        )
    return o


def test_reply_is_not_sent_when_its_refund_was_edited_to_less(cast):
    o = two_piece_order(cast)
    t = steps.ticket(cast, customer="cu-1")
    run = steps.begin_run(cast, t, "refunds")
    args = {**steps.refund_args(o), "item_ids": ["i-1", "i-2"], "amount_minor": 4500}
    s1 = steps.submit_as_agent(cast, t, "refund.create", f"order:{o}", args, agent="refunds", run=run, key="r")
    s2 = steps.submit_as_agent(
        cast,
        t,
        "ticket.reply",
        t,
        {"body": "We refund 45.00 EUR."},
        agent="refunds",
        run=run,
        key="m",
        depends_on=("r",),
    )
    steps.pass_gate(cast, s1)
    with workspace.within(cast.ws):
        refund, reply = Proposal.objects.get(submission=s1), Proposal.objects.get(submission=s2)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.approve(workspace=cast.ws, proposal=reply.pk, seen=steps.seen(reply), person=cast.id("rosa"), now=now)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        revising.edit(
            workspace=cast.ws,
            proposal=refund.pk,
            seen=steps.seen(refund),
            person=cast.id("rosa"),
            args={**args, "item_ids": ["i-2"], "amount_minor": 500},
            now=now,
        )
    steps.approve(cast, refund, "rosa")
    assert steps.apply(cast, refund).state == "applied"
    with signed_in("apply"), workspace.within(cast.ws), connection.cursor():
        pass
    time.sleep(0)
    # reply has a 60 s hold: dispatch past it

    import datetime

    with signed_in("apply"), workspace.within(cast.ws) as now:
        row = Proposal.objects.select_for_update().get(pk=reply.pk)
        execution._dispatch(row, now=now + datetime.timedelta(seconds=120))
    assert steps.fresh(cast, reply).state == "stale"


def test_the_starter_of_an_undo_cannot_edit_and_approve_it(cast):
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws,
            series="ticket-update",
            actor="t",
            now=now,
            action="ticket.update",
            tier="low",
            people="one",
            hold_seconds=60,
        )
    t = steps.ticket(cast)
    row = steps.propose(cast, t, "ticket.update", t, {"priority": "P1"})
    steps.approve(cast, row, "ravi")
    with signed_in("apply"), workspace.within(cast.ws) as now:
        execution._dispatch(Proposal.objects.select_for_update().get(pk=row.pk), now=now)
    row = steps.fresh(cast, row)
    assert row.state == "applied"
    me = cast.id("rosa")
    with workspace.within(cast.ws, me):
        content = reversal.undo_preview(proposal=row).content
        sub = reversal.undo(proposal=row, person=me, seen_content=content, key="u")
    steps.pass_gate(cast, sub)
    with workspace.within(cast.ws):
        u = Proposal.objects.get(submission=sub)
    assert u.state == "approved"
    with workspace.within(cast.ws, me) as now:
        decisions.stop(workspace=cast.ws, proposal=u.pk, seen=steps.seen(u), person=me, now=now)
    with workspace.within(cast.ws, me) as now:
        revising.edit(
            workspace=cast.ws,
            proposal=u.pk,
            seen=steps.seen(u),
            person=me,
            args={"status": "closed", "tags": ["mine"], "priority": "P4"},
            now=now,
        )
    try:
        got = steps.approve(cast, u, "rosa").state
    except decisions.NotAllowed:
        got = "refused"
    assert got == "refused"


def test_a_stopped_automatic_approval_can_be_approved_by_a_person(cast):
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws,
            series="ticket-update",
            actor="t",
            now=now,
            action="ticket.update",
            tier="low",
            people="automatic",
            hold_seconds=60,
        )
    t = steps.ticket(cast)
    row = steps.propose(cast, t, "ticket.update", t, {"priority": "P1"})
    assert row.state == "approved"
    with workspace.within(cast.ws, cast.id("mara")) as now:
        decisions.stop(workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("mara"), now=now)
    assert steps.approve(cast, row, "rosa").state == "approved"


def test_redo_without_change_does_not_use_up_the_second_person(cast):
    o = steps.order(cast, amount=60_000)
    t = steps.ticket(cast, customer="cu-1")
    ravi, rosa = cast.id("ravi"), cast.id("rosa")
    with workspace.within(cast.ws, ravi):
        sub = proposals.submit(
            workspace=cast.ws,
            case=Case.objects.get(subject=t).pk,
            kind="action",
            proposer=f"person:{ravi}",
            key="h",
            payload={
                "action": "refund.create",
                "target": f"order:{o}",
                "args": steps.refund_args(o, amount=60_000),
                "confidence": 1,
                "evidence": [],
                "flags": [],
            },
        )
    steps.pass_gate(cast, sub)
    with workspace.within(cast.ws):
        p = Proposal.objects.get(submission=sub)
    assert p.people == 2
    import datetime

    with workspace.within(cast.ws, rosa) as now:
        late = now + datetime.timedelta(hours=5)
        assert (
            decisions.approve(workspace=cast.ws, proposal=p.pk, seen=steps.seen(p), person=rosa, now=late).state
            == "stale"
        )
    with workspace.within(cast.ws, rosa) as now:
        revising.redo(workspace=cast.ws, proposal=p.pk, seen=steps.seen(p), person=rosa, now=now)
    steps.approve(cast, p, "mara")
    assert steps.approve(cast, p, "rosa").state == "approved"


def test_edit_moves_the_twin_key(cast):
    t = steps.ticket(cast)
    a = steps.propose(cast, t, "ticket.update", t, {"priority": "P1"})
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        revising.edit(
            workspace=cast.ws,
            proposal=a.pk,
            seen=steps.seen(a),
            person=cast.id("rosa"),
            args={"priority": "P2"},
            now=now,
        )
    s = steps.submit_as_agent(cast, t, "ticket.update", t, {"priority": "P2"})
    steps.pass_gate(cast, s)
    with workspace.within(cast.ws):
        assert Proposal.objects.filter(state="pending").count() == 1


def test_two_changes_of_one_field_applied_at_once_do_not_overwrite(cast):
    lost = 0
    for _ in range(15):
        t = steps.ticket(cast)
        rows = [
            steps.approve(cast, steps.propose(cast, t, "ticket.update", t, {"priority": p}), "rosa")
            for p in ("P1", "P2")
        ]
        at_once(*(as_apply(lambda k=r.pk: execution.apply(workspace=cast.ws, proposal=k)) for r in rows))
        states = sorted(steps.fresh(cast, r).state for r in rows)
        lost += states == ["applied", "applied"]
    assert lost == 0


def test_already_so_is_a_no_op_not_stale(cast):
    t = steps.ticket(cast)
    a = steps.propose(cast, t, "ticket.update", t, {"priority": "P1"})
    b = steps.propose(cast, t, "ticket.update", t, {"priority": "P1", "tags": []})
    a = steps.approve(cast, a, "rosa")
    b = steps.approve(cast, b, "rosa")
    assert steps.apply(cast, a).state == "applied"
    assert steps.apply(cast, b).state == "applied"


def test_relay_reaches_the_201st(cast):
    import datetime

    with workspace.within(cast.ws) as now:
        old = now - datetime.timedelta(minutes=10)
        Outbox.objects.bulk_create(
            Outbox(
                workspace_id=cast.ws, task="approvals.tasks.apply", queue="apply", object_id=10_000 + i, not_before=old
            )
            for i in range(200)
        )
        Outbox.objects.create(
            workspace_id=cast.ws, task="approvals.tasks.gate", queue="apply", object_id=1, not_before=now
        )
    for tick in range(1, 6):
        with workspace.within(cast.ws):
            outbox.relay(workspace=cast.ws, now=now + datetime.timedelta(seconds=2.1 * tick))
    with workspace.within(cast.ws):
        assert Outbox.objects.get(object_id=1, task="approvals.tasks.gate").sent_at is not None


def test_api_respects_a_claim(cast):
    from portal import tokens

    t = steps.ticket(cast)
    row = steps.propose(cast, t, "ticket.update", t, {"priority": "P1"})
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item=f"proposal:{row.pk}", person=cast.id("rosa"), now=now)
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        _, secret = tokens.make(
            workspace=cast.workspace, person=cast.people["ravi"], name="n", scopes=["decide"], now=now
        )
    c = Client(raise_request_exception=False)
    r = c.post(
        f"/w/{cast.workspace.slug}/api/proposals/{row.pk}/approve/",
        {"revision": 1, "digest": row.digest},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert r.status_code == 409


def test_stricter_second_role_is_seen_at_dispatch(cast):
    o = steps.order(cast)
    t = steps.ticket(cast, customer="cu-1")
    row = steps.approve(
        cast, steps.propose(cast, t, "refund.create", f"order:{o}", steps.refund_args(o), agent="refunds"), "rosa"
    )
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws,
            series="refund-eur-low",
            actor="t",
            now=now,
            action="refund.create",
            currency="EUR",
            up_to_minor=10_000,
            tier="high",
            people="one",
            second_role="manager",
        )
    assert steps.apply(cast, row).state == "stale"


def test_an_agent_cannot_block_a_run_by_a_forged_entry(cast):
    t = steps.ticket(cast)
    run = steps.begin_run(cast, t)

    with signed_in("agents"), workspace.within(cast.ws), connection.cursor() as c:
        c.execute(
            'INSERT INTO audit_entry (workspace_id, subject, version, event, state, actor, "case", trace_id, at,'
            " canonical) VALUES (%s, %s, 1, 'x', '', 'agent:triage', '', '', now(), '{}')",
            [cast.ws, f"run:{run.pk}"],
        )
    from agents import workflow

    with signed_in("agents"):
        with workspace.within(cast.ws):
            Run.objects.filter(pk=run.pk).update(lease_until=None)
        workflow.advance(workspace=cast.ws, run=run.pk)
    with workspace.within(cast.ws):
        assert Run.objects.get(pk=run.pk).state in ("done", "failed")


def test_edit_upwards_counts_on_the_cap(cast):
    o = two_piece_order(cast)
    t = steps.ticket(cast, customer="cu-1")
    args = {**steps.refund_args(o), "item_ids": ["i-2"], "amount_minor": 500}
    p = steps.propose(cast, t, "refund.create", f"order:{o}", args, agent="refunds")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        revising.edit(
            workspace=cast.ws,
            proposal=p.pk,
            seen=steps.seen(p),
            person=cast.id("rosa"),
            args={**args, "item_ids": ["i-1", "i-2"], "amount_minor": 4500},
            now=now,
        )
    steps.approve(cast, p, "ravi")
    assert steps.apply(cast, p).state == "applied"
    with workspace.within(cast.ws):
        assert set(CapUse.objects.filter(proposal=p).values_list("amount_minor", flat=True)) == {4500}


def test_a_chain_of_three_is_gated_in_order(cast):
    t = steps.ticket(cast)
    run = steps.begin_run(cast, t)
    a = steps.submit_as_agent(cast, t, "ticket.reply", t, {"body": "C"}, run=run, key="c", depends_on=("b",))
    steps.submit_as_agent(cast, t, "ticket.reply", t, {"body": "B"}, run=run, key="b", depends_on=("a",))
    steps.submit_as_agent(cast, t, "ticket.update", t, {"priority": "P1"}, run=run, key="a")
    steps.pass_gate(cast, a)
    with workspace.within(cast.ws):
        assert Proposal.objects.count() == 3


def test_a_form_sent_again_with_other_values_is_told_so(cast):
    """Back, a correction, and send again: the first stands, and the second is not quietly lost."""
    target = steps.ticket(cast)
    client = signed(cast)
    with workspace.within(cast.ws):
        case = Case.objects.get(subject=target).pk
    url = f"/w/{cast.workspace.slug}/cases/{case}/new/ticket.reply/"
    answers = [client.post(url, {"key": "abc", "body": body, "clauses": ""}) for body in ("first", "first", "second")]
    assert [answer.status_code for answer in answers] == [302, 302, 422]
    assert "already" in answers[2].content.decode()


def test_one_reviewer_can_reject_what_went_stale(cast):
    target = steps.ticket(cast)
    first = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    second = steps.propose(cast, target, "ticket.update", target, {"priority": "P2"})
    steps.approve(cast, first, "rosa")
    steps.approve(cast, second, "rosa")
    steps.apply(cast, first)
    assert steps.apply(cast, second).state == "stale"
    row = steps.fresh(cast, second)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"), reason="other", note="",
            now=now,
        )  # fmt: skip
    assert steps.fresh(cast, second).state == "rejected"

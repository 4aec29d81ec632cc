"""Sent back with an instruction: asked once however often the message comes, answered once, and never round a check."""

import secrets
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection
from django.test import Client

from agents import workflow
from agents.models import Run
from approvals import decisions, gate, instructions, proposals, revising, switches, thresholds
from approvals.models import CapUse, Decision, Handoff, Instruction, Outbox, Proposal, Revision, Submission
from audit.events import Event
from audit.models import Entry
from portal import tokens, workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_transition import forge_entry, refused
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


@pytest.fixture
def row(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"queue": "fees_billing", "priority": "P3"})


def send_back(cast: Cast, row: Proposal, text: str = "To refunds, P1", *, name: str = "rosa") -> Instruction:
    seen = steps.seen(steps.fresh(cast, row))
    with workspace.within(cast.ws, cast.id(name)) as now:
        decisions.send_back(
            workspace=cast.ws, proposal=row.pk, seen=seen, person=cast.id(name), text=text, now=now
        )  # fmt: skip
    with workspace.within(cast.ws):
        return Instruction.objects.filter(proposal=row).latest("pk")


def begin(cast: Cast, row: Proposal, asked: Instruction) -> Run:
    """The agent's run on an instruction, under way."""
    with signed_in("agents"), workspace.within(cast.ws):
        run = Run.objects.create(
            workspace_id=cast.ws, case_id=row.case_id, agent=row.proposer.removeprefix("agent:"), agent_version="1",
            trace_id=secrets.token_hex(16), instruction=asked,
        )  # fmt: skip
        Run.objects.filter(pk=run.pk).update(state="running", fence=1)
    return run


def hand_in(
    cast: Cast, row: Proposal, asked: Instruction, args: dict[str, Any] | None, *, run: Run | None = None,
    read_to: int | None = None, **more: Any,
) -> Submission:  # fmt: skip
    """What the agent comes to: a draft, or words where there are no arguments."""
    run = run or begin(cast, row, asked)
    draft = {
        "action": row.action, "target": row.target, "args": args, "confidence": 0.9, "evidence": [], "flags": [],
        "justification": "As the reviewer asked.",
    }  # fmt: skip
    words = {"reason": "not_followed", "summary": "There is no such queue."}
    with signed_in("agents"), workspace.within(cast.ws):
        return proposals.submit(
            workspace=cast.ws, case=row.case_id, kind="action" if args else "handoff", proposer=row.proposer,
            run=f"run:{run.pk}", key=instructions.key_of(asked.pk), revises=row.pk, read_to=read_to,
            payload={**(draft if args else words), **more},
        )  # fmt: skip


def answer(cast: Cast, row: Proposal, asked: Instruction, args: dict[str, Any] | None, **more: Any) -> Submission:
    """The same, through the gate."""
    submission = hand_in(cast, row, asked, args, **more)
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        asked.refresh_from_db()
        submission.refresh_from_db()
    return submission


def test_a_proposal_sent_back_comes_again_as_a_revision_of_the_agent(cast: Cast, row: Proposal) -> None:
    asked = send_back(cast, row)
    submission = answer(cast, row, asked, {"queue": "refunds_returns", "priority": "P1"})
    again = steps.fresh(cast, row)
    assert (again.state, again.revision, again.people) == ("pending", 2, 1)
    assert submission.outcome == f"revised: proposal:{row.pk}"
    assert again.summary in asked.answer
    with workspace.within(cast.ws):
        made = Revision.objects.get(proposal=row, number=2)
        assert (made.made_by, made.args["priority"], made.alone) == ("agent:triage", "P1", False)
        entry = Entry.objects.get(subject=f"proposal:{row.pk}", version=again.version)
        assert (entry.event, entry.actor) == (Event.PROPOSAL_REVISED, "agent:triage")
        assert Entry.objects.filter(subject=f"instruction:{asked.pk}", event=Event.INSTRUCTION_ANSWERED).count() == 1
        assert not Handoff.objects.exists()
        assert not Outbox.objects.filter(task=instructions.ASK_AGAIN).exists()
    approved = steps.approve(cast, again, "rosa")  # who sent it back made none of it
    assert approved.state == "approved"


def test_five_times_the_same_message_is_one_run_and_one_answer(cast: Cast) -> None:
    target = steps.ticket(cast, text="My card was stolen on the tram, please block it right away")
    row = steps.propose(cast, target, "ticket.update", target, {"queue": "fees_billing", "priority": "P3"})
    asked = send_back(cast, row, "to refunds, P1")
    with signed_in("agents"):
        worked = [workflow.ask_again(workspace=cast.ws, instruction=asked.pk) for _ in range(5)]
    assert worked == [True, False, False, False, False]
    with workspace.within(cast.ws):
        submission = Submission.objects.get(revises=row)
        assert Run.objects.filter(instruction=asked).count() == 1
        assert not Outbox.objects.filter(task=instructions.ASK_AGAIN).exists()
    for _ in range(5):
        steps.pass_gate(cast, submission)
    again = steps.fresh(cast, row)
    assert (again.revision, again.version) == (2, 2)
    with workspace.within(cast.ws):
        assert Revision.objects.get(proposal=row, number=2).args["queue"] == "refunds_returns"
    with signed_in("agents"):
        assert not workflow.ask_again(workspace=cast.ws, instruction=asked.pk)


def test_votes_are_gone_and_the_entry_names_whose(cast: Cast) -> None:
    order = steps.order(cast, besides=1_000)
    target = steps.ticket(cast, customer="cu-1")
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="two", actor="system:test", now=now, action="refund.create", tier="medium",
            people="two", currency="EUR", proposer_kind="agent", agent="refunds", above_minor=0, up_to_minor=50_000,
        )  # fmt: skip
    args = steps.refund_args(order)
    row = steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds")
    assert steps.approve(cast, row, "ravi").state == "pending"
    asked = send_back(cast, row, "also the filter")
    answer(cast, row, asked, {**args, "item_ids": ["i-1", "i-2"], "amount_minor": 5_510})
    again = steps.fresh(cast, row)
    assert (again.revision, again.amount_minor) == (2, 5_510)
    with workspace.within(cast.ws):
        entry = Entry.objects.get(subject=f"proposal:{row.pk}", version=again.version)
        assert f'"dismissed":["person:{cast.id("ravi")}"]' in entry.canonical
        assert set(CapUse.objects.filter(proposal=row).values_list("amount_minor", "released")) == {(5_510, False)}
    assert steps.approve(cast, again, "rosa").state == "pending"
    assert steps.approve(cast, again, "ravi").state == "approved"


@pytest.mark.parametrize(("extra", "tier"), [(20_000, "medium"), (1_000, "low")])
def test_the_tier_rises_with_what_comes_back(cast: Cast, extra: int, tier: str) -> None:
    order = steps.order(cast, besides=extra)
    target = steps.ticket(cast, customer="cu-1")
    args = steps.refund_args(order)
    row = steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds")
    assert row.tier == "low"
    asked = send_back(cast, row, "also the filter")
    answer(cast, row, asked, {**args, "item_ids": ["i-1", "i-2"], "amount_minor": 4_510 + extra})
    assert steps.fresh(cast, row).tier == tier


def test_the_tier_does_not_fall_by_asking_the_agent(cast: Cast) -> None:
    order = steps.order(cast, besides=20_000)
    target = steps.ticket(cast, customer="cu-1")
    whole = {**steps.refund_args(order), "item_ids": ["i-1", "i-2"], "amount_minor": 24_510}
    row = steps.propose(cast, target, "refund.create", f"order:{order}", whole, agent="refunds")
    assert row.tier == "medium"
    asked = send_back(cast, row, "only the kettle")
    answer(cast, row, asked, steps.refund_args(order))
    again = steps.fresh(cast, row)
    assert (again.tier, again.people, again.amount_minor) == ("medium", row.people, 4_510)
    with workspace.within(cast.ws):
        verdict = Revision.objects.get(proposal=row, number=2).verdict
        assert verdict["hold_seconds"] == Revision.objects.get(proposal=row, number=1).verdict["hold_seconds"]
        assert "It stays medium" in " ".join(verdict["reasons"])


def test_the_same_content_is_an_answer_in_words_and_nothing_moves(cast: Cast, row: Proposal) -> None:
    asked = send_back(cast, row, "are you sure?")
    submission = answer(cast, row, asked, {"queue": "fees_billing", "priority": "P3"})
    again = steps.fresh(cast, row)
    assert (again.revision, again.version) == (1, 1)
    assert asked.answer == "The agent comes to the same. As the reviewer asked."
    assert submission.outcome == f"kept: proposal:{row.pk}"
    assert steps.approve(cast, again, "rosa").state == "approved"


def test_words_of_the_agent_leave_the_proposal_as_it_was(cast: Cast, row: Proposal) -> None:
    asked = send_back(cast, row, "to the moon")
    answer(cast, row, asked, None)
    assert asked.answer == "There is no such queue."
    assert steps.fresh(cast, row).version == 1
    with workspace.within(cast.ws):
        assert not Handoff.objects.exists()


@pytest.mark.parametrize(
    ("args", "words", "handed"),
    [
        ({"status": "closed"}, "Only people solve or close a ticket.", "policy"),
        ({"queue": "nowhere"}, "queue: there is no queue 'nowhere'", "bad_arguments"),
        ({"priority": "P9"}, "priority: ", "bad_arguments"),
    ],
)
def test_what_may_not_be_is_answered_and_handed_to_a_person(
    cast: Cast, row: Proposal, args: dict[str, Any], words: str, handed: str
) -> None:
    asked = send_back(cast, row)
    answer(cast, row, asked, args)
    assert words in asked.answer
    assert steps.fresh(cast, row).version == 1
    with workspace.within(cast.ws):
        assert Handoff.objects.get().reason == handed


def test_a_cap_keeps_what_was_reserved(cast: Cast) -> None:
    order = steps.order(cast, besides=9_000)
    target = steps.ticket(cast, customer="cu-1")
    args = steps.refund_args(order)
    row = steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds")
    with workspace.within(cast.ws) as now:
        thresholds.set_cap(
            workspace=cast.ws, series="customer-eur", actor="system:test", now=now, scope="customer", currency="EUR",
            amount_minor=5_000,
        )  # fmt: skip
    asked = send_back(cast, row, "everything")
    answer(cast, row, asked, {**args, "item_ids": ["i-1", "i-2"], "amount_minor": 13_510})
    assert "daily cap" in asked.answer
    with workspace.within(cast.ws):
        assert Handoff.objects.get().reason == "daily_cap"
        assert set(CapUse.objects.filter(proposal=row).values_list("amount_minor", "released")) == {(4_510, False)}


def test_nobody_approves_while_the_agent_is_asked_and_ten_minutes_are_enough(cast: Cast, row: Proposal) -> None:
    asked = send_back(cast, row)
    with pytest.raises(decisions.NotAllowed, match="Rosa Lindqvist sent this back; the agent has 10 min left"):
        steps.approve(cast, row, "ravi")
    with pytest.raises(decisions.Gone, match="sent this back"):
        send_back(cast, row, "again", name="ravi")
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        late = now + timedelta(minutes=10)
        decisions.approve(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("ravi"), now=late
        )  # fmt: skip
    assert steps.fresh(cast, row).state == "approved"
    with workspace.within(cast.ws):
        asked.refresh_from_db()
        assert asked.answer == "No answer came in time; approved as it is."


def test_after_ten_minutes_it_can_be_sent_back_again(cast: Cast, row: Proposal) -> None:
    first = send_back(cast, row)
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        late = now + timedelta(minutes=11)
        decisions.send_back(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("ravi"), text="P2", now=late
        )  # fmt: skip
    with workspace.within(cast.ws):
        first.refresh_from_db()
        assert first.answer == "No answer came in time; sent back again."
        assert Instruction.objects.get(answered_at=None).text == "P2"


@pytest.mark.parametrize("verb", ["reject", "withdraw", "edit"])
def test_what_is_decided_meanwhile_answers_it_and_the_agent_comes_too_late(
    cast: Cast, row: Proposal, verb: str
) -> None:
    asked = send_back(cast, row)
    run = begin(cast, row, asked)
    early = hand_in(cast, row, asked, {"priority": "P1"}, run=run)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        common = {"workspace": cast.ws, "proposal": row.pk, "seen": steps.seen(row), "person": cast.id("mara")}
        match verb:
            case "reject":
                decisions.reject(**common, reason="other", note="", now=now)  # type: ignore[arg-type]
            case "withdraw":
                decisions.withdraw(**common, now=now)  # type: ignore[arg-type]
            case "edit":
                revising.edit(**common, args={"priority": "P2"}, now=now)  # type: ignore[arg-type]
    before = steps.fresh(cast, row)
    steps.pass_gate(cast, early)
    after = steps.fresh(cast, row)
    assert (after.state, after.version, after.revision) == (before.state, before.version, before.revision)
    with workspace.within(cast.ws):
        early.refresh_from_db()
        asked.refresh_from_db()
        assert early.outcome == "revises: nobody waits for this"
        assert "meanwhile" in asked.answer
        assert not Handoff.objects.exists()
        assert not Outbox.objects.filter(task=instructions.ASK_AGAIN).exists()
    with signed_in("agents"):
        assert not workflow.ask_again(workspace=cast.ws, instruction=asked.pk)


def test_a_run_whose_instruction_was_answered_hands_nothing_in(cast: Cast) -> None:
    target = steps.ticket(cast, text="My card was stolen on the tram, please block it right away")
    row = steps.propose(cast, target, "ticket.update", target, {"queue": "fees_billing", "priority": "P3"})
    asked = send_back(cast, row)
    with signed_in("agents"), workspace.within(cast.ws):
        run = Run.objects.create(
            workspace_id=cast.ws, case_id=row.case_id, agent="triage", agent_version="1",
            trace_id=secrets.token_hex(16), instruction=asked,
        )  # fmt: skip
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"), reason="other", note="",
            now=now,
        )  # fmt: skip
    with signed_in("agents"):
        assert workflow.advance(workspace=cast.ws, run=run.pk)
    with workspace.within(cast.ws):
        assert Run.objects.get(pk=run.pk).state == "done"
        assert not Submission.objects.filter(run=f"run:{run.pk}").exists()


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001, "a\x00b", "\ud800"])
def test_an_instruction_that_cannot_be_kept_is_refused_and_nothing_is_written(
    cast: Cast, row: Proposal, text: str
) -> None:
    with pytest.raises(decisions.BadInput, match=r"^text: "):
        send_back(cast, row, text)
    with workspace.within(cast.ws):
        assert not Instruction.objects.exists()
        assert not Decision.objects.exists()


def test_an_instruction_of_two_thousand_characters_is_kept_whole(cast: Cast, row: Proposal) -> None:
    asked = send_back(cast, row, "ä" * 2_000)
    assert len(asked.text) == 2_000


def test_what_a_person_proposed_is_not_sent_back(cast: Cast) -> None:
    target = steps.ticket(cast)
    with workspace.within(cast.ws, cast.id("rosa")):
        submission = proposals.submit(
            workspace=cast.ws, case=steps.Case.objects.get(subject=target).pk, kind="action",
            proposer=f"person:{cast.id('rosa')}", key="k",
            payload={"action": "ticket.update", "target": target, "args": {"priority": "P1"}, "confidence": 1},
        )  # fmt: skip
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        row = Proposal.objects.get(submission=submission)
    with pytest.raises(decisions.NotAllowed, match="Only what an agent proposed"):
        send_back(cast, row, name="ravi")


def test_who_decides_nothing_sends_nothing_back(cast: Cast, row: Proposal) -> None:
    with pytest.raises(decisions.NotAllowed):
        send_back(cast, row, name="odile")


def test_a_halted_agent_is_not_asked_and_its_answer_does_not_count(cast: Cast, row: Proposal) -> None:
    asked = send_back(cast, row)
    submission = hand_in(cast, row, asked, {"priority": "P1"})
    with workspace.within(cast.ws, cast.id("mara")) as now:
        switches.throw(
            workspace=cast.ws, kind="halt", subject="triage", reason="looks odd", actor=f"person:{cast.id('mara')}",
            now=now,
        )  # fmt: skip
    steps.pass_gate(cast, submission)
    assert steps.fresh(cast, row).version == 1
    with workspace.within(cast.ws):
        asked.refresh_from_db()
    assert "halted" in asked.answer
    with pytest.raises(decisions.NotAllowed, match="halted"):
        send_back(cast, row)


# --- the page --------------------------------------------------------------------------------------------------


def test_the_page_sends_back_without_scripts_and_tells_what_came_of_it(cast: Cast, row: Proposal) -> None:
    rosa, ravi = sit_down(cast, "rosa"), sit_down(cast, "ravi")
    assert f"/proposals/{row.pk}/send-back/" in text(rosa.get(f"/proposals/{row.pk}/"))
    refused = rosa.decide(row, "send-back", text=" ")
    assert (refused.status_code, "Say what the agent should do differently." in text(refused)) == (422, True)
    sent = rosa.decide(row, "send-back", text="To refunds, <b>P1</b>")
    assert "Sent back with what you wrote" in text(rosa.client.get(sent["Location"]))
    page = text(ravi.get(f"/proposals/{row.pk}/"))
    assert "Sent back by Rosa Lindqvist" in page
    assert "To refunds, &lt;b&gt;P1&lt;/b&gt;" in page
    assert "min left to answer" in page
    assert f"/proposals/{row.pk}/approve/" not in page
    assert f"/proposals/{row.pk}/send-back/" not in page
    assert f"/proposals/{row.pk}/reject/" in page
    assert ravi.decide(row, "approve").status_code == 403
    with workspace.within(cast.ws):
        asked = Instruction.objects.get()
    evidence = [{"claim": "A reviewer asked for this", "source": "instruction:1", "quote": "P1"}]
    answer(cast, row, asked, {"queue": "refunds_returns", "priority": "P1"}, evidence=evidence)
    page = text(ravi.get(f"/proposals/{row.pk}/"))
    assert "Done: Move to refunds returns" in page
    assert "A reviewer asked for this" in page
    assert "As the reviewer asked." in page
    assert "sent it back" in page.lower()
    assert "Worked it out again" in page
    assert f"/proposals/{row.pk}/approve/" in page


def test_who_may_not_decide_finds_no_form(cast: Cast, row: Proposal) -> None:
    odile = sit_down(cast, "odile")
    assert "send-back" not in text(odile.get(f"/proposals/{row.pk}/"))
    assert odile.decide(row, "send-back", text="P1").status_code == 403


@pytest.mark.parametrize("by", ["edit", "agent"])
def test_voters_are_told_that_their_vote_is_gone_and_by_whom(cast: Cast, by: str) -> None:
    target = steps.ticket(cast)
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="two", actor="system:test", now=now, action="ticket.update", tier="low",
            people="two", proposer_kind="agent", agent="triage",
        )  # fmt: skip
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P2"})
    assert steps.approve(cast, row, "ravi").state == "pending"
    if by == "edit":
        with workspace.within(cast.ws, cast.id("rosa")) as now:
            revising.edit(
                workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"),
                args={"priority": "P1"}, now=now,
            )  # fmt: skip
    else:
        answer(cast, row, send_back(cast, row, "P1"), {"priority": "P1"})
    how = "edited by" if by == "edit" else "worked out again, sent back by"
    for name, whose, who in (
        ("ravi", "Your approval", "Rosa Lindqvist"),
        ("mara", "The approval of Ravi Menon", "Rosa Lindqvist"),
        ("rosa", "The approval of Ravi Menon", "you"),
    ):
        page = text(sit_down(cast, name).get(f"/proposals/{row.pk}/"))
        assert f"{whose} of revision 1 no longer counts: {how} {who}." in page
        assert "No longer counts: the approval of Ravi Menon" in page
    steps.approve(cast, row, "ravi")
    assert "no longer counts" not in text(sit_down(cast, "ravi").get(f"/proposals/{row.pk}/"))


def test_the_api_sends_back(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        _, secret = tokens.make(
            workspace=cast.workspace, person=cast.people["rosa"], name="x", scopes=["decide"], now=now
        )
    path = f"/w/{cast.workspace.slug}/api/proposals/{row.pk}/send-back/"
    body = {"revision": row.revision, "digest": row.digest, "text": "P1"}
    headers = {"Authorization": f"Bearer {secret}"}
    first = Client().post(path, body, content_type="application/json", headers=headers)
    assert (first.status_code, first.json()["state"]) == (200, "pending")
    again = Client().post(path, body, content_type="application/json", headers=headers)
    assert again.status_code == 409


# --- the second wall -------------------------------------------------------------------------------------------


def insert_submission(cast: Cast, row: Proposal, run: int, revises: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO approvals_submission (workspace_id, case_id, kind, proposer, run, key, depends_on, payload,"
            " revises_id, seen_content, trace_id, status, outcome)"
            " VALUES (%s, %s, 'action', 'agent:triage', %s, %s, '[]', '{}', %s, '', '', 'new', '')",
            [cast.ws, row.case_id, f"run:{run}", secrets.token_hex(4), revises],
        )


def test_agents_revise_nothing_that_was_not_sent_back_to_them(cast: Cast, row: Proposal) -> None:
    plain = steps.begin_run(cast, row.target)
    other_target = steps.ticket(cast)
    other = steps.propose(cast, other_target, "ticket.update", other_target, {"priority": "P1"})
    asked = send_back(cast, row)
    run = begin(cast, row, asked)
    with signed_in("agents"):
        with workspace.within(cast.ws), refused("42501", "agents"):
            insert_submission(cast, row, plain.pk, row.pk)  # a run that no instruction began
        with workspace.within(cast.ws), refused("42501", "agents"):
            insert_submission(cast, row, run.pk, other.pk)  # an instruction on something else
        with workspace.within(cast.ws):
            insert_submission(cast, row, run.pk, row.pk)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"), reason="other", note="",
            now=now,
        )  # fmt: skip
    with signed_in("agents"), workspace.within(cast.ws), refused("42501", "agents"):
        insert_submission(cast, row, run.pk, row.pk)  # answered meanwhile


def test_agents_begin_a_run_only_on_an_open_instruction_on_their_own(cast: Cast, row: Proposal) -> None:
    insert = (
        "INSERT INTO agents_run (workspace_id, case_id, agent, agent_version, model_version, trace_id, state, attempts,"
        " fence, outcome, asked_by, instruction_id) VALUES (%s, %s, %s, '1', '', %s, 'queued', 0, 0, '', '', %s)"
    )
    asked = send_back(cast, row)

    def begin_raw(agent: str, instruction: int | None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(insert, [cast.ws, row.case_id, agent, secrets.token_hex(16), instruction])

    with signed_in("agents"):
        for agent, instruction in (("triage", None), ("refunds", asked.pk), ("triage", 10**9)):
            with workspace.within(cast.ws), refused("42501", "agents"):
                begin_raw(agent, instruction)
        with workspace.within(cast.ws):
            begin_raw("triage", asked.pk)
        with workspace.within(cast.ws), pytest.raises(IntegrityError):
            begin_raw("triage", asked.pk)  # each instruction begins one


def test_the_gate_revises_nothing_that_nobody_sent_back(cast: Cast, row: Proposal) -> None:
    with signed_in("apply"), workspace.within(cast.ws), refused("CS006", "apply"):
        made = Revision.objects.create(**_copy(row))
        forge_entry(cast, row, Event.PROPOSAL_REVISED, "pending")
        Proposal.objects.filter(pk=row.pk).update(version=2, revision=2, digest=made.digest)
    asked = send_back(cast, row)
    answer(cast, row, asked, {"priority": "P1"})
    assert steps.fresh(cast, row).revision == 2


def _copy(row: Proposal) -> dict[str, Any]:
    first = Revision.objects.get(proposal=row, number=1)
    names = ("workspace_id", "proposal_id", "args", "content", "nonce", "digest", "verdict", "people", "second_role")
    return {**{name: getattr(first, name) for name in names}, "number": 2, "made_by": "agent:triage"}


def test_agents_answer_no_instruction_and_give_none(cast: Cast, row: Proposal) -> None:
    asked = send_back(cast, row)
    with signed_in("agents"):
        with workspace.within(cast.ws), refused("42501", "agents"):
            Instruction.objects.filter(pk=asked.pk).update(answer="done")
        with workspace.within(cast.ws), refused("42501", "agents"):
            Instruction.objects.create(
                workspace_id=cast.ws, proposal=row, revision=1, text="to Billing", person_id=cast.id("rosa")
            )
    with signed_in("apply"), workspace.within(cast.ws) as now:
        instructions.answer(Instruction.objects.get(pk=asked.pk), "done", actor="agent:triage", now=now)


def test_an_answer_to_an_earlier_instruction_is_none_to_a_later_one(cast: Cast, row: Proposal) -> None:
    first = send_back(cast, row)
    early = hand_in(cast, row, first, {"priority": "P1"})
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"),
            args={"priority": "P2"}, now=now,
        )  # fmt: skip
    second = send_back(cast, row, "P4")
    steps.pass_gate(cast, early)
    assert steps.fresh(cast, row).revision == 2
    answer(cast, row, second, {"priority": "P4"})
    assert steps.fresh(cast, row).revision == 3


def test_an_answer_is_checked_like_any_draft_when_its_worker_dies(cast: Cast, row: Proposal, monkeypatch: Any) -> None:
    from portal import env, failpoints

    asked = send_back(cast, row)
    submission = hand_in(cast, row, asked, {"priority": "P1"})
    monkeypatch.setattr(env.read(), "failpoints", "gate.before_commit=raise")
    with pytest.raises(failpoints.FailpointRaised):
        steps.pass_gate(cast, submission)
    assert steps.fresh(cast, row).revision == 1
    monkeypatch.setattr(env.read(), "failpoints", "")
    steps.pass_gate(cast, submission)
    assert steps.fresh(cast, row).revision == 2


def test_a_stale_proposal_comes_back_anew(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        late = now + timedelta(days=8)
        decisions.approve(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"), now=late
        )  # fmt: skip
    assert steps.fresh(cast, row).state == "stale"
    asked = send_back(cast, row, "look again")
    answer(cast, row, asked, {"queue": "fees_billing", "priority": "P3"})
    again = steps.fresh(cast, row)
    assert (again.state, again.revision) == ("pending", 2)
    assert steps.approve(cast, again, "ravi").state == "approved"


def test_the_gate_alone_is_asked(cast: Cast, row: Proposal) -> None:
    """Web cannot revise in an agent's name, nor hand in what revises."""
    asked = send_back(cast, row)
    with workspace.within(cast.ws, cast.id("rosa")), pytest.raises(DatabaseError):
        proposals.submit(
            workspace=cast.ws, case=row.case_id, kind="action", proposer=f"person:{cast.id('rosa')}",
            key=instructions.key_of(asked.pk), revises=row.pk, payload={},
        )  # fmt: skip
    with signed_in("apply"):
        gate.pass_through(workspace=cast.ws, submission=2**40)
    assert steps.fresh(cast, row).version == 1

"""Kill switches: one person throws, everybody sees it, and nothing of it is proposed, decided or sent meanwhile."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from agents import intake, workflow
from agents.models import Run
from approvals import decisions, recalling, switches, thresholds
from approvals.models import Handoff, Proposal, Pulse, Submission, Switch, SwitchEverywhere
from audit.models import Entry, Payload, Unattributed
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import sign_in, signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def everywhere(live: None) -> Iterator[None]:
    """What a test throws everywhere is restored behind it, whatever became of the test."""
    yield
    for one in [s for s in _listed_everywhere() if s.everywhere]:
        switches.restore_everywhere(kind=one.kind, subject=one.subject, reason="the test is over", actor="system:test")


def _listed_everywhere() -> tuple[switches.Thrown, ...]:
    with workspace.within(None):
        return switches.in_force(workspace=0)


def throw(cast: Cast, kind: str, subject: str = "", name: str = "mara", reason: str = "Wrong refunds") -> Switch:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return switches.throw(
            workspace=cast.ws, kind=kind, subject=subject, reason=reason, actor=f"person:{cast.id(name)}", now=now
        )


def restore(cast: Cast, kind: str, subject: str = "", name: str = "mara") -> Switch:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return switches.restore(
            workspace=cast.ws, kind=kind, subject=subject, reason="Fixed", actor=f"person:{cast.id(name)}", now=now
        )


def propose(cast: Cast, priority: str = "P1", **more: Any) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": priority}, **more)


def automatic(cast: Cast) -> None:
    """Ticket updates of agents pass by themselves from now on."""
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="low", people="automatic", proposer_kind="agent",
        )  # fmt: skip


# Throwing and restoring ----------------------------------------------------------------------------------


def test_one_manager_throws_alone_and_it_is_on_the_log_with_the_reason(cast: Cast) -> None:
    throw(cast, "freeze", "refund.create")
    with workspace.within(cast.ws):
        (thrown,) = switches.in_force(workspace=cast.ws)
        assert (thrown.kind, thrown.subject, thrown.reason, thrown.everywhere) == (
            "freeze", "refund.create", "Wrong refunds", False,
        )  # fmt: skip
        entry = Entry.objects.get(event="switch.thrown")
        assert (entry.subject, entry.actor) == ("switch:freeze:refund.create", f"person:{cast.id('mara')}")
        assert Payload.objects.get(entry=entry).value == "Wrong refunds"
        assert not Unattributed.objects.exists()
    restore(cast, "freeze", "refund.create", "ada")
    with workspace.within(cast.ws):
        assert switches.in_force(workspace=cast.ws) == ()
        assert [e.version for e in Entry.objects.filter(subject=entry.subject).order_by("version")] == [1, 2]


@pytest.mark.parametrize("name", ["rosa", "odile", "otto"])
def test_who_is_neither_manager_nor_admin_here_throws_and_restores_nothing(cast: Cast, name: str) -> None:
    with pytest.raises(switches.NotAllowed):
        throw(cast, "autonomy_off", name=name)
    throw(cast, "autonomy_off")
    with pytest.raises(switches.NotAllowed):
        restore(cast, "autonomy_off", name=name)
    assert restore(cast, "autonomy_off", name="ada").thrown is False


@pytest.mark.parametrize(
    ("kind", "subject", "reason", "names"),
    [
        ("stop_all", "", "x", "kind"),
        ("freeze", "", "x", "subject"),
        ("freeze", "refund.creates", "x", "subject"),
        ("halt", " ", "x", "subject"),
        ("halt", "a" * 41, "x", "subject"),
        ("autonomy_off", "refunds", "x", "subject"),
        ("autonomy_off", "", "  ", "reason"),
        ("autonomy_off", "", "x" * 301, "reason"),
    ],
)
def test_a_switch_that_could_never_match_or_says_no_reason_is_refused(
    cast: Cast, kind: str, subject: str, reason: str, names: str
) -> None:
    with pytest.raises(switches.BadInput, match=f"^{names}: "):
        throw(cast, kind, subject, reason=reason)
    with workspace.within(cast.ws):
        assert not Switch.objects.exists()


def test_a_switch_is_thrown_once_and_restored_once_however_many_hit_it(cast: Cast) -> None:
    outcomes = []

    def hit(act: Any, name: str) -> None:
        connection.settings_dict = dict(connection.settings_dict)
        sign_in("web")
        barrier.wait()
        try:
            act(cast, "halt", "refunds", name)
            outcomes.append("done")
        except switches.AlreadySo:
            outcomes.append("already so")
        finally:
            connection.close()

    for act in (throw, restore):
        outcomes.clear()
        barrier = threading.Barrier(3)
        threads = [threading.Thread(target=hit, args=(act, name)) for name in ("mara", "ada", "anton")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["already so", "already so", "done"]
    with workspace.within(cast.ws):
        assert Switch.objects.count() == Entry.objects.filter(subject="switch:halt:refunds").count() == 2


def test_rows_of_switches_are_never_changed_and_other_processes_only_read_them(cast: Cast) -> None:
    row = throw(cast, "autonomy_off")
    with pytest.raises(DatabaseError) as refused, workspace.within(cast.ws):
        Switch.objects.filter(pk=row.pk).update(thrown=False)
    assert refused.value.__cause__.sqlstate in ("CS001", "42501")  # type: ignore[union-attr]
    for role in ("agents", "apply"):
        with signed_in(role):
            with pytest.raises(DatabaseError) as refused, workspace.within(cast.ws) as now:
                Switch.objects.create(
                    workspace_id=cast.ws, kind="autonomy_off", thrown=False, reason="x", made_by="x", created_at=now
                )
            assert refused.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]
            with workspace.within(cast.ws):
                assert switches.why_not_now(workspace=cast.ws, action="", proposer="agent:triage")


def test_a_switch_thrown_past_the_service_is_alarmed(cast: Cast) -> None:
    with workspace.within(cast.ws):
        Switch.objects.create(
            workspace_id=cast.ws, kind="autonomy_off", thrown=False, reason="x", made_by="x", created_at=Now()
        )
        assert Unattributed.objects.get().table == "approvals_switch"


def test_switches_of_one_workspace_stop_nothing_in_another(cast: Cast) -> None:
    other = gather()
    throw(cast, "autonomy_off")
    with workspace.within(other.ws):
        assert switches.in_force(workspace=other.ws) == ()
        assert switches.in_force(workspace=cast.ws) == ()  # row security: the id alone opens nothing
    assert propose(other).state == "pending"


# What each of them stops ---------------------------------------------------------------------------------

STOPS = [
    ("autonomy_off", "", "ticket.update", "agent:triage", True),
    ("autonomy_off", "", "ticket.update", "service:desk", True),
    ("autonomy_off", "", "ticket.update", "person:1", False),
    ("freeze", "ticket.update", "ticket.update", "agent:triage", True),
    ("freeze", "ticket.update", "ticket.update", "person:1", True),
    ("freeze", "ticket.update", "ticket.reply", "agent:triage", False),
    ("halt", "triage", "ticket.update", "agent:triage", True),
    ("halt", "agent:triage", "ticket.update", "agent:triage", True),
    ("halt", "triage", "ticket.update", "agent:refunds", False),
    ("halt", "triage", "ticket.update", "person:1", False),
    ("force_approval", "", "ticket.update", "agent:triage", False),
]


@pytest.mark.parametrize(("kind", "subject", "action", "proposer", "stopped"), STOPS)
def test_each_switch_stops_what_it_names_and_nothing_else(
    cast: Cast, kind: str, subject: str, action: str, proposer: str, stopped: bool
) -> None:
    throw(cast, kind, subject)
    with workspace.within(cast.ws), CaptureQueriesContext(connection) as captured:
        why = switches.why_not_now(workspace=cast.ws, action=action, proposer=proposer)
    assert len([q for q in captured.captured_queries if "approvals_switch" in q["sql"]]) == 1
    assert ("Wrong refunds" in why) is stopped
    assert bool(why) is stopped


@pytest.mark.parametrize("kind_subject", [("autonomy_off", ""), ("freeze", "ticket.update"), ("halt", "triage")])
def test_a_submission_of_what_is_switched_off_becomes_a_handoff_with_its_arguments(
    cast: Cast, kind_subject: tuple[str, str]
) -> None:
    target = steps.ticket(cast)
    submission = steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P1"})
    throw(cast, *kind_subject)
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        handoff = Handoff.objects.get(submission=submission)
        assert (handoff.reason, handoff.found["args"], handoff.found["action"]) == (
            "switched_off", {"priority": "P1"}, "ticket.update",
        )  # fmt: skip
        assert "Wrong refunds" in handoff.summary
        assert Submission.objects.get(pk=submission.pk).status == "gated"
        assert not Proposal.objects.exists()
    restore(cast, *kind_subject)
    assert propose(cast).state == "pending"


def test_peoples_own_work_goes_on_while_agents_are_switched_off(cast: Cast) -> None:
    throw(cast, "autonomy_off")
    target = steps.ticket(cast)
    desk = sit_down(cast, "rosa")
    with workspace.within(cast.ws):
        case = Handoff.objects.count(), steps.Case.objects.get(subject=target).pk
    answer = desk.post(
        f"/cases/{case[1]}/new/ticket.update/", {"key": "k1", "priority": "P1", "queue": "", "status": "open"}
    )
    assert answer.status_code == 302, text(answer)
    with workspace.within(cast.ws):
        submission = Submission.objects.get()
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        proposal = Proposal.objects.get(submission=submission)
    assert steps.approve(cast, proposal, "ravi").state == "approved"
    assert steps.apply(cast, proposal).state == "applied"


def test_what_is_switched_off_is_not_approved_but_rejected_and_withdrawn(cast: Cast) -> None:
    kept, rejected, withdrawn = (propose(cast) for _ in range(3))
    throw(cast, "halt", "triage")
    with pytest.raises(decisions.NotAllowed, match="The triage agent is halted, because: Wrong refunds"):
        steps.approve(cast, kept, "rosa")
    with workspace.within(cast.ws, cast.id("mara")) as now:
        what = {"workspace": cast.ws, "person": cast.id("mara"), "now": now}
        decisions.reject(proposal=rejected.pk, seen=steps.seen(rejected), reason="other", note="", **what)
        decisions.withdraw(proposal=withdrawn.pk, seen=steps.seen(withdrawn), **what)
    assert (steps.fresh(cast, rejected).state, steps.fresh(cast, withdrawn).state) == ("rejected", "withdrawn")
    restore(cast, "halt", "triage")
    assert steps.approve(cast, kept, "rosa").state == "approved"


def test_what_was_approved_before_waits_and_goes_on_when_it_is_restored(cast: Cast) -> None:
    proposal = propose(cast)
    steps.approve(cast, proposal, "rosa")
    throw(cast, "autonomy_off")
    assert steps.apply(cast, proposal).state == "approved"
    restore(cast, "autonomy_off")
    assert steps.apply(cast, proposal).state == "applied"


def test_nothing_passes_by_itself_while_approval_is_forced(cast: Cast) -> None:
    automatic(cast)
    assert propose(cast).state == "approved"
    throw(cast, "force_approval")
    proposal = propose(cast)
    assert (proposal.state, proposal.people) == ("pending", 1)
    assert steps.approve(cast, proposal, "rosa").state == "approved"
    assert steps.apply(cast, proposal).state == "applied"


def test_what_passed_by_itself_before_goes_back_to_a_person(cast: Cast) -> None:
    automatic(cast)
    proposal = propose(cast)
    throw(cast, "force_approval")
    assert steps.apply(cast, proposal).state == "stale"
    restore(cast, "force_approval")
    again = propose(cast)
    assert steps.apply(cast, again).state == "applied"


def test_a_run_of_a_halted_agent_ends_with_a_handoff_and_is_not_worked(cast: Cast) -> None:
    throw(cast, "halt", "triage")
    with workspace.within(cast.ws) as now:
        intake.take_in(
            workspace=cast.ws, agent="triage", line={"id": "T-9", "text": "Where is my kettle?"},
            actor="system:test", now=now,
        )  # fmt: skip
        run = Run.objects.get()
    with signed_in("agents"):
        assert workflow.advance(workspace=cast.ws, run=run.pk)
    with workspace.within(cast.ws):
        run.refresh_from_db()
        assert (run.state, run.outcome, run.steps.count()) == ("done", "handoff", 0)
        submission = Submission.objects.get()
        assert (submission.kind, submission.payload["reason"]) == ("handoff", "switched_off")
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        assert Handoff.objects.get().reason == "switched_off"


# Taking back ---------------------------------------------------------------------------------------------


def test_a_manager_takes_back_what_waits_for_a_thrown_switch_and_is_told_what_could_not_be(cast: Cast) -> None:
    ours, theirs = [propose(cast) for _ in range(3)], propose(cast, agent="refunds")
    for proposal in (*ours, theirs):
        steps.approve(cast, proposal, "rosa")
    with pytest.raises(recalling.NotThrown), workspace.within(cast.ws, cast.id("mara")) as now:
        recalling.withdraw_waiting(workspace=cast.ws, kind="halt", subject="triage", person=cast.id("mara"), now=now)
    throw(cast, "halt", "triage")
    for name in ("rosa", "ada"):
        with pytest.raises(recalling.NotAllowed), workspace.within(cast.ws, cast.id(name)) as now:
            recalling.withdraw_waiting(workspace=cast.ws, kind="halt", subject="triage", person=cast.id(name), now=now)
    desk = sit_down(cast, "mara")
    assert "3 approved wait for it" in text(desk.get("/switches/"))
    answer = desk.post("/switches/recall/", {"switch": "halt:triage"})
    assert "3 withdrawn" in text(answer)
    assert {steps.fresh(cast, p).state for p in ours} == {"withdrawn"}
    assert steps.fresh(cast, theirs).state == "approved"


def test_one_that_cannot_be_taken_back_holds_up_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = propose(cast), propose(cast)
    for proposal in (first, second):
        steps.approve(cast, proposal, "rosa")
    throw(cast, "freeze", "ticket.update")
    real = decisions.withdraw

    def stopped_meanwhile(**what: Any) -> Proposal:
        if what["proposal"] == first.pk:
            decisions.stop(**what)
        return real(**what)

    monkeypatch.setattr(decisions, "withdraw", stopped_meanwhile)
    monkeypatch.setattr(decisions, "stop", lambda **_: (_ for _ in ()).throw(decisions.Gone("It is applying now.")))
    with workspace.within(cast.ws, cast.id("mara")) as now:
        recalled = recalling.withdraw_waiting(
            workspace=cast.ws, kind="freeze", subject="ticket.update", person=cast.id("mara"), now=now
        )
    assert recalled.withdrawn == (second.pk,)
    assert [(k.proposal, k.why) for k in recalled.kept] == [(first.pk, "It is applying now.")]
    assert (steps.fresh(cast, first).state, steps.fresh(cast, second).state) == ("approved", "withdrawn")


# Everywhere, and the command -----------------------------------------------------------------------------


def test_what_is_thrown_everywhere_stops_every_workspace_and_is_on_the_log_of_each(
    cast: Cast, everywhere: None
) -> None:
    other = gather()
    out = StringIO()
    call_command("switch", "throw", "freeze", "ticket.update", "--reason", "Leak", "--everywhere", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {
        "kind": "freeze", "subject": "ticket.update", "thrown": True, "everywhere": True,
    }  # fmt: skip
    for one in (cast, other):
        target = steps.ticket(one)
        steps.pass_gate(one, steps.submit_as_agent(one, target, "ticket.update", target, {"priority": "P1"}))
        with workspace.within(one.ws):
            assert Handoff.objects.get().reason == "switched_off"
            entry = Entry.objects.get(event="switch.thrown")
            assert (entry.actor, json.loads(entry.canonical)["body"]["everywhere"]) == ("system:operator", True)
    with pytest.raises(switches.AlreadySo):
        restore(cast, "freeze", "ticket.update")  # a workspace cannot lift what the operator threw
    call_command("switch", "restore", "freeze", "ticket.update", "--reason", "Closed", "--everywhere", stdout=out)
    assert propose(cast).state == "pending"


def test_the_command_throws_lists_and_restores_in_one_workspace(cast: Cast) -> None:
    here = ("--workspace", cast.workspace.slug)
    err, out = StringIO(), StringIO()
    call_command("switch", "throw", "halt", "refund", "--reason", "Odd", *here, stdout=out, stderr=err)
    assert "no agent 'refund' has handed in anything" in err.getvalue()
    out = StringIO()
    call_command("switch", "list", *here, "--json", stdout=out)
    (listed,) = json.loads(out.getvalue())["thrown"]
    assert (listed["kind"], listed["subject"], listed["reason"], listed["who"], listed["everywhere"]) == (
        "halt", "refund", "Odd", "system:operator", False,
    )  # fmt: skip
    call_command("switch", "restore", "halt", "agent:refund", "--reason", "Typo", *here, stdout=out)
    out = StringIO()
    call_command("switch", "list", *here, stdout=out)
    assert out.getvalue().strip() == "nothing is switched off"


@pytest.mark.parametrize(
    "words",
    [
        ("throw", "freeze", "--reason", "x"),
        ("throw", "everything", "--reason", "x"),
        ("throw", "autonomy_off"),
        ("restore", "autonomy_off", "--reason", "x"),
    ],
)
def test_a_wrong_command_ends_with_code_2_and_one_line(cast: Cast, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("switch", *words, "--workspace", cast.workspace.slug)
    assert refused.value.returncode == 2
    assert "\n" not in str(refused.value)
    with pytest.raises(CommandError) as refused:
        call_command("switch", "list", "--workspace", "nowhere-at-all")
    assert refused.value.returncode == 2


# Pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/cases/", "/switches/", "/you/tokens/", "/admin/"])
def test_every_page_says_who_switched_what_off_since_when_and_why(cast: Cast, path: str) -> None:
    throw(cast, "freeze", "refund.create", reason="Wrong <b>amounts</b>")
    page = text(sit_down(cast, "mara").get(path))
    banner = page[page.index('id="standing"') :]
    banner = banner[: banner.index("</div>")]
    assert 'role="status"' in banner
    assert "is frozen" in banner
    assert "Mara" in banner
    assert "<time" in banner
    assert "Wrong &lt;b&gt;amounts&lt;/b&gt;" in banner
    assert f"/w/{cast.workspace.slug}/switches/" in banner
    restore(cast, "freeze", "refund.create")
    page = text(sit_down(cast, "mara").get(path))
    assert "is frozen</b>" not in page[page.index('id="standing"') :].partition("</div>")[0]


def test_the_banner_counts_what_it_does_not_show(cast: Cast) -> None:
    for name in ("triage", "refunds", "contacts", "fourth", "fifth"):
        throw(cast, "halt", name)
    page = text(sit_down(cast, "rosa").get("/"))
    banner = page[page.index('id="standing"') :].partition("</div>")[0]
    assert banner.count("is halted") == 3
    assert "2 more are thrown" in banner


def test_the_banner_asks_again_and_is_told_only_what_changed(cast: Cast) -> None:
    desk = sit_down(cast, "rosa")
    key = text(desk.get("/")).partition("key=")[2].partition('"')[0]
    assert desk.get(f"/standing/?key={key}").status_code == 204
    throw(cast, "autonomy_off")
    answer = desk.get(f"/standing/?key={key}")
    assert answer.status_code == 200
    assert "Agents are switched off" in text(answer)
    key = text(answer).partition("key=")[2].partition('"')[0]
    assert desk.get(f"/standing/?key={key}").status_code == 204


@pytest.fixture
def pulse(live: None) -> Iterator[None]:
    """The pulse belongs to the installation: a test leaves none behind."""
    yield
    with signed_in("owner"), transaction.atomic():
        Pulse.objects.all().delete()


def _pulse(queue: str, asked: int, answered: int | None) -> None:
    """Asked and answered so many seconds ago."""
    with signed_in("apply"), workspace.within(None) as now:
        Pulse.objects.create(
            queue=queue, asked_at=now - timedelta(seconds=asked),
            answered_at=None if answered is None else now - timedelta(seconds=answered),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "answered", "silent"),
    [(5, 2, False), (2, 5, False), (20, None, False), (40, 45, True), (40, None, True), (60, 50, True)],
)
def test_a_queue_whose_workers_do_not_answer_is_told_above_every_page(
    cast: Cast, pulse: None, asked: int, answered: int | None, silent: bool
) -> None:
    _pulse("apply", asked, answered)
    page = text(sit_down(cast, "rosa").get("/"))
    assert ("Workers do not answer" in page) is silent
    assert ("nothing is sent until they do" in page) is silent


def test_the_page_throws_and_restores_without_scripts(cast: Cast) -> None:
    propose(cast)
    desk = sit_down(cast, "mara")
    page = text(desk.get("/switches/"))
    assert 'value="halt:triage"' in page
    assert 'value="freeze:refund.create"' in page
    answer = desk.post("/switches/throw/", {"switch": "halt:triage", "reason": "Sends everything to billing"})
    assert (answer.status_code, answer["Location"]) == (302, f"/w/{cast.workspace.slug}/switches/")
    page = text(desk.get("/switches/"))
    assert page.count("Sends everything to billing") == 3  # banner, thrown now, history
    answer = desk.post("/switches/throw/", {"switch": "halt:triage", "reason": "Again"})
    assert answer.status_code == 409
    assert "halted already" in text(answer)
    answer = desk.post("/switches/restore/", {"switch": "halt:triage", "reason": ""})
    assert answer.status_code == 422
    assert desk.post("/switches/restore/", {"switch": "halt:triage", "reason": "Fixed"}).status_code == 302
    page = text(desk.get("/switches/"))
    assert "Nothing is switched off" in page
    assert "restored" in page


@pytest.mark.parametrize("switch", ["", ":", "freeze:", "halt", "x:y"])
def test_a_form_that_names_no_switch_is_told_so(cast: Cast, switch: str) -> None:
    answer = sit_down(cast, "ada").post("/switches/throw/", {"switch": switch, "reason": "Because"})
    assert answer.status_code == 422
    assert 'class="problem"' in text(answer)
    assert 'value="Because"' in text(answer)


@pytest.mark.parametrize("name", ["rosa", "odile"])
def test_others_read_the_page_and_may_post_nothing(cast: Cast, name: str) -> None:
    throw(cast, "autonomy_off")
    desk = sit_down(cast, name)
    page = text(desk.get("/switches/"))
    assert "Agents are switched off" in page
    assert "<form" not in page[page.index('id="content"') : page.index('id="toasts"')]
    for verb in ("throw", "restore", "recall"):
        answer = desk.post(f"/switches/{verb}/", {"switch": "autonomy_off:", "reason": "x"})
        assert answer.status_code == 403, verb
    with workspace.within(cast.ws):
        assert Switch.objects.count() == 1


def test_what_the_operator_threw_is_shown_and_cannot_be_restored_here(cast: Cast, everywhere: None) -> None:
    switches.throw_everywhere(kind="autonomy_off", subject="", reason="Provider leak", actor="system:operator")
    desk = sit_down(cast, "mara")
    page = text(desk.get("/switches/"))
    assert "Agents are switched off everywhere" in page
    assert "by the operator" in page
    assert 'action="/w/' + cast.workspace.slug + '/switches/restore/"' not in page
    assert desk.post("/switches/restore/", {"switch": "autonomy_off:", "reason": "x"}).status_code == 409
    with workspace.within(None):
        assert SwitchEverywhere.objects.filter(thrown=True).order_by("-pk")[0].made_by == "system:operator"

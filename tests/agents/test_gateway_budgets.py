"""Caps: exact for sixteen at once, of every scope and kind, stepped down to, and never opened from outside."""

import pytest
from django.db import Error

from tests.agents.models import LARGE, SMALL, UNSURE, calls, cap, connect, triage
from tests.conftest import signed_in
from tests.modelserver import answer, fixture

GOOD = triage("fees_billing", quote="the thing from last week")
CAP = 1_000_003


@pytest.fixture
def asking(desk, server):
    connect(desk.workspace, server.base_url)
    server.says(fixture(SMALL, answer({**GOOD, "confidence": 0.5})), fixture(LARGE, answer(GOOD)))
    return desk


def advance(desk, run: int) -> None:
    from agents import workflow

    with signed_in("agents"):
        workflow.advance(workspace=desk.workspace, run=run)


def outcomes(desk) -> list[tuple[str, str]]:
    return [(call.model, call.outcome) for call in calls(desk.workspace)]


def flags(desk) -> list[list[str]]:
    from approvals.models import Submission

    return [row.payload["flags"] for row in desk.rows(Submission)]


def test_sixteen_workers_never_pass_one_cap_by_a_micro_dollar(desk, server):
    from agents.gateway import ledger
    from agents.models import Account, Run
    from portal.workspace import within
    from tests.agents.spending import WORKERS, spend

    connect(desk.workspace, server.base_url)
    for kind in ("model_calls", "wall_ms"):
        cap(desk.workspace, 10**6, kind=kind)
    cap(desk.workspace, CAP)
    cap(desk.workspace, CAP, scope="workspace", per="day")
    runs = [desk.take_in("triage", id=f"T-{n}", text=UNSURE).run for n in range(WORKERS)]
    with signed_in("agents"):
        spent = spend(desk.workspace, runs)
        assert spent.settled + spent.open == spent.held <= CAP
        assert spent.settled > CAP - 40_000  # the cap is used, not only kept
        with within(desk.workspace) as now:  # another worker takes the run of the one that died
            run = Run.objects.get(pk=runs[0])
            run.fence += 1
            ledger.close_lost(run, now=now)
    (day,) = desk.rows(Account, key__startswith="workspace:")
    lost = [call for call in calls(desk.workspace) if call.outcome == "lost"]
    assert [call.cost_micros for call in lost] == [call.most_money for call in lost] == [spent.open]
    assert day.money == spent.held


def test_the_most_a_run_can_cost_is_known_before_it_starts_and_holds(asking):
    from agents.models import Run

    cap(asking.workspace, 3_000)
    taken = asking.take_in("triage", id="T-1", text=UNSURE)
    (run,) = asking.rows(Run)
    assert (run.state, run.most_micros, run.asked_by) == ("queued", 3_000, "system:tests")
    cap(asking.workspace, 90_000)  # raised after it was taken in: its own most stays
    advance(asking, taken.run)
    (run,) = asking.rows(Run)
    assert outcomes(asking) == [(SMALL, "answered")]
    assert 0 < run.cost_micros <= 3_000
    assert flags(asking) == [["below_bar"]]


@pytest.mark.parametrize(
    ("most", "more"),
    [
        (100, {}),
        (100, {"scope": "agent", "per": "day"}),
        (100, {"scope": "agent", "per": "day", "holder": "triage"}),
        (100, {"scope": "workspace", "per": "day"}),
        (500, {"scope": "workspace", "per": "day", "kind": "tokens"}),
        (0, {"kind": "model_calls"}),
        (5_000, {"kind": "wall_ms"}),
    ],
)
def test_what_a_cap_does_not_allow_is_not_asked_and_a_person_gets_the_case(asking, server, most, more):
    cap(asking.workspace, most, **more)
    advance(asking, asking.take_in("triage", id="T-1", text=UNSURE).run)
    assert (calls(asking.workspace), server.asked()) == ([], [])
    assert flags(asking) == [["no_model_answer"]]


def test_a_cap_on_another_agent_does_not_speak(asking):
    cap(asking.workspace, 0, scope="agent", per="day", holder="refunds")
    advance(asking, asking.take_in("triage", id="T-1", text=UNSURE).run)
    assert outcomes(asking) == [(SMALL, "answered"), (LARGE, "answered")]


def test_a_persons_day_counts_what_they_bring_in(asking):
    from agents import intake
    from agents.models import Account
    from portal.workspace import within

    cap(asking.workspace, 0, scope="person", per="day", holder="7")
    for person in (7, 8):
        with within(asking.workspace) as now:
            taken = intake.take_in(
                workspace=asking.workspace, agent="triage", line={"id": f"T-{person}", "text": UNSURE},
                actor=f"person:{person}", now=now,
            )  # fmt: skip
        advance(asking, taken.run)
    assert flags(asking) == [["no_model_answer"], []]
    (account,) = asking.rows(Account, key__startswith="person:8:")
    assert account.model_calls == 2


def test_a_tools_day_is_counted_where_a_budget_says_so(asking):
    from approvals.models import Submission

    cap(asking.workspace, 1, scope="tool", kind="tool_calls", per="day", holder="queues")
    for number in (1, 2):
        text = "My card was stolen on the tram, please block it right away"
        advance(asking, asking.take_in("triage", id=f"T-{number}", text=text).run)
    papers = [(row.kind, row.payload.get("reason")) for row in asking.rows(Submission)]
    assert papers == [("action", None), ("handoff", "over_budget")]


def test_near_a_cap_long_passages_are_cut_before_the_model_is_given_up(asking, server):
    story = " ".join(f"word{n}" for n in range(1200))
    cap(asking.workspace, 1_300)
    advance(asking, asking.take_in("triage", id="T-1", text=f"{UNSURE} {story}").run)
    (asked,) = server.asked(SMALL)
    assert "characters left out" in asked["messages"][1]["content"]


def test_a_dear_call_waits_for_a_persons_word(asking):
    cap(asking.workspace, 2_000, kind="one_call")
    advance(asking, asking.take_in("triage", id="T-1", text=UNSURE).run)
    assert outcomes(asking) == [(SMALL, "answered")]
    assert flags(asking) == [["below_bar"]]


def test_an_agents_process_settles_a_call_once_and_for_no_more_than_was_reserved(asking):
    from agents.models import Budget, ModelCall
    from portal.workspace import within

    advance(asking, asking.take_in("triage", id="T-1", text=UNSURE).run)
    first = calls(asking.workspace)[0]
    for role, change, state in (
        ("agents", lambda: ModelCall.objects.filter(pk=first.pk).update(cost_micros=0), "CS001"),
        ("agents", lambda: ModelCall.objects.filter(pk=first.pk).update(most_money=10**9), "42501"),
        ("agents", lambda: ModelCall.objects.filter(pk=first.pk).delete(), "42501"),
        ("agents", lambda: Budget.objects.create(workspace_id=asking.workspace, series="x", most=1), "42501"),
        ("web", lambda: ModelCall.objects.filter(pk=first.pk).update(cost_micros=0), "42501"),
    ):
        with signed_in(role), within(asking.workspace), pytest.raises(Error) as caught:
            change()
        assert caught.value.__cause__.sqlstate == state


def test_a_models_key_is_opened_by_agents_alone_and_counts_for_its_address(asking, server):
    from agents.gateway import catalogue
    from portal import sealing
    from portal.workspace import within
    from tests.agents.models import KEY

    def opened(role: str) -> str:
        with signed_in(role), within(asking.workspace):
            (row,) = catalogue.backends(asking.workspace)
            return str(catalogue.open_key(row).get_secret_value())

    assert opened("agents") == KEY
    for role in ("web", "apply"):
        with pytest.raises((Error, sealing.NoKey)):
            opened(role)
    with signed_in("agents"), pytest.raises(sealing.NoKey):
        sealing.private_key()
    connect(asking.workspace, server.base_url.replace("/v1", "/v2"), key=False)
    assert opened("agents") == KEY
    connect(asking.workspace, "http://127.0.0.1:9/v1", key=False)
    with pytest.raises(sealing.NotForUs):
        opened("agents")


@pytest.mark.parametrize(
    ("address", "says"),
    [("https://evil.example.com/v1", "MODEL_HOSTS"), ("ftp://127.0.0.1/v1", "address"), ("http://u@127.0.0.1", "only")],
)
def test_a_backend_is_on_the_operators_list_or_refused(desk, address, says):
    from agents.gateway.catalogue import CatalogueError

    with pytest.raises(CatalogueError, match=says):
        connect(desk.workspace, address)


def test_the_most_is_shown_before_a_run_is_begun_and_beside_what_was_spent(desk, server):
    from agents import workflow
    from approvals.models import Proposal, Submission
    from tests.api.calls import browser
    from tests.approvals import steps

    def page(path, name="rosa"):
        return browser(desk.cast, name).get(f"/w/{desk.cast.workspace.slug}/{path}").content.decode()

    assert "No model is asked: it costs nothing." in page("sweeps/", "mara")
    connect(desk.workspace, server.base_url)
    assert "At most $0.1000 a matter for models, $5.0000 in all." in page("sweeps/", "mara")
    cap(desk.workspace, 12_300, scope="agent", holder="triage")
    cap(desk.workspace, 9_000, scope="person", holder=str(desk.cast.id("mara")))
    server.says(fixture(SMALL, answer(GOOD)))
    run = desk.take_in("triage", id="T-1", text=UNSURE).run
    assert "Cost: at most $0.0123, spent nothing." in page(f"runs/{run}/")
    with signed_in("agents"):
        workflow.advance(workspace=desk.workspace, run=run)
    assert "Cost: at most $0.0123, spent $0.000027." in page(f"runs/{run}/")
    steps.pass_gate(desk.cast, desk.rows(Submission)[0])
    (proposal,) = desk.rows(Proposal)
    assert "At most $0.0123 for models" in page(f"proposals/{proposal.pk}/")
    assert "At most $0.0090 for models" in page(f"proposals/{proposal.pk}/", "mara"), "hers is the smaller cap"

"""What an agents process may hand in for: a run under way of this agent, in this workspace, while its lease lasts.

An agent holds no secret: its database role and the row of its run are its credential. Programs outside hold tokens.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from tests.cast import gather
from tests.conftest import signed_in

TEXT = "My card was stolen on the tram, please block it right away"


def submit(desk, taken, key: str, **other: Any) -> None:
    from approvals.models import Submission

    values = {"case_id": taken.case, "proposer": "agent:triage", "run": f"run:{taken.run}", **other}
    with transaction.atomic():
        Submission.objects.create(workspace_id=desk.workspace, kind="handoff", key=key, payload={}, **values)


def refused(desk, taken, **other: Any) -> str:
    with pytest.raises(DatabaseError) as error:
        submit(desk, taken, "refused", **other)
    return error.value.__cause__.sqlstate


def test_55_a_run_is_a_credential_for_its_agent_its_case_and_its_lease_alone(desk):
    from agents.models import Run
    from portal.workspace import within

    taken, other = (desk.take_in("triage", id=f"T-{n}", text=TEXT) for n in (1, 2))
    with signed_in("agents"), within(desk.workspace) as now:
        lease = Run.objects.filter(pk=taken.run)
        assert refused(desk, taken) == "42501", "nobody leased it"
        lease.update(state="running", lease_until=now + timedelta(minutes=1))
        assert refused(desk, taken, proposer="agent:refunds") == "42501"
        assert refused(desk, taken, case_id=other.case) == "42501"
        assert refused(desk, taken, run=f"run:{other.run}") == "42501"
        submit(desk, taken, "control")
        lease.update(lease_until=now - timedelta(seconds=1))
        assert refused(desk, taken) == "42501", "its lease is over"
        lease.update(lease_until=now + timedelta(minutes=1))
        submit(desk, taken, "control again")
        lease.update(state="done")
        assert refused(desk, taken) == "42501", "it has ended"


def test_55_a_run_of_another_workspace_is_none(desk):
    from agents.models import Run
    from approvals.models import Submission
    from portal.workspace import enter, within

    taken, elsewhere = desk.take_in("triage", id="T-1", text=TEXT), gather()
    with signed_in("agents"):
        with within(desk.workspace):
            Run.objects.filter(pk=taken.run).update(state="running")
        with within(elsewhere.ws):
            assert not Run.objects.filter(pk=taken.run).exists()
            assert refused(desk, taken) == "42501", "the row of another workspace"
            with pytest.raises(DatabaseError) as error, transaction.atomic():
                Submission.objects.create(
                    workspace_id=elsewhere.ws, case_id=taken.case, kind="handoff", key="k", payload={},
                    proposer="agent:triage", run=f"run:{taken.run}",
                )  # fmt: skip
            assert error.value.__cause__.sqlstate == "42501", "a run that is not in this workspace"
            enter(desk.workspace)
            submit(desk, taken, "control")


def test_55_a_token_is_good_where_it_was_made_until_it_is_revoked(desk):
    from portal import tokens
    from portal.workspace import within

    other, rosa = gather(), desk.cast.people["rosa"]
    with within(desk.workspace, rosa.pk) as now:
        token, secret = tokens.make(
            workspace=desk.cast.workspace, person=rosa, name="outside", scopes=["tickets:write"], now=now
        )

    def take_in(slug: str, number: int) -> int:
        body = {"id": f"T-{number}", "agent": "triage", "text": TEXT}
        return Client().post(
            f"/w/{slug}/api/tickets/", body, content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
        ).status_code  # fmt: skip

    assert take_in(desk.cast.workspace.slug, 1) == 201
    assert take_in(other.workspace.slug, 2) == 404
    with within(desk.workspace, rosa.pk) as now:
        tokens.revoke(token=token, person=rosa, now=now)
    assert take_in(desk.cast.workspace.slug, 3) == 401

"""The way of a high-tier approval through the pages: asked, answered, replayed in full, and what stops it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from approvals.models import Decision, Proposal
from portal import staff, stepup, tokens, workspace
from portal.models import Role, StepUp
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.approvals.test_second_wall import high
from tests.cast import PASSWORD, Cast, gather
from tests.presence import Codes


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def asked(desk: Desk, row: Proposal, **headers: Any) -> str:
    """Approve; the path of the challenge inside the workspace."""
    answer = desk.decide(row, "approve", **headers)
    assert (answer.status_code, Decision.objects.exists()) == (303, False)
    return str(answer["Location"]).removeprefix(f"/w/{desk.cast.workspace.slug}")


def test_on_high_tier_a_code_is_asked_for_and_the_post_is_replayed(cast: Cast) -> None:
    row, codes, desk = high(cast), Codes(cast, "ravi"), sit_down(cast, "ravi")
    where = asked(desk, row)
    page = text(desk.get(where))
    assert '<dt>Amount</dt><dd class="number"><b>900.00 EUR' in page
    assert row.target in page
    assert (f'title="{row.digest}"' in page, f"{row.digest[:12]}…" in page) == (True, True)
    wrong = desk.post(where, {"code": "000000x"})
    assert (wrong.status_code, "4 tries are left" in text(wrong)) == (422, True)
    key = desk.client.session.session_key
    with workspace.within(cast.ws) as now:
        code = codes.at(now)
    done = desk.post(where, {"code": code})
    assert (done.status_code, f"done={row.pk}" in done["Location"]) == (302, True)
    assert desk.client.session.session_key != key
    with workspace.within(cast.ws):
        vote = Decision.objects.get(kind="approve")
        used = StepUp.objects.get()
        assert (vote.person_id, vote.step_up_id) == (cast.id("ravi"), used.pk)
        assert used.session_sha256 == stepup.session_of(desk.client.session.session_key)
    again = desk.post(where, {"code": code})
    assert (again.status_code, "answered already" in text(again)) == (409, True)
    with workspace.within(cast.ws):
        assert Decision.objects.count() == 1


def test_htmx_is_sent_to_the_challenge_as_a_page(cast: Cast) -> None:
    row, desk = high(cast), sit_down(cast, "ravi")
    seen = {"revision": row.revision, "digest": row.digest}
    answer = desk.post(f"/proposals/{row.pk}/approve/", seen, HX_Request="true", HX_Target="desk")
    assert re.fullmatch(rf"/w/{cast.workspace.slug}/step-up/\d+/", answer["HX-Redirect"])
    assert answer.status_code == 200


def test_what_was_edited_meanwhile_is_not_approved_by_the_replay(cast: Cast) -> None:
    from approvals import revising

    row, codes, desk = high(cast), Codes(cast, "ravi"), sit_down(cast, "ravi")
    where = asked(desk, row)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        args = dict(row.revisions.get().args) | {"reason": "It leaks."}
        revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("mara"), args=args, now=now
        )
    with workspace.within(cast.ws) as now:
        code = codes.at(now)
    answer = desk.post(where, {"code": code})
    assert (answer.status_code, "edited meanwhile" in text(answer)) == (409, True)
    with workspace.within(cast.ws):
        assert not Decision.objects.filter(kind="approve").exists()


def test_who_lost_the_role_meanwhile_does_not_approve_by_the_replay(cast: Cast) -> None:
    row, codes, desk = high(cast), Codes(cast, "ravi"), sit_down(cast, "ravi")
    where = asked(desk, row)
    with workspace.within(cast.ws) as now:
        for role, active in ((Role.AUDITOR, True), (Role.REVIEWER, False)):
            staff.appoint(
                workspace=cast.workspace, person=cast.people["ravi"], role=role, active=active, actor="system:test",
                now=now,
            )  # fmt: skip
        code = codes.at(now)
    assert desk.post(where, {"code": code}).status_code == 403
    with workspace.within(cast.ws):
        assert not Decision.objects.exists()


def test_another_browser_of_the_same_person_cannot_answer(cast: Cast) -> None:
    row, codes = high(cast), Codes(cast, "ravi")
    where = asked(sit_down(cast, "ravi"), row)
    with workspace.within(cast.ws) as now:
        answer = sit_down(cast, "ravi").post(where, {"code": codes.at(now)})
    assert (answer.status_code, "another session" in text(answer)) == (409, True)
    assert sit_down(cast, "mara").get(where).status_code == 404


def test_after_five_minutes_the_page_says_so(cast: Cast) -> None:
    row, codes, desk = high(cast), Codes(cast, "ravi"), sit_down(cast, "ravi")
    where = asked(desk, row)
    with workspace.within(cast.ws) as now:
        made = stepup.challenge(
            workspace=cast.ws, person=cast.id("ravi"), ask=stepup.Ask("approve", "proposal:1", "a" * 64, "Approve"),
            session=stepup.session_of(desk.client.session.session_key), now=now - timedelta(minutes=6),
        )  # fmt: skip
        code = codes.at(now)
    for answer in (desk.get(f"/step-up/{made.pk}/"), desk.post(f"/step-up/{made.pk}/", {"code": code})):
        assert (answer.status_code, "five minutes" in text(answer)) == (409, True)
        assert "You were about to" in text(answer)
    assert desk.post(where, {"code": code}).status_code == 302


def test_a_password_does_not_do_on_high_tier_and_the_page_leads_to_the_set_up(cast: Cast) -> None:
    desk = sit_down(cast, "ravi")
    where = asked(desk, high(cast))
    page = text(desk.get(where))
    assert ("/accounts/2fa/" in page, 'name="password"' in page, 'name="code"' in page) == (True, False, False)
    assert desk.post(where, {"password": PASSWORD}).status_code == 422
    with workspace.within(cast.ws):
        assert not Decision.objects.exists()


def test_odd_answers_are_no_error(cast: Cast) -> None:
    row, _, desk = high(cast), Codes(cast, "ravi"), sit_down(cast, "ravi")
    where = asked(desk, row)
    for body in ({}, {"code": "\u0660" * 6}, {"code": "x" * 5_000}, {"passkey": "{}"}, {"passkey": "[" * 5_000}):
        assert desk.post(where, body).status_code in (404, 422), body


def test_a_token_cannot_approve_on_high_tier(cast: Cast) -> None:
    row = high(cast)
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        _, secret = tokens.make(
            workspace=cast.workspace, person=cast.people["ravi"], name="x", scopes=["decide", "cases:read"], now=now
        )
    answer = Client().post(
        f"/w/{cast.workspace.slug}/api/proposals/{row.pk}/approve/", {"revision": 1, "digest": row.digest},
        content_type="application/json", headers={"Authorization": f"Bearer {secret}"},
    )  # fmt: skip
    assert (answer.status_code, "in the browser" in answer.json()["detail"]) == (403, True)
    with workspace.within(cast.ws):
        assert not Decision.objects.exists()
        assert not StepUp.objects.exists()


def test_both_of_two_people_prove_it_and_the_second_makes_the_quorum(cast: Cast) -> None:
    row = high(cast)
    for name, state in (("ravi", "pending"), ("mara", "approved")):
        codes, desk = Codes(cast, name), sit_down(cast, name)
        where = asked_again(desk, row)
        with workspace.within(cast.ws) as now:
            code = codes.at(now)
        assert desk.post(where, {"code": code}).status_code == 302
        assert steps.fresh(cast, row).state == state


def asked_again(desk: Desk, row: Proposal) -> str:
    return str(desk.decide(row, "approve")["Location"]).removeprefix(f"/w/{desk.cast.workspace.slug}")


def test_what_was_written_is_shown_once_the_tries_are_over(cast: Cast) -> None:
    """To be copied: starting again leads to the bare item."""
    row, desk, words = high(cast), sit_down(cast, "ravi"), "The bank bore it out by telephone."
    Codes(cast, "ravi")
    where = asked(desk, row, overwrite_reason=words)
    assert words not in text(desk.get(where))
    pages = [text(desk.post(where, {"code": "000000x"})) for _try in range(stepup.TRIES)]
    assert [words in page for page in pages] == [False] * (stepup.TRIES - 1) + [True]
    assert "You had written" in text(desk.get(where))
    assert words not in text(sit_down(cast, "ravi").get(where))  # another browser

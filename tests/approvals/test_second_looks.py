"""Second looks: what is drawn, who may take one, what they see, and that nothing moves for it."""

import hashlib
import json
import secrets
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

from agents.models import Run
from approvals import conversations, decisions, proposals, revising
from approvals.blind import answering, drawing
from approvals.models import Proposal, SecondLook
from approvals.state import Kind
from audit.models import Entry
from portal import workspace
from portal.models import Ticket
from tests import furnished
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in


def propose(cast: Cast, *, version: str = "", words: str = "Where is my kettle?") -> Proposal:
    """An agent's of some version."""
    target = steps.ticket(cast, text=words)
    run: Run = steps.begin_run(cast, target)
    with signed_in("agents"), workspace.within(cast.ws):
        made = proposals.submit(
            workspace=cast.ws, case=run.case_id, kind="action", proposer="agent:triage", run=f"run:{run.pk}",
            key=secrets.token_hex(4), proposer_version=version,
            payload={
                "action": "ticket.update", "target": target, "args": {"priority": "P1", "queue": "refunds_returns"},
                "confidence": 0.9, "justification": "It is urgent.", "flags": [],
                "evidence": [{"claim": "It is about this", "source": target, "quote": "kettle"}],
            },
        )  # fmt: skip
    steps.pass_gate(cast, made)
    with workspace.within(cast.ws):
        return Proposal.objects.get(submission=made)


def looks(cast: Cast) -> list[SecondLook]:
    with workspace.within(cast.ws):
        rows = SecondLook.objects.filter(workspace=cast.workspace)
        return list(rows.select_related("proposal").order_by("pk"))


def drawn(cast: Cast, by: str = "rosa") -> SecondLook:
    """One that was approved and drawn."""
    row = propose(cast, version=secrets.token_hex(4))
    steps.approve(cast, row, by)
    return looks(cast)[-1]


def offered(cast: Cast, name: str, later: timedelta = timedelta()) -> list[int]:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return [row.pk for row in answering.waiting(cast.ws, cast.id(name), now + later)]


def test_one_of_twenty_is_drawn_by_its_digest_alone() -> None:
    digests = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(20_000)]
    share = sum(map(drawing.drawn, digests)) / len(digests)
    print(f"\n{share:.2%} of {len(digests):,} digests drawn")
    assert 0.045 < share < 0.055
    assert [drawing.drawn(one) for one in digests] == [drawing.drawn(one) for one in digests]


def test_the_first_twenty_approvals_of_a_new_version_are_drawn(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "FIRST_OF_VERSION", 3)
    monkeypatch.setattr(drawing, "drawn", lambda digest: False)
    cast = gather()
    rows = [propose(cast, version=version) for version in ("1", "1", "1", "1", "2", "", "2")]
    for row in rows:
        steps.approve(cast, row, "rosa")
    assert [(look.proposal_id, look.version, look.why) for look in looks(cast)] == [
        (row.pk, version, "new_version")
        for row, version in zip([*rows[:3], rows[4], rows[6]], ("1", "1", "1", "2", "2"), strict=True)
    ]
    assert drawing.ONE_OF == 20


def test_of_what_was_approved_or_rejected_a_share_is_drawn_once(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were approvals drawn alone, whoever looks again would know what was decided."""
    monkeypatch.setattr(drawing, "drawn", lambda digest: True)
    cast = gather()
    for verb, more in ((decisions.approve, {}), (decisions.reject, {"reason": "other", "note": ""})):
        row = propose(cast)
        with workspace.within(cast.ws, cast.id("mara")) as now:
            who: dict[str, Any] = {"workspace": cast.ws, "proposal": row.pk, "person": cast.id("mara"), "now": now}
            verb(seen=steps.seen(row), **who, **more)
            if verb is decisions.reject:
                decisions.reopen(seen=steps.seen(row), **who)
                verb(seen=steps.seen(row), **who, **more)
    assert [(look.decided, look.why) for look in looks(cast)] == [("approve", "share"), ("reject", "share")]
    monkeypatch.setattr(drawing, "drawn", lambda digest: False)
    steps.approve(cast, propose(cast), "rosa")
    assert len(looks(cast)) == 2


def test_who_had_a_part_in_it_is_not_asked(live: None) -> None:
    cast = gather()
    look = drawn(cast, by="rosa")
    assert offered(cast, "rosa") == []
    assert offered(cast, "ravi") == offered(cast, "mara") == [look.pk]
    assert offered(cast, "ravi", timedelta(days=13)) == [look.pk]
    assert offered(cast, "ravi", timedelta(days=15)) == []
    rosa = sit_down(cast, "rosa")
    assert rosa.get(f"/second-looks/{look.pk}/").status_code == 403
    assert rosa.post(f"/second-looks/{look.pk}/answer/", {"verdict": "approve"}).status_code == 403
    for name in ("ada", "odile"):
        assert sit_down(cast, name).get("/second-looks/").status_code == 403


@pytest.mark.parametrize(
    ("person", "signed", "state"),
    [("ravi", "ravi", ""), ("rosa", "rosa", "CS010"), ("ravi", "mara", "CS009"), ("odile", "odile", "CS009")],
)
def test_nor_past_every_check_of_ours(live: None, person: str, signed: str, state: str) -> None:
    cast = gather()
    look = drawn(cast, by="rosa")
    got = ""
    try:
        with workspace.within(cast.ws, cast.id(signed)), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE approvals_secondlook SET verdict = 'reject', person_id = %s, answered_at = now() WHERE id = %s",
                [cast.id(person), look.pk],
            )
    except DatabaseError as error:
        got = str(getattr(error.__cause__, "sqlstate", ""))
    assert got == state


def test_it_is_shown_as_it_was_and_not_how_it_was_decided(live: None) -> None:
    cast = gather()
    look = drawn(cast, by="rosa")
    done = steps.apply(cast, look.proposal)
    assert done.state == "applied"
    with workspace.within(cast.ws) as now:
        ticket = done.target.removeprefix("ticket:")
        outside = Ticket.objects.get(ticket_id=ticket).external_id
        conversations.receive(
            workspace=cast.ws,
            ticket=outside,
            external_id="m",
            text="Thank you, it works!",
            actor="system:test",
            now=now,
        )
    page = text(sit_down(cast, "ravi").get(f"/second-looks/{look.pk}/")).partition("<main")[2]
    assert "What changes" in page
    assert 'Where is my <mark id="cited-0"' in page  # the passage that is cited
    assert "Thank you, it works!" not in page
    assert cast.people["rosa"].name not in page
    assert "P1 · open" not in page  # what it was changed to
    assert f"/proposals/{done.pk}/" not in page


def test_an_answer_moves_nothing_and_stays(live: None) -> None:
    cast = gather()
    look = drawn(cast)
    ravi = sit_down(cast, "ravi")
    before = furnished.prints(cast)
    path = f"/second-looks/{look.pk}/answer/"
    for form, words in (({}, "approve or reject"), ({"verdict": "reject"}, "choose why"), ({"verdict": "x"}, "would")):
        answer = ravi.post(path, form)
        assert answer.status_code == 422
        assert words in text(answer).lower()
    said = {"verdict": "reject", "reason": "wrong_value", "note": "P2 would do."}
    assert ravi.post(path, said).status_code == 302
    after = furnished.prints(cast)
    changed = {table for table in before if before[table] != after[table]}
    assert {"approvals_secondlook", "audit_entry"} <= changed <= {
        "approvals_secondlook", "audit_entry", "audit_payload", "audit_subjectkey"
    }  # fmt: skip
    assert ravi.post(path, said).status_code == 403
    assert sit_down(cast, "mara").post(path, said).status_code == 403
    assert offered(cast, "mara") == []
    with workspace.within(cast.ws):
        (entry,) = Entry.objects.filter(workspace_id=cast.ws, event="second_look.answered")
    told = json.loads(entry.canonical)["body"]
    assert (told["decided"], told["verdict"], told["reason"]) == ("approve", "reject", "wrong_value")
    assert "P2 would do" not in entry.canonical


def test_agreement_is_told_and_disagreements_are_cases_to_evaluate_on(live: None) -> None:
    cast = gather()
    for verdict in ("approve", "approve", "reject"):
        look = drawn(cast)
        form = {"verdict": verdict, "reason": "wrong_value", "note": "P2 would do." if verdict == "reject" else ""}
        assert sit_down(cast, "ravi").post(f"/second-looks/{look.pk}/answer/", form).status_code == 302
    page = text(sit_down(cast, "mara").get("/considered/"))
    assert "67%" in page
    assert "P2 would do." in page
    assert "P2 would do." not in text(sit_down(cast, "rosa").get("/considered/"))
    out = StringIO()
    call_command("disagreements", workspace=cast.workspace.slug, stdout=out)
    (case,) = (json.loads(line) for line in out.getvalue().splitlines())
    assert (case["agent"], case["decided"], case["second"], case["reason"]) == (
        "triage", "approve", "reject", "wrong_value"
    )  # fmt: skip
    assert case["text"] == "Where is my kettle?"
    assert case["args"] == {"priority": "P1", "queue": "refunds_returns"}
    with workspace.within(cast.ws):
        (entry,) = Entry.objects.filter(workspace_id=cast.ws, event="second_look.exported")
    assert json.loads(entry.canonical)["body"] == {"cases": 1}
    print("\n3 looked at again, 2 of them the same, 1 case")


def test_what_people_rejected_or_edited_of_an_agent_are_cases_with_their_reasons(live: None) -> None:
    cast = gather()
    no, edited, fine, gone = (propose(cast, version="2") for _ in range(4))
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=no.pk, seen=steps.seen(no), person=cast.id("rosa"), reason="wrong_value",
            note="P2 would do.", now=now,
        )  # fmt: skip
        revising.edit(
            workspace=cast.ws, proposal=edited.pk, seen=steps.seen(edited), person=cast.id("rosa"),
            args={"priority": "P2", "queue": "fees_billing"}, now=now,
        )  # fmt: skip
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=gone.pk, seen=steps.seen(gone), person=cast.id("ravi"), reason="other", note="",
            now=now,
        )  # fmt: skip
    again = steps.seen(steps.fresh(cast, gone))
    with workspace.within(cast.ws, cast.id("mara")) as now:
        decisions.reopen(workspace=cast.ws, proposal=gone.pk, seen=again, person=cast.id("mara"), now=now)
    for row in (edited, fine):
        steps.approve(cast, row, "ravi")
        steps.apply(cast, row)
    out = StringIO()
    call_command("disagreements", "--of", "decisions", workspace=cast.workspace.slug, stdout=out)
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["id"], first["decided"], first["reason"], first["note"], first["golden"]) == (
        f"proposal-{no.pk}", "reject", "wrong_value", "P2 would do.", None
    )  # fmt: skip
    assert (first["args"], first["corrected"]) == ({"priority": "P1", "queue": "refunds_returns"}, None)
    assert (second["decided"], second["state"], second["args"]["priority"]) == ("edit", "applied", "P1")
    assert second["corrected"] == {"priority": "P2", "queue": "fees_billing"}
    assert second["golden"] == {
        "id": f"proposal-{edited.pk}", "text": "Where is my kettle?", "queue": "fees_billing", "priority": "P2",
        "source": "own",
    }  # fmt: skip
    with workspace.within(cast.ws):
        (entry,) = Entry.objects.filter(workspace_id=cast.ws, event="decision.exported")
    assert json.loads(entry.canonical)["body"] == {"cases": 2}


def test_only_what_was_decided_can_be_drawn(live: None) -> None:
    cast = gather()
    row = propose(cast)
    with pytest.raises(DatabaseError) as refused, workspace.within(cast.ws) as now:
        drawing.place(row, Kind.APPROVE, why=SecondLook.Why.SHARE, now=now)
    assert refused.value.__cause__.sqlstate == "CS008"  # type: ignore[union-attr]

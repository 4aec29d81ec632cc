"""The report of a write: what it tells to whom, as a page and as JSON, and that it can be checked without us."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from approvals import decisions, looks, revising
from approvals.models import Proposal
from approvals.reports import Report
from audit import sealing
from audit.models import Checkpoint, Entry, Payload
from portal import pages, workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.approvals.reading import missing, strings
from tests.audit import outsider
from tests.audit.seals import SIGNER
from tests.cast import Cast, gather
from tests.conftest import sign_in, signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def seal() -> None:
    with signed_in("sealer"):
        sealer = sealing.Sealer(SIGNER)
        while sealer.step():
            pass


def refund(cast: Cast, **more: Any) -> Proposal:
    order, target = steps.order(cast), steps.ticket(cast, customer="cu-1")
    args = steps.refund_args(order)
    return steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds", **more)


def update(cast: Cast, priority: str = "P1", **more: Any) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": priority}, **more)


def report(desk: Desk, row: Proposal) -> dict[str, Any]:
    answer = desk.get(f"/reports/{row.pk}.json")
    assert answer.status_code == 200, text(answer)
    return dict(json.loads(answer.content))


def test_a_report_tells_who_asked_what_changed_why_and_who_decided_after_how_long(cast: Cast) -> None:
    row, rosa = update(cast), sit_down(cast, "rosa")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        mark = looks.mark(
            proposal=row.pk, revision=1, digest=row.digest, person=cast.id("rosa"), now=now - timedelta(seconds=75)
        )  # fmt: skip
    assert rosa.decide(row, "approve", look=mark).status_code == 302
    steps.apply(cast, row)
    told = report(rosa, row)
    assert told["schema"] == "countersign.report.v1"
    assert told["asked"]["who"] == "Triage agent"
    assert told["changes"]["fields"] == [{"name": "priority", "label": "Priority", "before": "P3", "after": "P1"}]
    assert told["changes"]["written"] == "Exactly what was approved was written, byte for byte."
    assert (told["outcome"]["state"], told["outcome"]["words"]) == ("Done", "It was carried out.")
    (rule,) = [one for one in told["allowed"]["rules"] if one["kind"] == "threshold"]
    assert (rule["name"], rule["version"]) == ("ticket-update", "1")
    assert "one person decides" in rule["words"]
    (act,) = told["people"]
    assert (act["who"], act["role"], act["words"], act["digest"]) == (
        "Rosa Lindqvist", "reviewer", "approved it", row.digest,
    )  # fmt: skip
    assert 75 <= act["seconds"] <= 90


def test_the_page_shows_every_fact_of_the_json(cast: Cast) -> None:
    row, mara = refund(cast), sit_down(cast, "mara")
    steps.approve(cast, row, "rosa")
    steps.apply(cast, row)
    seal()
    told, page = report(mara, row), text(mara.get(f"/reports/{row.pk}/"))
    assert missing(told, page) == []
    assert len(list(strings(told))) > 30
    assert missing({"outcome": "It was never done."}, page) == ["It was never done."]


def test_the_form_of_the_json_is_what_v1_says() -> None:
    """A change here is a v2, unless it only adds a name."""
    shape = {name: sorted(form["properties"]) for name, form in Report.model_json_schema()["$defs"].items()}
    assert shape == {
        "Act": sorted("entry at who role words revision digest seconds present note edits".split()),
        "Allowed": sorted("people reasons rules flags confidence_pct hold_seconds".split()),
        "Asked": sorted("who actor version run at because".split()),
        "Back": sorted("proposal state words href".split()),
        "Changed": sorted("name label before after".split()),
        "Changes": sorted("digest erased fields effects written".split()),
        "Cited": sorted("claim source where quote version readable href".split()),
        "Effect": sorted("title facts text".split()),
        "Flag": ["label", "meaning"],
        "Kept": ["at", "where"],
        "Outcome": sorted("state words because at who outside".split()),
        "Proof": ["entries", "words"],
        "Proved": sorted("entry words at part digest seal href".split()),
        "Rule": sorted("kind name version words".split()),
        "Seal": sorted("index origin size root at anchors".split()),
        "Subject": sorted("proposal revision action title summary target case case_title tier href".split()),
        "Undo": sorted("words undoes by".split()),
    }
    assert sorted(Report.model_json_schema()["properties"]) == sorted(
        "schema as_of workspace subject outcome asked changes allowed evidence people undo proof".split()
    )


def test_every_entry_of_a_report_is_proved_to_an_outsider(cast: Cast) -> None:
    row, odile = refund(cast), sit_down(cast, "odile")
    steps.approve(cast, row, "rosa")
    steps.apply(cast, row)
    assert {one["seal"] for one in report(odile, row)["proof"]["entries"]} == {None}
    seal()
    proved = report(odile, row)["proof"]["entries"]
    assert {"asked", "approval", "outcome"} <= {one["part"] for one in proved}
    for one in proved:
        entry = odile.get(f"/audit/entries/{one['entry']}/entry.json").content
        proof = odile.get(f"/audit/entries/{one['entry']}/entry.tlog-proof").content.decode()
        accepted = outsider.check(entry, proof, str(SIGNER.verifier))
        assert (accepted.index, accepted.size, accepted.root.hex()) == (
            one["seal"]["index"], one["seal"]["size"], one["seal"]["root"],
        )  # fmt: skip
        with pytest.raises(outsider.Refused):
            outsider.check(entry.replace(b"approved", b"rejected", 1) + b" ", proof, str(SIGNER.verifier))
    assert len(proved) >= 4


def test_a_proof_leads_to_a_checkpoint_that_is_kept_outside_as_soon_as_there_is_one(cast: Cast) -> None:
    row, odile = update(cast), sit_down(cast, "odile")
    seal()
    with workspace.within(cast.ws):
        entry = Entry.objects.get(subject=f"proposal:{row.pk}")
    (first,) = report(odile, row)["proof"]["entries"]
    assert first["seal"]["anchors"] == []
    update(cast)
    seal()
    sign_in("sealer")
    try:
        newest = Checkpoint.objects.order_by("-pk")[0]
        with connection.cursor() as cursor:
            cursor.execute(
                'INSERT INTO audit_anchor (checkpoint_id, "where", outcome, because)'
                " VALUES (%s, %s, %s, ''), (%s, %s, %s, '')",
                [newest.pk - 1, "directory:secret", "failed", newest.pk, "directory:secret", "kept"],
            )
    finally:
        sign_in("web")
    (then,) = report(odile, row)["proof"]["entries"]
    assert (then["seal"]["size"], [one["where"] for one in then["seal"]["anchors"]]) == (
        newest.size, ["a directory outside the database"],
    )  # fmt: skip
    assert "kept outside the database as well" in report(odile, row)["proof"]["words"]
    proof = odile.get(f"/audit/entries/{entry.pk}/entry.tlog-proof").content.decode()
    assert outsider.check(entry.canonical.encode(), proof, str(SIGNER.verifier)).size == newest.size
    assert "secret" not in text(odile.get(f"/reports/{row.pk}/"))


def test_an_unsealed_entry_has_no_proof_yet_and_says_so(cast: Cast) -> None:
    row, odile = update(cast), sit_down(cast, "odile")
    with workspace.within(cast.ws):
        entry = Entry.objects.get(subject=f"proposal:{row.pk}")
    answer = odile.get(f"/audit/entries/{entry.pk}/entry.tlog-proof")
    assert answer.status_code == 409
    assert "not under a signed checkpoint yet" in text(answer)
    assert "sealed yet" in text(odile.get(f"/reports/{row.pk}/"))


def test_an_entry_that_was_changed_in_the_tables_gets_no_proof(cast: Cast) -> None:
    row, odile = update(cast), sit_down(cast, "odile")
    seal()
    with workspace.within(cast.ws):
        entry = Entry.objects.get(subject=f"proposal:{row.pk}")
    _write_over(cast, entry, entry.canonical.replace("proposed", "approved"))
    try:
        answer = odile.get(f"/audit/entries/{entry.pk}/entry.tlog-proof")
        assert (answer.status_code, "was changed" in text(answer)) == (409, True)
    finally:  # the log of the session must be sound for who comes after
        _write_over(cast, entry, entry.canonical)


def _write_over(cast: Cast, entry: Entry, canonical: str) -> None:
    sign_in("owner")
    try:
        with workspace.within(cast.ws), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
            cursor.execute("UPDATE audit_entry SET canonical = %s WHERE id = %s", [canonical, entry.pk])
            cursor.execute("ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only")
    finally:
        sign_in("web")


def test_an_edit_is_told_with_what_it_changed(cast: Cast) -> None:
    row, rosa = update(cast, "P1"), sit_down(cast, "rosa")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=decisions.Seen(1, row.digest, 12), person=cast.id("rosa"),
            args={"priority": "P2"}, now=now,
        )  # fmt: skip
    (act,) = report(rosa, row)["people"]
    assert (act["words"], act["seconds"]) == ("edited it", 12)
    assert act["edits"] == [{"name": "", "label": "Priority", "before": "P1", "after": "P2"}]


@pytest.mark.parametrize(
    ("verb", "said", "state"),
    [
        ("reject", {"reason": "not_needed", "note": "Done by phone"}, "Rejected"),
        ("withdraw", {}, "Withdrawn"),
    ],
)
def test_what_was_never_carried_out_has_its_report_too(cast: Cast, verb: str, said: dict[str, str], state: str) -> None:
    row, mara = update(cast), sit_down(cast, "mara")
    mara.decide(row, verb, **said)
    told = report(mara, row)
    assert told["outcome"]["state"] == state
    assert "Nothing was changed" in told["outcome"]["words"]
    assert told["undo"]["words"] == "There is nothing to undo: nothing was changed."
    assert [act["note"] for act in told["people"]] == (["Not needed: Done by phone"] if said else [""])
    assert "What was asked for" in text(mara.get(f"/reports/{row.pk}/"))


def test_a_citation_that_the_reader_may_not_open_shows_nothing_of_it(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        pages.publish(
            workspace=cast.ws, slug="inner", title="Inner", actor="system:test", now=now,
            readers=("managers", "agents"),
            sentences=[pages.Sentence("IN-1", "Inner", "Kettles over 90 days go back by courtesy alone.")],
        )  # fmt: skip
    row = update(cast)
    with workspace.within(cast.ws):
        submission = Proposal.objects.get(pk=row.pk).submission
    cited = {"claim": "By courtesy", "source": "clause:IN-1", "version": 1, "quote": "by courtesy alone"}
    sign_in("owner")
    try:
        with workspace.within(cast.ws):
            type(submission).objects.filter(pk=submission.pk).update(
                payload={**submission.payload, "evidence": [cited]}
            )
    finally:
        sign_in("web")
    (shut,), (open_,) = report(sit_down(cast, "rosa"), row)["evidence"], report(sit_down(cast, "mara"), row)["evidence"]
    assert (shut["readable"], shut["claim"], shut["href"]) == (False, "", "")
    assert "courtesy" not in json.dumps(shut)
    assert (open_["readable"], open_["quote"]) == (True, "by courtesy alone")


def test_a_value_that_was_erased_says_so(cast: Cast) -> None:
    row, odile = update(cast), sit_down(cast, "odile")
    odile_page = f"/audit/entries/{_first(cast, row).pk}/"
    assert "erased" not in text(odile.get(odile_page))
    sign_in("owner")
    try:
        with workspace.within(cast.ws), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_payload DISABLE TRIGGER append_only")
            Payload.objects.filter(entry=_first(cast, row)).delete()
            cursor.execute("ALTER TABLE audit_payload ENABLE ALWAYS TRIGGER append_only")
    finally:
        sign_in("web")
    assert "erased" in text(odile.get(odile_page))


def _first(cast: Cast, row: Proposal) -> Entry:
    with workspace.within(cast.ws):
        return Entry.objects.get(subject=f"proposal:{row.pk}", version=1)


def test_an_erased_revision_is_told_as_erased_with_its_digest(cast: Cast) -> None:
    row = update(cast)
    sign_in("owner")
    try:
        with workspace.within(cast.ws), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE approvals_revision DISABLE TRIGGER append_only")
            empty = '{"changes":[],"effects":[]}'
            cursor.execute(
                "UPDATE approvals_revision SET nonce = '', content = %s WHERE proposal_id = %s", [empty, row.pk]
            )
            cursor.execute("ALTER TABLE approvals_revision ENABLE ALWAYS TRIGGER append_only")
    finally:
        sign_in("web")
    odile = sit_down(cast, "odile")
    changes = report(odile, row)["changes"]
    assert (changes["erased"], changes["fields"], changes["digest"]) == (True, [], row.digest)
    assert "The values were erased" in text(odile.get(f"/reports/{row.pk}/"))

"""The policies in the admin: to read, valid or not, and asked what they would decide."""

from pathlib import Path

import pytest

from approvals import policy, switches
from portal import workspace
from tests.api.calls import browser
from tests.cast import Cast, gather

ASKED = {
    "action": "refund.create", "agent": "refunds", "amount": "45.10", "currency": "EUR", "confidence_pct": "95",
    "classes": "money", "destination": "original", "owner_matches": "on", "destination_matches": "on",
}  # fmt: skip


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def page(cast: Cast, name: str = "ada", asked: dict[str, str] | None = None) -> str:
    answer = browser(cast, name).get(f"/w/{cast.workspace.slug}/admin/approvals/threshold/policy/", asked or {})
    return answer.content.decode() if answer.status_code == 200 else str(answer.status_code)


@pytest.mark.parametrize(("name", "sees"), [("ada", True), ("mara", True), ("odile", True), ("rosa", False)])
def test_files_version_and_rules_are_shown_to_whoever_reads_the_admin(cast: Cast, name: str, sees: bool) -> None:
    shown = page(cast, name)
    assert (policy.load().version in shown) is sees
    assert ("valid against its schema" in shown) is sees
    assert ("refund-goes-to-the-asking-customer" in shown) is sees


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "One person decides"), ({"amount": "700"}, "Nobody: a person does it instead"),
        ({"owner_matches": ""}, "The order does not belong to the customer who wrote."),
        ({"owner_matches": ""}, "Denied by policy"), ({"agent": "", "amount": "700"}, "Two people decide"),
        ({"currency": "CHF"}, "nobody: silence means two people"),
        ({"flags": "injection"}, "tier medium instead of low"),
        ({"amount": "4,5"}, "errorlist"), ({"confidence_pct": "101"}, "errorlist"),
    ],
)  # fmt: skip
def test_it_decides_as_the_gate_would(cast: Cast, change: dict[str, str], says: str) -> None:
    asked = {name: value for name, value in (ASKED | change).items() if value}
    assert says in page(cast, asked=asked)


def test_a_switch_goes_before_it(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        switches.throw(
            workspace=cast.ws, kind="halt", subject="refunds", reason="It paid twice", actor="system:test", now=now
        )
    assert "It paid twice" in page(cast, asked=ASKED)


def test_a_file_that_was_changed_or_does_not_hold_is_said(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in policy.FOLDER.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    monkeypatch.setattr(policy, "FOLDER", tmp_path)
    assert "valid against its schema" in page(cast)
    (tmp_path / "policies.cedar").write_text((tmp_path / "policies.cedar").read_text() + "// more\n")
    assert "it counts after a restart" in page(cast)
    (tmp_path / "policies.cedar").write_text("forbid (")
    assert "does not hold" in page(cast)

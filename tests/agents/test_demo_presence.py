"""The sample staff prove their presence as everybody does, and their codes are there for whoever tries the demo."""

import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from agents.demo import staffing, staging
from approvals import decisions
from approvals.models import Decision
from portal import factors, workspace
from portal.models import Person, StepUp
from tests.approvals import steps
from tests.approvals.test_second_wall import high
from tests.cast import gather


@pytest.fixture
def folder(tmp_path: Path, settings: object) -> Path:
    settings.VAR_DIR = tmp_path  # type: ignore[attr-defined]  # of the fixture
    return tmp_path


def test_the_staff_approve_on_high_tier_by_a_challenge_and_a_code(live: None, folder: Path) -> None:
    cast = gather()
    row = high(cast)
    secret = factors.give_codes(cast.people["ravi"])
    (folder / "one-time-secrets.json").write_text(json.dumps({"ravi": secret}))
    seen = decisions.Seen(row.revision, row.digest)
    for name, approved in (("mara", False), ("ravi", True)):
        with workspace.within(cast.ws, cast.id(name)) as now:
            assert staffing._approve(cast.ws, row.pk, name, cast.id(name), seen, now) is approved
    with workspace.within(cast.ws):
        vote = Decision.objects.get()
        assert (vote.person_id, StepUp.objects.get(pk=vote.step_up_id).method) == (cast.id("ravi"), "totp")
    second = high(cast)
    with workspace.within(cast.ws, cast.id("ravi")) as now:  # this half minute's code is used up
        seen = decisions.Seen(second.revision, second.digest)
        if factors.step_of(now) == staffing._shown[cast.id("ravi")]:
            assert not staffing._approve(cast.ws, second.pk, "ravi", cast.id("ravi"), seen, now)
    assert steps.fresh(cast, second).state == "pending"


def test_codes_are_handed_out_once_and_shown_by_the_command(live: None, folder: Path) -> None:
    mara = Person.objects.filter(email="mara@kestrel.example").first()
    made = mara or Person.objects.create_user("mara@kestrel.example", None, name="Mara")
    staging._hand_out_codes()
    path = folder / "one-time-secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    staging._hand_out_codes()
    assert (path.read_text(), factors.kinds(made.pk)) == (before, {"totp"})
    said, aside = StringIO(), StringIO()
    call_command("one_time_code", "mara@kestrel.example", stdout=said, stderr=aside)
    factors.spend_code(person=made.pk, code=said.getvalue().strip(), now=timezone.now())
    assert "counts once" in aside.getvalue()
    said = StringIO()
    call_command("one_time_code", "ravi@kestrel.example", "--json", stdout=said)
    assert set(json.loads(said.getvalue())) == {"code", "seconds_left"}
    with pytest.raises(CommandError, match="email: no sample person"):
        call_command("one_time_code", "rosa@kestrel.example")

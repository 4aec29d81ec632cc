"""Notes for the next shift that are more than a page shows."""

import pytest

from approvals import shifts
from portal import workspace
from tests.approvals.desk import sit_down, text
from tests.approvals.test_managing import propose
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_pages_say_that_they_show_the_newest_notes_of_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    case = propose(cast).case_id
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        for said in ("First.", "Second.", "Third."):
            shifts.leave(workspace=cast.ws, person=cast.id("rosa"), text=said, case=case, now=now)
    mara, pages = sit_down(cast, "mara"), ("/notes/", "/escalations/", f"/cases/{case}/")
    monkeypatch.setattr(shifts, "SHOWN", 3)
    assert all("are shown." not in text(mara.get(where)) for where in pages)
    monkeypatch.setattr(shifts, "SHOWN", 2)
    for where in pages:
        page = text(mara.get(where)).partition('<section class="timeline">')[0]
        assert "The newest 2 are shown." in page, where
        assert "Third." in page
        assert "First." not in page

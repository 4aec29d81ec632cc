"""What was written comes back with its refusal, on the page where it was written."""

from typing import Any

import pytest

from approvals.models import ShiftNote
from portal import workspace
from tests.approvals.desk import sit_down, text
from tests.approvals.test_managing import propose_handoff
from tests.approvals.test_second_looks import drawn
from tests.approvals.test_switches import throw
from tests.cast import Cast, gather

LONG = "<i>" + "x" * 600


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_the_name_of_a_view_that_is_refused_stands_in_its_open_form(cast: Cast) -> None:
    rosa, name = sit_down(cast, "rosa"), "Everything that is in French & dear to us all"
    page = text(rosa.post("/views/save/?tier=low&agent=triage", {"name": name, "shared": "1"}))
    assert '<details class="save" open>' in page
    assert 'value="Everything that is in French &amp; dear to us all"' in page
    assert 'name="shared" value="1" checked' in page
    assert '<details class="save" open>' in text(rosa.post("/views/save/?tier=low&agent=triage", {"name": " "}))
    for name in ("rosa", "ravi"):
        again = text(sit_down(cast, name).get("/?tier=low&agent=triage"))
        assert '<details class="save">' in again
        assert "in French" not in again


def test_the_reason_of_a_restoring_stands_beside_its_own_switch(cast: Cast) -> None:
    mara = sit_down(cast, "mara")
    for kind, subject in (("halt", "triage"), ("freeze", "refund.create")):
        throw(cast, kind, subject)
    page = text(mara.post("/switches/restore/", {"switch": "halt:triage", "reason": LONG}))
    assert page.count("&lt;i&gt;xxx") == 1
    assert page.index("&lt;i&gt;xxx") < page.index('id="throw"')
    restored = page[page.index("halt:triage") :]
    assert restored.index("&lt;i&gt;xxx") < restored.index("</form>")
    page = text(mara.post("/switches/throw/", {"switch": "halt:triage", "reason": "Again"}))
    assert page.count('value="Again"') == 1
    assert page.index('value="Again"') > page.index('id="throw"')


def test_the_note_of_a_second_look_that_is_somebody_elses_is_given_back(cast: Cast) -> None:
    look = drawn(cast, by="rosa")
    said = {"verdict": "reject", "reason": "other", "note": "The <kettle> was never theirs"}
    answer = sit_down(cast, "rosa").post(f"/second-looks/{look.pk}/answer/", said)
    assert answer.status_code == 403
    assert "You had written:" in text(answer)
    assert "The &lt;kettle&gt; was never theirs" in text(answer)
    assert "You had written:" not in text(sit_down(cast, "rosa").get(f"/second-looks/{look.pk}/"))


@pytest.mark.parametrize(("to", "status"), [("", 422), ("odile", 409)])
@pytest.mark.parametrize(
    ("back", "title"), [("escalations", "Escalations"), ("item", "Give to somebody"), ("", "Manage")]
)
def test_an_item_that_cannot_be_given_is_told_where_it_was_to_be_given(
    cast: Cast, back: str, title: str, to: str, status: int
) -> None:
    row = propose_handoff(cast)
    given: dict[str, Any] = {"item": f"handoff:{row.pk}", "to": cast.id(to) if to else "", "back": back}
    answer = sit_down(cast, "mara").post("/manage/assign/", given)
    assert answer.status_code == status
    page = text(answer)
    assert f"<title>{title} · Countersign</title>" in page
    assert '<p class="problem" role="alert">' in page
    assert sit_down(cast, "rosa").post("/manage/assign/", given).status_code == 403


@pytest.mark.parametrize("back", ["case", "escalations"])
def test_a_note_that_is_written_anew_leads_to_where_it_was_begun(cast: Cast, back: str) -> None:
    row, mara = propose_handoff(cast), sit_down(cast, "mara")
    about = {"case": row.case_id} if back == "case" else {}
    page = text(mara.post("/notes/leave/", {"text": LONG, "back": back, **about}))
    assert f'name="back" value="{back}"' in page[page.index('class="fields"') :]
    assert ("About <a" in page) is (back == "case")
    where = {"case": f"/cases/{row.case_id}/", "escalations": "/escalations/"}[back]
    assert mara.post("/notes/leave/", {"text": "Short", "back": back, **about})["Location"].endswith(where)
    assert 'value="elsewhere"' not in text(mara.post("/notes/leave/", {"text": LONG, "back": "elsewhere"}))
    with workspace.within(cast.ws):
        assert ShiftNote.objects.get().text == "Short"

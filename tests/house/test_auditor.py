"""An auditor reads and verifies all of it and changes nothing: every address of the product, posted to as one."""

import json
import re

import pytest

from approvals.models import Proposal
from audit.models import Entry
from portal import workspace
from tests import furnished
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.furnished import House
from tests.house.test_routes import BODIES, SEEN, bearer

pytestmark = pytest.mark.timeout(300)  # more than a thousand posts

# What is the person's own: a token, a proof of presence, what they took along and looked at, what they are told.
OWN_TABLES = {
    "portal_personaltoken", "portal_stepup", "audit_entry", "audit_payload", "audit_subjectkey", "portal_notice",
    "portal_noticechoice",
}  # fmt: skip
OWN_EVENTS = {"token.made", "token.revoked", "log.exported", "queue.exported", "item.seen"}
FORMS = [
    {},
    {"revision": "1", "reason": "other", "text": "Look again", "outcome": "Done", "name": "x", "scopes": "cases:read"},
    {"kind": "freeze", "subject": "", "reason": "test", "person": "1", "to": "1", "item": "", "format": "csv"},
    {"role": "reviewer", "email": "a@example.com", "stand_in": "1", "until": "2030-01-01T00:00", "series": "x"},
]


@pytest.fixture
def house(live: None) -> House:
    return furnished.furnish(gather())


def prints(cast: Cast) -> dict[str, str]:
    """A fingerprint of every table's rows of this workspace, but for what is one's own."""
    return {table: digest for table, digest in furnished.prints(cast).items() if table not in OWN_TABLES}


def entries(cast: Cast) -> set[tuple[str, str]]:
    with workspace.within(cast.ws):
        return set(Entry.objects.filter(workspace_id=cast.ws).values_list("actor", "event"))


def post_everywhere(house: House, name: str, part: str = "") -> dict[str, set[int]]:
    """Post to every address, with ids of rows that are there and forms that fit some of them; answers by route."""
    cast, client = house.cast, furnished.browser(house.cast, name)
    token = bearer(cast, name)
    with workspace.within(cast.ws):
        digests = {str(key): digest for key, digest in Proposal.objects.values_list("pk", "digest")}
    answers: dict[str, set[int]] = {}
    for route, rest in furnished.addresses(house.ids, most=2):
        if part not in route:
            continue
        path, key = f"/w/{cast.workspace.slug}/{rest}", re.search(r"proposals/(\d+)/", rest)
        seen = SEEN | {"digest": digests.get(key.group(1), "0" * 64) if key else "0" * 64}
        if rest.startswith("api/"):
            body = json.dumps({**BODIES.get(path.rstrip("/").rpartition("/")[2], {}), **seen})
            answer = client.post(path, body, content_type="application/json", headers=token)
            answers.setdefault(route, set()).add(answer.status_code)
            continue
        for form in FORMS:
            answers.setdefault(route, set()).add(client.post(path, {**seen, **form}).status_code)
    return answers


def test_an_auditor_posts_to_every_address_and_nothing_changes(house: House) -> None:
    cast, before = house.cast, prints(house.cast)
    known = entries(cast)
    answers = post_everywhere(house, "odile")
    assert len(answers) > 60
    broken = {route: codes for route, codes in answers.items() if max(codes) >= 500}
    assert broken == {}
    assert {table for table, digest in prints(cast).items() if digest != before[table]} == set()
    assert {event for actor, event in entries(cast) - known} <= OWN_EVENTS
    assert {actor for actor, _ in entries(cast) - known} <= {f"person:{cast.id('odile')}"}


def test_the_same_walk_by_a_manager_does_change_something(house: House) -> None:
    """Without this the walk above could be knocking at walls."""
    cast, before = house.cast, prints(house.cast)
    answers = post_everywhere(house, "mara", "proposals/") | post_everywhere(house, "mara", "handoffs/")
    changed = {table for table, digest in prints(cast).items() if digest != before[table]}
    assert {"approvals_proposal", "approvals_decision", "approvals_handoff"} <= changed, (changed, answers)


def test_an_auditor_reads_every_page_and_the_proof(house: House) -> None:
    cast, ids = house.cast, house.ids
    odile = sit_down(cast, "odile")
    for path in (
        "/", "/cases/", f"/cases/{ids['cases'][0]}/", f"/proposals/{ids['proposals'][0]}/",
        f"/reports/{ids['proposals'][0]}/", f"/reports/{ids['proposals'][0]}.json", "/audit/",
        f"/audit/entries/{ids['entries'][0]}/", f"/audit/entries/{ids['entries'][0]}/entry.json", "/policy/", "/admin/",
    ):  # fmt: skip
        assert odile.get(path).status_code == 200, path
    page = text(odile.get(f"/proposals/{ids['proposals'][0]}/"))
    assert ">Approve<" not in page
    assert ">Reject<" not in page

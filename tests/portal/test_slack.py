"""The channel in Slack: an admin's alone, its address unreadable, lines without anybody's words, nothing held up."""

import json
import ssl
import subprocess
import sys
import time as clock
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.urls import resolve

from audit.models import Entry, Payload, Unattributed
from portal import env, hours, notices, slack, tidings, workspace, worktime
from portal.models import Notice, SlackHook, SlackPost
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in
from tests.portal.test_egress import certificate, knows  # noqa: F401  # the fixture of a certificate
from tests.provider.process import ROOT

HOST = "desk.localhost"
ADDRESS = "https://hooks.slack.com/services/T00/B00/nobody-may-read-this"


@dataclass
class Slack:
    """A webhook that is served here."""

    port: int
    folder: Path

    @property
    def address(self) -> str:
        return f"https://{HOST}:{self.port}/services/T00/B00/nobody-may-read-this"

    def answers(self, mode: str) -> None:
        (self.folder / "mode").write_text(mode)

    def said(self) -> list[str]:
        """The texts that were taken."""
        lines = (self.folder / "said").read_text().splitlines() if (self.folder / "said").exists() else []
        return [json.loads(line.split(" ", 2)[2])["text"] for line in lines if line.split(" ", 2)[1] == "200"]


@pytest.fixture
def served(certificate: Path, tmp_path: Path) -> Iterator[Slack]:  # noqa: F811  # the fixture
    command = [sys.executable, "-m", "tests.portal.slack_server", str(certificate), str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Slack(int(process.stdout.readline()), tmp_path)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def cast(live: None, settings: Any) -> Cast:
    settings.PUBLIC_URL = "https://desk.example.com"
    return gather()


@pytest.fixture
def open_way(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:  # noqa: F811  # the fixture
    """The way out leads to this machine and believes its certificate; everything else of it is as it is."""
    real, trusting = slack.way, ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(env.read(), "slack_hosts", f"hooks.slack.com, {HOST}")
    monkeypatch.setattr(
        slack, "way",
        lambda *asked: replace(
            real(*asked), allow_private=True, tls=trusting, resolver=knows(["127.0.0.1"]), total_seconds=2.0
        ),
    )  # fmt: skip


def put_in(
    cast: Cast, address: str = ADDRESS, kinds: tuple[str, ...] = ("switch", "escalated"), on: bool = True, **manner: Any
) -> Any:
    with workspace.within(cast.ws, cast.id("ada")) as now:
        return slack.set_hook(
            workspace=cast.ws, on=on, kinds=kinds, address=address, actor=f"person:{cast.id('ada')}", now=now,
            manner=slack.Manner(**manner),
        )  # fmt: skip


def tell(
    cast: Cast, number: int, kind: Notice.Kind = Notice.Kind.ESCALATED, subject: str = "", **facts: Any
) -> None:  # fmt: skip
    with signed_in("apply"), workspace.within(cast.ws) as now:
        home = notices.house(workspace=cast.ws, now=now)
        notices.tell(notices.News(kind, f"entry:{number}", subject or f"proposal:{number}", frozenset(), facts), home)


def send(cast: Cast) -> int:
    with signed_in("apply"):
        return slack.send_due(cast.ws)


def posts(cast: Cast) -> list[SlackPost]:
    with signed_in("owner"), workspace.within(cast.ws):
        return list(SlackPost.objects.filter(workspace_id=cast.ws).order_by("pk"))


def make_due(cast: Cast) -> None:
    with signed_in("owner"), workspace.within(cast.ws) as now:
        SlackPost.objects.filter(workspace_id=cast.ws, look_at__isnull=False).update(look_at=now - timedelta(seconds=1))
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM portal_pace WHERE workspace_id = %s", [cast.ws])


def test_lines_of_the_kinds_that_were_chosen_come_once_in_words_with_a_link(
    cast: Cast, served: Slack, open_way: None
) -> None:
    put_in(cast, served.address)
    tell(cast, 1)
    tell(cast, 1)
    tell(cast, 2, Notice.Kind.SWITCH, "switch:freeze:contact.merge")
    tell(cast, 3, Notice.Kind.ASSIGNED)
    assert send(cast) == 2
    base = f"https://desk.example.com/w/{cast.workspace.slug}"
    assert served.said() == [
        f"A manager is called: <{base}/proposals/1/|proposal 1>\n"
        f"A switch was thrown: <{base}/switches/|switch freeze contact.merge>"
    ]
    assert send(cast) == 0
    assert [row.sent_at is not None and row.look_at is None for row in posts(cast)] == [True, True]


@pytest.mark.parametrize(("mode", "tries"), [("500", slack.MOST_TRIES), ("404", 1), ("302", slack.MOST_TRIES)])
def test_what_does_not_go_is_tried_some_times_and_what_is_refused_once(
    cast: Cast, served: Slack, open_way: None, mode: str, tries: int
) -> None:
    put_in(cast, served.address)
    tell(cast, 1)
    served.answers(mode)
    for number in range(1, slack.MOST_TRIES + 2):
        make_due(cast)
        assert send(cast) == 0
        assert posts(cast)[0].tries == min(number, tries)
    (row,) = posts(cast)
    assert (row.look_at, row.sent_at) == (None, None)
    assert "nobody-may-read-this" not in row.failure
    assert row.failure


def test_once_it_answers_again_what_waited_comes(cast: Cast, served: Slack, open_way: None) -> None:
    put_in(cast, served.address)
    tell(cast, 1)
    served.answers("500")
    assert send(cast) == 0
    served.answers("200")
    assert send(cast) == 0  # not before its time
    make_due(cast)
    tell(cast, 2)
    assert send(cast) == 2
    assert len(served.said()) == 1


def test_what_slack_asks_to_wait_is_waited(cast: Cast, served: Slack, open_way: None) -> None:
    put_in(cast, served.address)
    tell(cast, 1)
    served.answers("429")
    assert send(cast) == 0
    (row,) = posts(cast)
    assert row.look_at is not None
    assert row.look_at > row.created_at + timedelta(seconds=100)


def test_one_that_never_answers_ends_in_time(cast: Cast, served: Slack, open_way: None) -> None:
    put_in(cast, served.address)
    tell(cast, 1)
    served.answers("hang")
    before = clock.monotonic()
    assert send(cast) == 0
    assert clock.monotonic() - before < 6


def test_two_senders_at_once_post_a_line_once(cast: Cast, served: Slack, open_way: None) -> None:
    put_in(cast, served.address)
    tell(cast, 1)
    with signed_in("apply"), workspace.within(cast.ws) as now:
        assert len(slack._taken(cast.ws, now)) == 1
        assert slack._taken(cast.ws, now) == []


def test_a_channel_that_is_switched_off_hears_nothing_more(cast: Cast, served: Slack, open_way: None) -> None:
    put_in(cast, served.address)
    tell(cast, 1)
    put_in(cast, "", on=False, kinds=())
    tell(cast, 2)
    assert send(cast) == 0
    assert [row.failure for row in posts(cast)] == ["switched off"]
    put_in(cast, "")  # and back on, under the address that was set before
    tell(cast, 3)
    assert send(cast) == 1


def test_it_is_called_over_https_and_where_the_operator_says_alone(cast: Cast) -> None:
    for address, word in (
        ("http://hooks.slack.com/services/x", "https"), ("https://evil.example.com/services/x", "SLACK_HOSTS"),
        ("https://hooks.slack.com@evil.example.com/x", "address"), ("nonsense", "address"), ("", "first time"),
    ):  # fmt: skip
        with pytest.raises(slack.SlackError, match=word):
            put_in(cast, address)
    with pytest.raises(slack.SlackError, match="kinds"):
        put_in(cast, kinds=("no such",))
    with workspace.within(cast.ws):
        assert not SlackHook.objects.defer("sealed").exists()


def test_a_host_that_the_operator_takes_off_the_list_is_not_called_any_more(
    cast: Cast, served: Slack, open_way: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(cast, served.address)
    tell(cast, 1)
    monkeypatch.setattr(env.read(), "slack_hosts", "hooks.slack.com")
    assert send(cast) == 0
    assert "SLACK_HOSTS" in posts(cast)[0].failure
    assert served.said() == []


def test_the_address_is_sealed_and_nobody_but_apply_opens_it(cast: Cast) -> None:
    put_in(cast)
    with pytest.raises(DatabaseError) as refused, workspace.within(cast.ws, cast.id("ada")):
        SlackHook.objects.values_list("sealed", flat=True).get()
    assert refused.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]
    with workspace.within(cast.ws):
        assert not any("nobody-may-read" in entry.canonical for entry in Entry.objects.all())
        assert not any("nobody-may-read" in str(row.value) for row in Payload.objects.all())
        (entry,) = Entry.objects.filter(event="slack.set")
        assert entry.actor == f"person:{cast.id('ada')}"
        assert not Unattributed.objects.exists()
    with signed_in("apply"):
        assert slack._opened(cast.ws) == ADDRESS
    other = gather()
    with signed_in("owner"), workspace.within(other.ws) as now:
        sealed = SlackHook.objects.get(workspace_id=cast.ws).sealed
    with workspace.within(other.ws) as now:
        SlackHook.objects.create(
            workspace=other.workspace, kinds=["switch"], sealed=sealed, key_id="x", made_by="system:test",
            created_at=now,
        )  # fmt: skip
    with signed_in("apply"), pytest.raises(Exception, match="another system or address"):
        slack._opened(other.ws)


def test_an_admin_sets_it_in_the_browser_and_never_sees_the_address_again(cast: Cast) -> None:
    ada, page = sit_down(cast, "ada"), "/admin/portal/slackhook/"
    assert ada.post(f"{page}add/", {"on": "on", "kinds": ["switch"], "address": "http://x"}).status_code == 200
    assert ada.post(f"{page}add/", {"on": "on", "kinds": ["switch"], "address": ADDRESS}).status_code == 302
    assert ada.post(f"{page}add/", {"on": "on", "kinds": ["dead"]}).status_code == 302
    shown = text(ada.get(page)) + text(ada.get(f"{page}add/"))
    with workspace.within(cast.ws):
        rows = list(SlackHook.objects.defer("sealed").order_by("version"))
    assert [(row.version, row.kinds, bool(row.key_id)) for row in rows] == [(1, ["switch"], True), (2, ["dead"], False)]
    shown += text(ada.get(f"{page}{rows[1].pk}/change/"))
    assert "nobody-may-read-this" not in shown
    assert "Work ended its worker" in shown
    for name, status in (("mara", 403), ("rosa", 404)):
        assert sit_down(cast, name).post(f"{page}add/", {"on": "on", "address": ADDRESS}).status_code == status


def quiet_now(hours: int = 2) -> dict[str, time]:
    """Quiet hours in UTC around this moment."""
    now = datetime.now(UTC)
    return {"quiet_from": (now - timedelta(hours=1)).time(), "quiet_until": (now + timedelta(hours=hours)).time()}


def test_in_quiet_hours_only_what_is_urgent_is_posted_and_the_rest_together_when_they_end(
    cast: Cast, served: Slack, open_way: None
) -> None:
    put_in(cast, served.address, ("switch", "escalated", "turned"), **quiet_now())
    tell(cast, 1)
    tell(cast, 2, Notice.Kind.TURNED, state="stale")
    assert send(cast) == 0
    tell(cast, 3, Notice.Kind.SWITCH, "switch:freeze:contact.merge")
    tell(cast, 4, Notice.Kind.TURNED, state="unknown")
    assert send(cast) == 2
    assert ["proposal 4" in said and "A switch was thrown" in said for said in served.said()] == [True]
    held = [row.look_at - row.created_at for row in posts(cast) if row.look_at is not None]
    assert [timedelta(hours=1) < wait <= timedelta(hours=2) for wait in held] == [True, True]
    assert {row.tries for row in posts(cast) if row.look_at is not None} == {0}
    put_in(cast, "", ("switch", "escalated", "turned"))
    make_due(cast)
    assert send(cast) == 2
    assert len(served.said()) == 2


def test_a_channel_that_follows_the_working_hours_waits_for_the_desk_to_open(
    cast: Cast, served: Slack, open_way: None
) -> None:
    put_in(cast, served.address, in_hours=True)
    tell(cast, 1)
    assert send(cast) == 1, "a desk without hours never closes"
    tomorrow = worktime.DAYS[(datetime.now(UTC) + timedelta(days=2)).weekday()]
    with workspace.within(cast.ws, cast.id("ada")) as now:
        hours.set_hours(
            workspace=cast.workspace, time_zone="UTC", hours={tomorrow: ["09:00", "17:00"]}, closed_on=[],
            actor="system:test", now=now,
        )  # fmt: skip
    tell(cast, 2)
    assert send(cast) == 0
    (held,) = [row for row in posts(cast) if row.look_at is not None]
    assert held.look_at is not None
    assert (held.look_at.hour, held.look_at.minute) == (9, 0)


def test_what_is_posted_is_in_the_channels_language(cast: Cast, served: Slack, open_way: None) -> None:
    put_in(cast, served.address, language="de")
    tell(cast, 1)
    assert send(cast) == 1
    (said,) = served.said()
    assert said.startswith("Eine Führungskraft wird gerufen: ") or "Vorschlag 1" in said


def test_an_admin_sets_quiet_hours_and_language_in_the_browser(cast: Cast) -> None:
    ada, page = sit_down(cast, "ada"), "/admin/portal/slackhook/"
    said = {"on": "on", "kinds": ["switch"], "address": ADDRESS, "language": "de", "in_hours": "on"}
    for wrong in (
        {"quiet_from": "19:00"}, {"quiet_from": "19:00", "quiet_until": "19:00"}, {"quiet_from": "25:00"},
        {"language": "xx"},
    ):  # fmt: skip
        assert ada.post(f"{page}add/", {**said, **wrong}).status_code == 200
    assert ada.post(f"{page}add/", {**said, "quiet_from": "19:00", "quiet_until": "7:30"}).status_code == 302
    with workspace.within(cast.ws):
        row = slack.in_force(cast.ws)
        assert row is not None
        assert (row.language, row.quiet_from, row.quiet_until, row.in_hours) == ("de", time(19), time(7, 30), True)
        (entry,) = Entry.objects.filter(event="slack.set")
    assert '"quiet_from":"19:00"' in entry.canonical
    assert "19:00 – 07:30" in text(ada.get(page))
    begun = text(ada.get(f"{page}add/"))
    assert 'value="07:30"' in begun
    assert '<option value="de" selected>' in begun


def test_every_place_a_line_leads_to_is_a_page(cast: Cast) -> None:
    for subject in (
        "proposal:1",
        "handoff:1",
        "switch:halt:x",
        "work:a.b:1",
        "loosening:1",
        "vault:1",
        "seal:9",
        "odd:1",
    ):
        assert resolve(f"/{tidings.place(subject)}", "portal.workspace_urls").url_name
    assert set(tidings.TO_ONE) == set(tidings.TO_ALL) == set(Notice.Kind.values)

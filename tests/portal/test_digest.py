"""The digest by mail: one a person at their hour, never in quiet hours, once, and with nothing a customer wrote."""

import json
import re
import socketserver
import threading
import time as time_module
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from portal import choices, digest, notices, workspace
from portal.env import mail_of
from portal.models import Notice, NoticeChoice, Person
from tests.cast import Cast, gather
from tests.conftest import signed_in

EARLY = timedelta(minutes=1)


@pytest.fixture
def cast(live: None, settings: Any) -> Cast:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.PUBLIC_URL = "https://desk.example.com"
    mail.outbox = []
    return gather()


def choose(cast: Cast, name: str = "rosa", **more: Any) -> NoticeChoice:
    """Mail at eight, as long as nothing else is said."""
    said: dict[str, Any] = {
        "channels": {}, "by_mail": True, "digest_at": ["08:00"], "quiet_from": None, "quiet_until": None, **more
    }  # fmt: skip
    with workspace.within(cast.ws, cast.id(name)) as now:
        return choices.save(workspace=cast.ws, person=cast.id(name), now=now, **said)


def tell(cast: Cast, number: int, *names: str, kind: notices.Kind = notices.Kind.ASSIGNED) -> None:
    with signed_in("apply"), workspace.within(cast.ws) as now:
        people = frozenset(cast.id(name) for name in names or ("rosa",))
        home = notices.house(workspace=cast.ws, now=now)
        notices.tell(notices.News(kind, f"entry:{number}", f"proposal:{number}", people), home)


def due(cast: Cast, name: str = "rosa") -> datetime | None:
    with workspace.within(cast.ws, cast.id(name)):
        return NoticeChoice.objects.get(person=cast.id(name)).mail_at


def send(cast: Cast, monkeypatch: pytest.MonkeyPatch, at: datetime) -> int:
    """What the round of that moment sends."""
    real = workspace.enter
    with monkeypatch.context() as patched, signed_in("apply"):
        patched.setattr(workspace, "enter", lambda *args, **more: real(*args, **more) and at)
        return digest.send_due(cast.ws, time_module.monotonic() + 30)


def test_one_mail_a_person_at_the_hour_with_all_that_is_unread(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(cast)
    for number in (1, 2):
        tell(cast, number)
    at = due(cast)
    assert at is not None
    assert at.astimezone(choices.zone(cast.people["rosa"].time_zone)).time() == time(8)
    assert send(cast, monkeypatch, at - EARLY) == 0
    assert send(cast, monkeypatch, at) == 1
    (one,) = mail.outbox
    assert one.to == [cast.people["rosa"].email]
    assert one.subject == "Kestrel & Pine: 2 notices"
    assert "Given to you: proposal 1\n" in one.body
    assert f"https://desk.example.com/w/{cast.workspace.slug}/proposals/2/" in one.body
    assert due(cast) is None
    assert send(cast, monkeypatch, at + EARLY) == 0


def test_a_german_gets_a_german_digest_and_the_others_an_english_one(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(cast)
    choose(cast, "ravi")
    Person.objects.filter(pk=cast.id("rosa")).update(language="de")
    tell(cast, 1, "rosa", "ravi")
    with workspace.within(cast.ws, cast.id("rosa")):
        at = max(NoticeChoice.objects.values_list("mail_at", flat=True))
        NoticeChoice.objects.update(mail_at=at)
    assert send(cast, monkeypatch, at) == 2
    told = {one.to[0]: one for one in mail.outbox}
    german, english = told[cast.people["rosa"].email], told[cast.people["ravi"].email]
    assert german.subject == "Kestrel & Pine: 1 Hinweis"
    assert re.match(r"\d\d\. \w+\.?, \d\d:\d\d  Ihnen zugewiesen: Vorschlag 1\n", german.body)
    assert "Alle Hinweise: https://desk.example.com/" in german.body
    assert english.subject == "Kestrel & Pine: 1 notice"
    assert re.match(r"\d\d [A-Z][a-z]{2}, \d\d:\d\d  Given to you: proposal 1\n", english.body)


def test_what_was_read_or_mailed_already_is_in_no_later_mail(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(cast)
    tell(cast, 1)
    send(cast, monkeypatch, due(cast))  # type: ignore[arg-type]
    tell(cast, 2)
    tell(cast, 3)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        read = Notice.objects.get(subject="proposal:2")
        notices.read(workspace=cast.ws, person=cast.id("rosa"), notice=read.pk, now=now)
    send(cast, monkeypatch, due(cast))  # type: ignore[arg-type]
    assert [("proposal 1" in one.body, "proposal 2" in one.body, "proposal 3" in one.body) for one in mail.outbox] == [
        (True, False, False), (False, False, True)
    ]  # fmt: skip


def test_in_quiet_hours_nothing_comes_and_what_waits_comes_after(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(cast, digest_at=["22:00"], quiet_from=time(19), quiet_until=time(7, 30))
    tell(cast, 1)
    at = due(cast)
    assert at is not None
    zone = choices.zone(cast.people["rosa"].time_zone)
    assert at.astimezone(zone).time() == time(7, 30)
    with workspace.within(cast.ws, cast.id("rosa")):  # as if it had been due in the night
        NoticeChoice.objects.update(mail_at=at - timedelta(hours=4))
    assert send(cast, monkeypatch, at - timedelta(hours=3)) == 0
    assert mail.outbox == []
    assert due(cast) == at
    assert send(cast, monkeypatch, at) == 1


@pytest.mark.parametrize(
    "said", [{"by_mail": False}, {"channels": {"assigned": "app"}}, {"channels": {"assigned": "none"}}]
)
def test_who_does_not_want_it_gets_none(cast: Cast, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]) -> None:
    choose(cast, **said)
    tell(cast, 1)
    with workspace.within(cast.ws) as now:
        later = now + timedelta(days=2)
    assert send(cast, monkeypatch, later) == 0
    with workspace.within(cast.ws, cast.id("rosa")):
        assert Notice.objects.count() == (0 if "none" in json.dumps(said) else 1)


def test_without_a_choice_everything_is_on_the_page_and_no_mail_leaves_the_house(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(cast, 1, "ravi")
    with workspace.within(cast.ws) as now:
        later = now + timedelta(days=2)
    assert send(cast, monkeypatch, later) == 0
    with workspace.within(cast.ws, cast.id("ravi")):
        assert Notice.objects.count() == 1


def test_who_has_left_gets_no_mail(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(cast)
    tell(cast, 1)
    at = due(cast)
    with workspace.within(cast.ws, cast.id("rosa")):
        Person.objects.filter(pk=cast.id("rosa")).update(is_active=False)
    assert at is not None
    assert send(cast, monkeypatch, at) == 0
    assert due(cast) is None


def test_a_mail_that_does_not_go_is_tried_again_and_after_some_times_waits_for_the_next_digest(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(cast)
    tell(cast, 1)
    first = at = due(cast)
    assert at is not None

    def refuse(*_: Any, **__: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(mail.EmailMessage, "send", refuse)
        for _ in range(digest.MOST_TRIES + 1):
            assert send(cast, monkeypatch, at) == 0
            at = due(cast)
            assert at is not None
    assert at >= first + timedelta(hours=20)
    assert send(cast, monkeypatch, at) == 1
    assert [one.extra_headers["Message-ID"][:9] for one in mail.outbox] == ["<notices."]


def test_two_senders_at_once_send_one_mail(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(cast)
    tell(cast, 1)
    at = due(cast)
    assert at is not None
    with signed_in("apply"), workspace.within(cast.ws):
        assert digest.take(workspace=cast.ws, now=at) is not None
        assert digest.take(workspace=cast.ws, now=at) is None


class Sink(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail takes."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.strip().upper()[:4]
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while (part := self.rfile.readline()) != b".\r\n":
                    self.server.mail.append(part)  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def smtp() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as server:
        server.mail = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_it_goes_by_smtp_where_email_url_leads(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Any, smtp: socketserver.ThreadingTCPServer
) -> None:
    found = mail_of(f"smtp://127.0.0.1:{smtp.server_address[1]}")
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = found.backend, found.host, found.port
    choose(cast)
    tell(cast, 1)
    assert send(cast, monkeypatch, due(cast)) == 1  # type: ignore[arg-type]
    sent = b"".join(smtp.mail).decode()  # type: ignore[attr-defined]
    assert "Subject: Kestrel & Pine: 1 notice" in sent
    assert "Auto-Submitted: auto-generated" in sent


def test_it_lies_in_a_folder_where_email_url_is_one(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    found = mail_of(f"file://{tmp_path}")
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = found.backend, found.folder
    choose(cast)
    tell(cast, 1)
    assert send(cast, monkeypatch, due(cast)) == 1  # type: ignore[arg-type]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp+tls://desk:p%40ss@mail.example.com", ("mail.example.com", 587, "desk", "p@ss", True, False)),
        ("smtps://mail.example.com:4650", ("mail.example.com", 4650, "", "", False, True)),
        ("smtp://localhost", ("localhost", 25, "", "", False, False)),
    ],
)
def test_an_address_of_mail_is_read(url: str, said: tuple[Any, ...]) -> None:
    found = mail_of(url)
    assert (found.host, found.port, found.user, found.password, found.tls, found.ssl) == said


@pytest.mark.parametrize("url", ["mail.example.com", "http://x", "smtp://", "smtps://a/b", "file://relative/path"])
def test_another_one_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="EMAIL_URL") as refused:
        mail_of(url + "?password=secret")
    assert "secret" not in str(refused.value)

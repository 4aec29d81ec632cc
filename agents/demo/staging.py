"""Puts the sample shop on stage, once per installation: people, books, thresholds, and what comes in."""

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from agents import intake
from agents.demo.cast import CAST, NEIGHBOUR, NEIGHBOUR_NAME, QUEUES, SHOP, SHOP_NAME, Member
from agents.sweeps import planning
from approvals import thresholds
from portal import factors, imports, staff, workspace
from portal.models import Person, Role, Workspace

CONTENT = Path(__file__).parent / "content"
HOLD_SECONDS = 20
ACTOR = "system:demo"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One line that comes in for an agent."""

    agent: str
    line: Mapping[str, Any]


def sign_ins() -> Path:
    """Where the sample people's passwords of this installation lie, mode 0600."""
    return Path(settings.VAR_DIR) / "sign-ins.json"


def one_time_secrets() -> Path:
    """Where the secrets of their one-time codes lie, mode 0600."""
    return Path(settings.VAR_DIR) / "one-time-secrets.json"


def stage(progress: Callable[[str], None]) -> int:
    """The shop's workspace id; makes both workspaces where they are not there yet."""
    try:
        shop = workspace.find(SHOP)
    except LookupError:
        shop = _make(progress)
    _hand_out_codes()
    return shop


def _make(progress: Callable[[str], None]) -> int:
    passwords = _passwords()
    with transaction.atomic():
        progress("making the workspaces and their people")
        _open(NEIGHBOUR, NEIGHBOUR_NAME, passwords)
        shop = _open(SHOP, SHOP_NAME, passwords)
        progress("importing the books")
        now = workspace.enter(shop.pk)
        imports.load(CONTENT, workspace=shop.pk, actor=ACTOR, now=now, progress=progress)
    return int(shop.pk)


def _open(slug: str, name: str, passwords: Mapping[str, str]) -> Workspace:
    made = staff.open_workspace(slug=slug, name=name, currency="EUR", queues=QUEUES)
    now = workspace.enter(made.pk)
    for member in (m for m in CAST if m.workspace == slug):
        staff.appoint(
            workspace=made,
            person=_person(member, passwords[member.key]),
            role=Role(member.role),
            actor=ACTOR,
            now=now,
        )
    thresholds.install(workspace=made.pk, actor=ACTOR, now=now, refund_hold_seconds=HOLD_SECONDS)
    thresholds.set_threshold(
        workspace=made.pk, series="contact-merge", actor=ACTOR, now=now, action="contact.merge", tier="high",
        people="two", second_role="manager", hold_seconds=HOLD_SECONDS,
    )  # fmt: skip
    return made


def _person(member: Member, password: str) -> Person:
    email = address(member)
    person = Person.objects.create_user(email, password, name=member.name, time_zone=member.time_zone)
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    return person


def address(member: Member) -> str:
    """The sample person's e-mail address."""
    return f"{member.key}@{member.workspace}.example"


def _passwords() -> dict[str, str]:
    return _kept(sign_ins(), lambda: {member.key: secrets.token_urlsafe(12) for member in CAST})


def secrets_of_codes() -> dict[str, str]:
    """The base32 secret of each sample person who has an authenticator app, by key; empty before `stage`."""
    path = one_time_secrets()
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _hand_out_codes() -> None:
    """As if they had set up an app: the secret is known, so that anybody may put it into theirs."""
    given = _kept(one_time_secrets(), lambda: {member.key: factors.new_secret() for member in CAST if member.codes})
    for member in (one for one in CAST if one.key in given):
        person = Person.objects.filter(email=address(member)).first()
        if person is not None and not factors.kinds(person.pk):
            factors.give_codes(person, given[member.key])


def _kept(path: Path, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Random per installation, kept where only its owner reads it."""
    if path.exists():
        return dict(json.loads(path.read_text()))
    made = make()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(made, file, indent=1)
    return made


def arrivals() -> list[Arrival]:
    """Everything that comes in, in order: a contact after every second ticket while both last."""
    tickets = [Arrival(line.pop("agent"), line) for line in _lines("tickets.jsonl")]
    contacts = [Arrival("contacts", line) for line in _lines("contacts.jsonl")]
    mixed: list[Arrival] = []
    while tickets or contacts:
        mixed += tickets[:2] + contacts[:1]
        del tickets[:2], contacts[:1]
    return mixed


def _lines(name: str) -> Iterator[dict[str, Any]]:
    for line in (CONTENT / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def receive(shop: int, arrival: Arrival) -> intake.Taken:
    """One arrival through the same intake as in service."""
    with workspace.within(shop) as now:
        return intake.take_in(workspace=shop, agent=arrival.agent, line=arrival.line, actor=ACTOR, now=now)


def sweep(shop: int) -> None:
    """Go over the contacts that came in so far, as the night would; nothing where that is under way."""
    with suppress(planning.UnderWay), workspace.within(shop) as now:
        planning.begin(workspace=shop, actor=ACTOR, now=now)

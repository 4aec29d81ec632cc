"""200 causes, a relay killed in the middle, four at once, the log read twice: each told once, nobody else."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from agents.benchmarks import crowd
from agents.evals import throwaway
from approvals import telling
from audit import log
from audit.events import Event
from portal import workspace
from portal.models import Notice, NoticeCursor
from tests.agents.erasing import manage
from tests.audit.test_audit_seal import seal
from tests.cast import Cast, gather

EACH, BESIDE = 50, 1_300
RELAY = ("shell", "-v", "0", "-c", "from approvals import telling; print(telling.tell_all())")


def causes(cast: Cast) -> Counter[tuple[str, str]]:
    """200 of them among entries that are no news, in many transactions; who is to be told how often of which kind."""
    mara, wanted = f"person:{cast.id('mara')}", Counter[tuple[str, str]]()
    with workspace.within(cast.ws) as now:
        for number in range(BESIDE):
            log.record(
                workspace=cast.ws, subject=f"claim:proposal:{number}", event=Event.ITEM_WOKEN, actor=mara, now=now
            )
    told: list[tuple[Event, str, dict[str, Any], str, list[str]]] = [
        (Event.ITEM_ESCALATED, f"person:{cast.id('rosa')}", {}, "escalated", ["mara"]),
        (Event.ITEM_ASSIGNED, mara, {"to": cast.id("ravi")}, "assigned", ["ravi"]),
        (Event.MARK_REACHED, "system:apply", {"percent": 75, "holder": cast.id("rosa")}, "late", ["mara", "rosa"]),
        (Event.SWITCH_THROWN, mara, {}, "switch", ["rosa", "ravi", "ada", "anton", "odile"]),
    ]
    for number in range(EACH):
        for event, actor, more, kind, people in told:
            item = f"{'switch:freeze' if kind == 'switch' else 'proposal'}:{number}"
            with workspace.within(cast.ws) as now:
                body = {"item": item, **more}
                log.record(workspace=cast.ws, subject=item, event=event, actor=actor, now=now, body=body)
            wanted.update((name, kind) for name in people)
    return wanted


def found(cast: Cast) -> Counter[tuple[str, str]]:
    names = {person.pk: name for name, person in cast.people.items()}
    with transaction.atomic():
        rows = Notice.objects.values_list("person_id", "kind")
        return Counter((names.get(person, "outside"), kind) for person, kind in rows)


def as_owner(act: Any) -> Any:
    throwaway.sign_in("owner")
    try:
        return act()
    finally:
        throwaway.sign_in("apply")


def cursor() -> int:
    return int(as_owner(lambda: NoticeCursor.objects.get().leaf))


@pytest.mark.timeout(600)
def test_each_eligible_person_is_told_once_and_nobody_else_whatever_dies(live: None, tmp_path: Path) -> None:
    with throwaway.database():
        throwaway.sign_in("web")
        cast, neighbours = gather(), gather()
        wanted = causes(cast)
        assert seal("--once").returncode == 0
        throwaway.sign_in("apply")
        telling.tell_some()
        before, begun = cursor(), as_owner(lambda: found(cast))
        words = {"FAILPOINTS": f"notices.before_commit=kill@{tmp_path / 'killed'}", "SECRET_KEY": "only-for-tests"}
        assert manage(*RELAY, **words).returncode == -9
        assert (cursor(), as_owner(lambda: found(cast))) == (before, begun)  # all of a step or nothing of it
        crowd.at_once(4, lambda _: telling.tell_all())
        while telling.tell_some():
            pass
        once = as_owner(lambda: found(cast))
        as_owner(lambda: NoticeCursor.objects.update(leaf=0))
        crowd.at_once(4, lambda _: telling.tell_all())
        while telling.tell_some():
            pass
        twice, size = as_owner(lambda: found(cast)), cursor()
        outside = as_owner(lambda: Notice.objects.exclude(workspace_id=cast.ws).count())
        connection.close()
    print(
        f"{4 * EACH} causes among {size} entries: {sum(twice.values())} notices of {sum(wanted.values())},"
        f" {sum((twice - wanted).values())} too many, {sum((wanted - twice).values())} missing, {outside} outside;"
        " one relay killed in the middle, four at once, the log read twice"
    )
    assert once == wanted
    assert twice == wanted
    assert outside == 0
    assert neighbours.ws != cast.ws

"""What an entry of the log says beyond its title, in the words of whoever it came from: reasons, notes, answers."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from approvals import decisions, matters, wording
from portal import retold

Body = Mapping[str, Any]


def people_in(body: Body) -> list[str]:
    """Whom a remark names, as `person:<id>`: whose approvals went with it, and to whom an item was given."""
    given = [f"person:{body['to']}"] if isinstance(body.get("to"), int) else []
    return [*body.get("dismissed", ()), *given]


def of(event: str, body: Body, personal: Body, people: Mapping[int, str]) -> str:
    """The remark, or "" where the title says it all; what was erased is left out."""
    match event:
        case "proposal.rebased" if drifted := personal.get("drifted") or body.get("drifted"):
            return _("Moved: %(what)s") % {"what": ", ".join(map(wording.source, drifted))}
        case "instruction.answered":
            return retold.say(str(personal.get("answer", "")))
        case "mark.reached":
            return _("%(percent)s of its time") % {"percent": f"{body['percent']}%"}
        case "handoff.resolved":
            return str(personal.get("outcome", ""))
        case "item.escalated":
            return _joined(matters.title(body["matter"]) if "matter" in body else "", personal.get("why", ""))
        case "item.assigned":
            return _("To %(name)s") % {"name": wording.actor(f"person:{body['to']}", people)}
        case "shift.noted":
            return str(personal.get("text", ""))
    if gone := [wording.actor(one, people) for one in body.get("dismissed", ())]:
        return _("No longer counts: the approval of %(names)s") % {"names": ", ".join(gone)}
    if event == "decision.recorded":
        return _joined(decisions.reject_reasons().get(body["reason"], ""), personal.get("note", ""))
    return retold.say(str(personal.get("because") or body.get("because") or ""))


def _joined(*parts: str) -> str:
    return ": ".join(part for part in parts if part)

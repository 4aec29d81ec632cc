"""Policy and thresholds put together: the verdict on a preview. The stricter wins."""

from dataclasses import replace
from datetime import datetime, timedelta

from approvals import policy, risk, switches, thresholds
from approvals.actions import Action
from approvals.actions.base import Preview
from portal.worktime import Hours

MOMENT, NEVER = timedelta(seconds=1), timedelta()


def judge(
    *,
    workspace: int,
    action: Action,
    preview: Preview,
    proposer: str,
    confidence_pct: int,
    now: datetime,
    hours: Hours,
    flags: tuple[str, ...] = (),
) -> risk.Verdict:
    """Ask Cedar, then the thresholds. Reads the rows in force; decides nothing itself.

    `hours` are the working hours of the workspace, for policies about the time of day.
    """
    kind, _, name = proposer.partition(":")
    opened = hours.between(now, now + MOMENT) > NEVER
    facts = replace(preview.facts, confidence_pct=confidence_pct, flags=flags, in_hours=opened)
    answer = policy.ask(
        proposer=proposer, action=action.name, target=preview.diff.target, facts=facts, policies=policy.load()
    )
    write = risk.Write(
        action=action.name, proposer_kind="agent" if kind == "agent" else "person",
        agent=name if kind == "agent" else "", amount_minor=preview.amount_minor, currency=preview.currency,
        confidence_pct=confidence_pct, reversible=action.reversibility == "reversible", flags=flags,
    )  # fmt: skip
    verdict = replace(risk.judge(thresholds.rules(workspace), write), policy=answer.version)
    if not answer.denied:
        return _at_least_one(verdict, workspace)
    rules = tuple(f"policy {rule}" for rule in answer.rules or ("engine",))
    return replace(verdict, allowed=False, tier="high", reasons=answer.reasons, rules=rules)


def _at_least_one(verdict: risk.Verdict, workspace: int) -> risk.Verdict:
    """Nothing passes by itself while a switch asks for people."""
    if verdict.people or not verdict.allowed or not switches.forces_approval(workspace=workspace):
        return verdict
    return replace(verdict, people=1, reasons=(*verdict.reasons, "Nothing passes by itself just now: one person."))

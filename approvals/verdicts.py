"""Policy and thresholds put together: the verdict on a preview. The stricter wins."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

from approvals import policy, risk, switches, thresholds
from approvals.actions import Action
from approvals.actions.base import Preview
from portal import hours as working
from portal.retold import kept
from portal.worktime import Hours

NOT_JUST_NOW = kept("Nothing passes by itself just now: one person.")
MOMENT, NEVER = timedelta(seconds=1), timedelta()


class Rulebook:
    """What is in force in a workspace, each read once, when it is first asked for; of one transaction."""

    def __init__(self, workspace: int) -> None:
        self.workspace = workspace

    @cached_property
    def hours(self) -> Hours:
        """Its working hours."""
        return working.of(self.workspace)

    @cached_property
    def rules(self) -> Sequence[risk.Rule]:
        """Its thresholds."""
        return thresholds.rules(self.workspace)

    @cached_property
    def switches(self) -> Sequence[switches.Thrown]:
        """What is switched off."""
        return switches.in_force(workspace=self.workspace)


def judge(
    rulebook: Rulebook,
    *,
    action: Action,
    preview: Preview,
    proposer: str,
    confidence_pct: int,
    now: datetime,
    flags: tuple[str, ...] = (),
) -> risk.Verdict:
    """Ask Cedar, then the thresholds. Decides nothing itself."""
    kind, _, name = proposer.partition(":")
    opened = rulebook.hours.between(now, now + MOMENT) > NEVER
    facts = replace(preview.facts, confidence_pct=confidence_pct, flags=flags, in_hours=opened)
    answer = policy.ask(
        proposer=proposer, action=action.name, target=preview.diff.target, facts=facts, policies=policy.load()
    )
    write = risk.Write(
        action=action.name, proposer_kind="agent" if kind == "agent" else "person",
        agent=name if kind == "agent" else "", amount_minor=preview.amount_minor, currency=preview.currency,
        confidence_pct=confidence_pct, reversible=action.reversibility == "reversible", flags=flags,
    )  # fmt: skip
    verdict = replace(risk.judge(rulebook.rules, write), policy=answer.version)
    if not answer.denied:
        return _at_least_one(verdict, rulebook)
    rules = tuple(f"policy {rule}" for rule in answer.rules or ("engine",))
    return replace(verdict, allowed=False, tier="high", reasons=answer.reasons, rules=rules)


def _at_least_one(verdict: risk.Verdict, rulebook: Rulebook) -> risk.Verdict:
    """Nothing passes by itself while a switch asks for people."""
    if verdict.people or not verdict.allowed or not switches.forcing(rulebook.switches):
        return verdict
    return replace(verdict, people=1, reasons=(*verdict.reasons, NOT_JUST_NOW))

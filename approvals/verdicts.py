"""Policy and thresholds put together: the verdict on a preview. The stricter wins."""

from dataclasses import replace

from approvals import policy, risk, thresholds
from approvals.actions import Action
from approvals.actions.base import Preview


def judge(
    *,
    workspace: int,
    action: Action,
    preview: Preview,
    proposer: str,
    confidence_pct: int,
    flags: tuple[str, ...] = (),
) -> risk.Verdict:
    """Ask Cedar, then the thresholds. Reads the rows in force; decides nothing itself."""
    kind, _, name = proposer.partition(":")
    facts = replace(preview.facts, confidence_pct=confidence_pct, flags=flags)
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
        return verdict
    rules = tuple(f"policy {rule}" for rule in answer.rules or ("engine",))
    return replace(verdict, allowed=False, tier="high", reasons=answer.reasons, rules=rules)

"""Sixteen processes spend against one cap of a workspace's day, one of them dies in a call: spent <= cap, exactly."""

import secrets

from tests.accept.installation import enter_django, installed, verdict

CAP = 1_000_003


def main() -> None:
    with installed(workers=False) as made:
        enter_django(made)
        from portal import env
        from tests.agents import models, spending

        slug = f"spend-{secrets.token_hex(3)}"
        made.manage("open_workspace", slug)
        from agents import intake
        from portal import workspace
        from tests.conftest import sign_in

        ws = workspace.find(slug)
        env.read().model_hosts = "127.0.0.1"
        models.connect(ws, "http://127.0.0.1:9/v1", key=False)
        for kind, scope, per in (
            ("model_calls", "run", "run"), ("wall_ms", "run", "run"), ("money", "run", "run"),
            ("money", "workspace", "day"),
        ):  # fmt: skip
            models.cap(ws, CAP if kind == "money" else 10**6, kind=kind, scope=scope, per=per)
        runs = []
        for number in range(spending.WORKERS):
            with workspace.within(ws) as now:
                line = {"id": f"T-{number}", "text": models.UNSURE}
                taken = intake.take_in(workspace=ws, agent="triage", line=line, actor="system:accept", now=now)
                runs.append(int(taken.run or 0))
        sign_in("agents")
        spent = spending.spend(ws, runs)
    verdict(
        met(spent.settled, spent.open, spent.held, spent.refused),
        f"budgets: spent {spent.settled} and reserved by a dead worker {spent.open}, together"
        f" {spent.settled + spent.open} of a cap of {CAP} micro-dollars; the account holds {spent.held};"
        f" {spending.WORKERS} processes, {spent.calls} calls, {spent.refused} refused",
    )


def met(settled: int, open_: int, held: int, refused: int) -> bool:
    """Exact and within the cap, which is used up, with a dead worker's part in it, and was in somebody's way."""
    return settled + open_ == held <= CAP and settled > CAP - 40_000 and open_ > 0 and refused > 0


if __name__ == "__main__":
    main()

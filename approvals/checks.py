"""System check of the policy files: one that does not hold together would deny everything."""

from typing import Any

from django.core.checks import CheckMessage, Error

from approvals import policy


def policies(**_: Any) -> list[CheckMessage]:
    """Parse and validate the Cedar files."""
    try:
        policy.load()
        policy.load(name=policy.READS)
    except (policy.PolicyError, OSError) as error:
        hint = "Mend the files in approvals/policies/; until then every proposal is denied and no agent reads."
        return [Error(str(error), hint=hint, id="approvals.E005")]
    return []

"""What the gate says of what it takes no further, as hand-offs, submissions and the log keep it. Pure."""

from portal.retold import kept

ENDED = kept("Checking this ended its worker three times; please do it by hand.")
NOT_CHECKED = kept("This could not be checked; the log of the apply process says why.")
NOTHING_TO_DO = kept("nothing to do: %(why)s")
IN_HAND = kept("held back: a person has %(key)s in hand")
HELD_BACK = kept("Held back: %(key)s did not become a proposal")
ALREADY = kept("Already proposed: %(what)s")
NO_EVIDENCE = kept("%(summary)s. This is of the high tier, and its justification names no evidence.")
NOT_YOURS = kept("withdraw: nothing of yours is open there")
BY_AGENT = kept("Withdrawn by the agent.")

# Behind the summary of what was switched off meanwhile.
SWITCHED_OFF = (
    kept("%(summary)s. Switched off: Agents are switched off, because: %(reason)s"),
    kept("%(summary)s. Switched off: Agents are switched off everywhere, because: %(reason)s"),
    kept("%(summary)s. Switched off: %(name)s is frozen, because: %(reason)s"),
    kept("%(summary)s. Switched off: %(name)s is frozen everywhere, because: %(reason)s"),
    kept("%(summary)s. Switched off: The %(name)s agent is halted, because: %(reason)s"),
    kept("%(summary)s. Switched off: The %(name)s agent is halted everywhere, because: %(reason)s"),
)

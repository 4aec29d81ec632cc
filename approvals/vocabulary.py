"""Tables of words for the pages: flags, reasons, fields, payment methods. Pure; `wording` tells them."""

from django.utils.translation import gettext_noop as noop

FLAGS = {
    "injection": (
        noop("talks to the machine"),
        noop("Part of the message gives orders to a machine. It was set aside, not obeyed."),
    ),
    "hidden_text": (
        noop("hidden text"),
        noop("The customer's text holds characters that are not seen. Read it as spelled out."),
    ),
    "tainted_destination": (
        noop("leads where the message says"),
        noop("An address, number or link in it comes from the customer's message alone; no record holds it."),
    ),
    "repeat": (noop("asked before"), noop("The same was asked for, or done, before.")),
    "amount_mismatch": (
        noop("other amount named"),
        noop("The message names another amount than the records; the records count."),
    ),
    "wrong_customer": (noop("another's record"), noop("The message names a record that is not the sender's.")),
    "sender_is_not_owner": (noop("sender not confirmed"), noop("It is not certain that the sender owns the account.")),
    "currency_mismatch": (
        noop("other currency named"),
        noop("The message names another currency than the order was paid in."),
    ),
    "currency": (noop("other currency named"), noop("The message names another currency than the order was paid in.")),
    "quantity_mismatch": (
        noop("other number named"),
        noop("The message names more pieces than the order holds, or unclear ones."),
    ),
    "item_not_in_order": (noop("not in the order"), noop("The message names an article that the order does not hold.")),
    "double_refund_risk": (noop("may pay twice"), noop("A refund beside what is already under way could pay twice.")),
    "not_a_refund": (noop("not a refund"), noop("What is asked for is something other than a refund.")),
    "two_matters": (noop("two matters"), noop("The message raises two matters; the more urgent one leads.")),
    "locked": (noop("locked field"), noop("A person locked this field; it is left as it is.")),
    "partial_undo": (
        noop("part of it only"),
        noop("Other fields of it changed since; this undo leaves those as they are."),
    ),
    "no_model_answer": (
        noop("no model answered"),
        noop("A language model was to be asked and gave no answer that can be used."),
    ),
    "below_bar": (noop("unsure model"), noop("No model that was asked was sure enough of its answer.")),
    "dear_step": (
        noop("dearer model held back"),
        noop("Asking costs more than it may unasked; send it back to allow it."),
    ),
    "not_verified": (
        noop("not looked at twice"),
        noop("No second model could look at this draft; look at it with care."),
    ),
    "second_model_doubts": (
        noop("second model doubts"),
        noop("Another model looked at the evidence and doubts this draft."),
    ),
    "another_person": (
        noop("another person?"),
        noop("This differs, and one person has it once: they may be two of one household."),
    ),
    "unclear": (noop("unclear field"), noop("This field could not be put right with certainty; a person must look.")),
}

REASONS = {
    "switched_off": noop("Switched off just now"),
    "recovery": noop("Something that was sent must be recovered"),
    "rejected_before": noop("People rejected the same before"),
    "no_undo": noop("The undo does not fit any more"),
    "over_cap": noop("Above the limit for agents"),
    "expired": noop("Nobody decided in time"),
    "daily_cap": noop("The daily cap is used up"),
    "policy": noop("Policy forbids it"),
    "bad_arguments": noop("It did not agree with the records"),
    "not_there": noop("The system there cannot do it"),
    "duplicate": noop("The same is open already"),
    "unclear": noop("It is not clear"),
    "question": noop("Only the customer knows"),
    "dispute": noop("A dispute is open"),
    "needs_a_person": noop("Needs a person"),
    "not_a_refund": noop("Not a refund"),
    "other_work": noop("Other work is asked for"),
    "missing_data": noop("Records are missing"),
    "verification_failed": noop("The draft did not pass its check"),
    "unjustified": noop("It names no evidence"),
    "agent_failed": noop("The agent failed"),
    "over_budget": noop("A budget is used up"),
    "tool_refused": noop("The agent was refused a reading"),
    "injection": noop("Orders to a machine"),
    "clarify": noop("Only the customer knows"),
    "out_of_scope": noop("Out of scope"),
    "books_behind": noop("Books behind"),
    "bounced": noop("Bounced"),
    "cannot_check": noop("Cannot check"),
    "held_back": noop("Held back"),
    "uncertain": noop("Uncertain"),
    "low_confidence": noop("Low confidence"),
    "no_answer": noop("No answer"),
}

FIELDS = {
    "locked:": noop("Locked fields"),
    "other": noop("Other contact"),
    "take": noop("Of the other, survives"),
    "leave": noop("Of the other, left there"),
    "to": noop("Refund to"),
    "order_id": noop("Order"),
    "refund_to": noop("Refund to"),
    "item_ids": "Items",
    "amount_minor": noop("Amount"),
    "kind": noop("Kind"),
    "full_name": noop("Name"),
    "email": noop("E-mail"),
    "queue": noop("Queue"),
    "body": noop("Text"),
    "customer_id": noop("Customer"),
    "payments": noop("Payment history"),
    "decision": noop("The rules say"),
    "refused": noop("Refused parts"),
    "faults": noop("What did not agree"),
    "legal_name": noop("Legal name"),
    "phone": noop("Phone"),
    "address": noop("Address"),
    "postcode": noop("Postcode"),
    "city": noop("City"),
    "country": noop("Country"),
    "notes": noop("Notes"),
    "date_of_birth": noop("Date of birth"),
    "language": noop("Language"),
    "status": noop("Status"),
    "priority": noop("Priority"),
    "tags": noop("Tags"),
    "reason": noop("Reason"),
    "currency": noop("Currency"),
    "clauses": noop("Clauses"),
    "evidence": noop("Evidence"),
    "refund": noop("Refund"),
    "reply": noop("Reply"),
    "duplicates": noop("Duplicates"),
    "counts": noop("Counts"),
    "changes": noop("Changes"),
    "outside_id": noop("Outside id"),
    "system": noop("System"),
    "sent": noop("Sent"),
    "sent_at": noop("Sent at"),
    "receipt": noop("Receipt"),
    "attempt": noop("Attempt"),
    "proposal": noop("Proposal"),
    "action": noop("Action"),
    "target": noop("Target"),
    "subject": noop("Subject"),
    "drafts": noop("Drafts"),
    "question": noop("Question"),
    "consent_date": noop("Consent date"),
}

METHODS = {
    "credit_card": noop("Credit card"),
    "gift_card": noop("Gift card"),
    "paypal": noop("Paypal"),
}

# Of tickets and orders in our own books, as they stand behind an id; another system may know others.
STATUSES = {
    "open": noop("open"), "waiting": noop("waiting"), "solved": noop("solved"), "closed": noop("closed"),
    "pending": noop("pending"), "processed": noop("processed"), "delivered": noop("delivered"),
    "cancelled": noop("cancelled"), "return requested": noop("return requested"),
    "exchange requested": noop("exchange requested"),
}  # fmt: skip

# What outside systems serve, as it stands alone.
PARTS = {"payments": noop("Payments"), "helpdesk": noop("Helpdesk"), "contacts": noop("Contacts")}

# Processes whose pulse is watched.
WORKERS = {"agents": noop("Agents"), "apply": noop("Apply")}

# Values of entries of the log that are no field of a record.
ENTRY = {
    "about": noop("About"), "above_minor": noop("Above minor"), "active": noop("Active"), "agent": noop("Agent"),
    "allow_private": noop("Allow private"), "already_so": noop("Already so"), "at": noop("At"),
    "backend": noop("Backend"), "barred": noop("Barred"), "base_url": noop("Base url"),
    "confidence_floor_pct": noop("Confidence floor pct"), "config": noop("Config"), "connection": noop("Connection"),
    "days": noop("Days"), "deadline_seconds": noop("Deadline seconds"), "digest": noop("Digest"),
    "drill": noop("Drill"), "effective_from": noop("Effective from"), "embedding_model": noop("Embedding model"),
    "ends": noop("Ends"), "everywhere": noop("Everywhere"), "fresh_minutes": noop("Fresh minutes"),
    "hold_seconds": noop("Hold seconds"), "holder": noop("Holder"), "input_micros": noop("Input micros"),
    "item": noop("Item"), "key": noop("Key"), "kinds": noop("Kinds"), "large_model": noop("Large model"),
    "loosens": noop("Loosens"), "message": noop("Message"), "model": noop("Model"), "most": noop("Most"),
    "on": noop("On"), "output_micros": noop("Output micros"), "part": noop("Part"), "people": noop("People"),
    "per": noop("Per"), "per_day": noop("Per day"), "per_sweep": noop("Per sweep"), "percent": noop("Percent"),
    "person": noop("Person"), "policy": noop("Policy"), "proposer_kind": noop("Proposer kind"),
    "queues": noop("Queues"), "rank": noop("Rank"), "readers": noop("Readers"), "retired": noop("Retired"),
    "revision": noop("Revision"), "role": noop("Role"), "round": noop("Round"), "rules": noop("Rules"),
    "run": noop("Run"), "scope": noop("Scope"), "scopes": noop("Scopes"), "second_role": noop("Second role"),
    "series": noop("Series"), "since": noop("Since"), "slug": noop("Slug"), "small_model": noop("Small model"),
    "started_by": noop("Started by"), "starts": noop("Starts"), "step": noop("Step"), "tier": noop("Tier"),
    "until": noop("Until"), "up_to_minor": noop("Up to minor"), "verifier_model": noop("Verifier model"),
    "why": noop("Why"), "writes": noop("Writes"), "answer": noop("Answer"), "note": noop("Note"),
    "text": noop("Text"), "seconds": noop("Seconds"), "opened": noop("Opened"), "asked": noop("Asked"),
    "name": noop("Name"), "instruction": noop("Instruction"), "outcome": noop("Outcome"), "verdict": noop("Verdict"),
    "state": noop("State"), "version": noop("Version"), "case": noop("Case"), "ticket": noop("Ticket"),
    "made_by": noop("Made by"), "title": noop("Title"), "error": noop("Error"), "count": noop("Count"),
    "amount": noop("Amount"), "effect": noop("Effect"), "stand_in": noop("Stand in"), "matter": noop("Matter"),
}  # fmt: skip

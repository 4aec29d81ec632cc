"""Which contacts changed since agent `contacts` last looked at them, and whether it would say something. Reads only."""

from agents.contacts import deciding
from portal import models
from portal.systems import records

_CHANGED = """
    SELECT c.* FROM portal_contact c JOIN approvals_case k
        ON k.workspace_id = c.workspace_id AND k.subject = 'contact:' || c.contact_id
    WHERE c.workspace_id = %s AND c.id > %s AND c.merged_into_id IS NULL
    AND NOT EXISTS (
        SELECT FROM agents_run r WHERE r.case_id = k.id AND r.agent = 'contacts' AND r.created_at >= c.changed_at
        AND r.outcome <> 'stopped'
        AND NOT EXISTS (SELECT FROM agents_finding f WHERE f.run_id = r.id))
    AND NOT EXISTS (
        SELECT FROM approvals_proposal p WHERE p.workspace_id = c.workspace_id AND p.action = 'contact.update'
        AND p.target = k.subject AND p.state IN ('pending', 'stale', 'approved', 'applying', 'unknown'))
    ORDER BY c.id LIMIT %s
"""


def changed(workspace: int, *, after: int, most: int) -> list[models.Contact]:
    """The next contacts behind a row that have a case, but those that wait for a person's word on a repair."""
    return list(models.Contact.objects.raw(_CHANGED, [workspace, after, most]))


def wants(row: models.Contact) -> bool:
    """Whether a run on it would hand anything in."""
    contact = records.Contact(row.contact_id, row.fields, tuple(row.locked_fields), row.version)
    outcome = deciding.decide(contact)
    return bool(outcome.drafts or outcome.handoff)

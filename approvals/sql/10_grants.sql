-- Who may touch what at the door. Web has no INSERT on proposals; agents have nothing but submissions.
GRANT SELECT ON approvals_case, approvals_submission, approvals_proposal, approvals_revision,
    approvals_dependency, approvals_decision, approvals_handoff, approvals_claim, approvals_threshold,
    approvals_dailycap, approvals_capuse, approvals_receipt, approvals_outbox TO @web@, @apply@;

ALTER TABLE approvals_decision ADD COLUMN IF NOT EXISTS xact xid8 NOT NULL DEFAULT pg_current_xact_id();

GRANT INSERT ON approvals_case TO @web@;
GRANT INSERT ON approvals_submission TO @web@, @agents@;
GRANT UPDATE (status, outcome) ON approvals_submission TO @apply@;
GRANT INSERT ON approvals_proposal, approvals_receipt TO @apply@;
GRANT INSERT ON approvals_dependency TO @web@, @apply@;
GRANT UPDATE (state, version, revision, round, digest, basis, basis_version, tier, people, amount_minor, currency,
    confidence_pct, summary, flags, content_key, urgency, fresh_until, hold_until, decided_at)
    ON approvals_proposal TO @web@, @apply@;
GRANT INSERT ON approvals_revision TO @web@, @apply@;
GRANT INSERT (workspace_id, proposal_id, revision, round, digest, person_id, role, kind, reason, note, created_at)
    ON approvals_decision TO @web@, @apply@;
GRANT INSERT ON approvals_handoff TO @apply@;
GRANT UPDATE (state, version, outcome, resolved_by_id) ON approvals_handoff TO @web@;
GRANT INSERT, UPDATE, DELETE ON approvals_claim TO @web@;
GRANT INSERT ON approvals_threshold, approvals_dailycap TO @web@;
GRANT INSERT, UPDATE (released, amount_minor, day) ON approvals_capuse TO @apply@;
GRANT INSERT, UPDATE, DELETE ON approvals_outbox TO @web@, @apply@;
GRANT SELECT ON approvals_case, approvals_submission TO @agents@;
GRANT SELECT (id, workspace_id, case_id, submission_id, action, target, state, summary)
    ON approvals_proposal TO @agents@;

-- An agent submits as an agent, for a run that is under way, in the kinds it has, and starts no undo.
DROP POLICY IF EXISTS own_runs ON approvals_submission;
CREATE POLICY own_runs ON approvals_submission AS RESTRICTIVE FOR INSERT TO @agents@ WITH CHECK (
    proposer LIKE 'agent:%' AND undoes_id IS NULL AND status = 'new' AND outcome = ''
    AND EXISTS (SELECT FROM agents_run r WHERE 'run:' || r.id = run AND 'agent:' || r.agent = proposer
                AND r.case_id = approvals_submission.case_id AND r.state = 'running')
);
-- Web submits for the person who is signed in.
DROP POLICY IF EXISTS own_person ON approvals_submission;
CREATE POLICY own_person ON approvals_submission AS RESTRICTIVE FOR INSERT TO @web@ WITH CHECK (
    proposer = 'person:' || current_setting('countersign.person', true) AND status = 'new'
);

-- What must never change once written.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['revision', 'decision', 'threshold', 'dailycap', 'receipt', 'dependency'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON approvals_%s
                        FOR EACH ROW EXECUTE FUNCTION audit_refuse()', t);
        EXECUTE format('ALTER TABLE approvals_%s ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['threshold', 'dailycap'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER watched AFTER INSERT ON approvals_%s
                        FOR EACH ROW EXECUTE FUNCTION audit_watch()', t);
        EXECUTE format('ALTER TABLE approvals_%s ENABLE ALWAYS TRIGGER watched', t);
    END LOOP;
END $$;

-- A submission is due from the moment it is there until it is gated: agents may not write the outbox.
CREATE OR REPLACE FUNCTION approvals_submission_due() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO approvals_outbox (workspace_id, task, queue, object_id, sent_at)
        VALUES (NEW.workspace_id, 'approvals.tasks.gate', 'apply', NEW.id, clock_timestamp());
    ELSIF NEW.status <> 'new' THEN
        DELETE FROM approvals_outbox WHERE workspace_id = NEW.workspace_id
        AND task = 'approvals.tasks.gate' AND object_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER due AFTER INSERT OR UPDATE ON approvals_submission
    FOR EACH ROW EXECUTE FUNCTION approvals_submission_due();
ALTER TABLE approvals_submission ENABLE ALWAYS TRIGGER due;

-- Who may touch what at the door. Web has no INSERT on proposals; agents have nothing but submissions.
GRANT SELECT ON approvals_case, approvals_submission, approvals_proposal, approvals_revision,
    approvals_dependency, approvals_decision, approvals_handoff, approvals_claim, approvals_threshold,
    approvals_dailycap, approvals_capuse, approvals_receipt, approvals_outbox, approvals_attempt,
    approvals_instruction, approvals_mark, approvals_pulse, approvals_switch, approvals_switcheverywhere
    TO @web@, @apply@;

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
GRANT INSERT (workspace_id, proposal_id, revision, round, digest, person_id, role, kind, reason, note, batch,
    step_up_id, created_at)
    ON approvals_decision TO @web@, @apply@;
GRANT INSERT ON approvals_handoff TO @apply@;
GRANT UPDATE (state, version, outcome, resolved_by_id, urgency) ON approvals_handoff TO @web@;
GRANT UPDATE (urgency, version) ON approvals_handoff TO @apply@;
GRANT UPDATE (waiting_since) ON approvals_case TO @web@, @apply@;
GRANT INSERT, UPDATE, DELETE ON approvals_claim TO @web@;
GRANT SELECT, INSERT, DELETE ON approvals_savedview TO @web@;
GRANT UPDATE (person_id, token, until, given) ON approvals_claim TO @apply@;
GRANT INSERT ON approvals_threshold, approvals_dailycap, approvals_switch, approvals_switcheverywhere,
    approvals_instruction TO @web@;
GRANT INSERT ON approvals_attempt, approvals_mark TO @apply@;
GRANT UPDATE (state, ended_at, stored_failure, outside_id, answer, follow, look_at) ON approvals_attempt TO @apply@;
GRANT UPDATE (answer, answered_at) ON approvals_instruction TO @web@, @apply@;
GRANT INSERT, UPDATE ON approvals_pulse TO @apply@;
GRANT SELECT, UPDATE (answered_at) ON approvals_pulse TO @agents@;
GRANT SELECT ON approvals_switch, approvals_switcheverywhere, approvals_instruction TO @agents@;
GRANT INSERT, UPDATE (released, amount_minor, day) ON approvals_capuse TO @apply@;
GRANT INSERT, UPDATE, DELETE ON approvals_outbox TO @web@, @apply@;
GRANT SELECT ON approvals_case, approvals_submission TO @agents@;
GRANT SELECT (id, workspace_id, case_id, submission_id, action, target, state, summary, proposer, revision)
    ON approvals_proposal TO @agents@;

-- Of what people decided an agent sees what they rejected of agents' proposals and why; not who, and nothing else.
GRANT SELECT (id, workspace_id, proposal_id, kind, reason, note, created_at) ON approvals_decision TO @agents@;
DROP POLICY IF EXISTS rejections_alone ON approvals_decision;
CREATE POLICY rejections_alone ON approvals_decision AS RESTRICTIVE FOR SELECT TO @agents@ USING (
    kind = 'reject' AND EXISTS (SELECT FROM approvals_proposal p WHERE p.id = proposal_id AND p.proposer LIKE 'agent:%')
);

-- An agent submits as an agent, for a run that is under way, in the kinds it has, and starts no undo.
DROP POLICY IF EXISTS own_runs ON approvals_submission;
CREATE POLICY own_runs ON approvals_submission AS RESTRICTIVE FOR INSERT TO @agents@ WITH CHECK (
    proposer LIKE 'agent:%' AND undoes_id IS NULL AND status = 'new' AND outcome = ''
    AND EXISTS (SELECT FROM agents_run r WHERE 'run:' || r.id = run AND 'agent:' || r.agent = proposer
                AND r.case_id = approvals_submission.case_id AND r.state = 'running'
                AND (revises_id IS NULL OR EXISTS (
                    SELECT FROM approvals_instruction i WHERE i.id = r.instruction_id AND i.proposal_id = revises_id
                    AND i.answered_at IS NULL)))
);
-- Web submits for the person who is signed in.
DROP POLICY IF EXISTS own_person ON approvals_submission;
CREATE POLICY own_person ON approvals_submission AS RESTRICTIVE FOR INSERT TO @web@ WITH CHECK (
    proposer = 'person:' || current_setting('countersign.person', true) AND status = 'new' AND revises_id IS NULL
);

-- A person keeps and drops their own views, and sees those that others share.
DROP POLICY IF EXISTS own_views ON approvals_savedview;
CREATE POLICY own_views ON approvals_savedview AS RESTRICTIVE TO @web@ USING (
    shared OR person_id::text = current_setting('countersign.person', true)
) WITH CHECK (person_id::text = current_setting('countersign.person', true));
DROP POLICY IF EXISTS own_views_gone ON approvals_savedview;
CREATE POLICY own_views_gone ON approvals_savedview AS RESTRICTIVE FOR DELETE TO @web@ USING (
    person_id::text = current_setting('countersign.person', true));

-- What must never change once written.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['revision', 'decision', 'threshold', 'dailycap', 'receipt', 'dependency', 'mark', 'switch',
                             'switcheverywhere'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON approvals_%s
                        FOR EACH ROW EXECUTE FUNCTION audit_refuse()', t);
        EXECUTE format('ALTER TABLE approvals_%s ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['threshold', 'dailycap', 'switch'] LOOP
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

-- The queue: every open item has its place there from the moment it is open until it is not.
CREATE OR REPLACE FUNCTION approvals_place() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    kind text := CASE TG_TABLE_NAME WHEN 'approvals_handoff' THEN 'handoff:' ELSE 'proposal:' END;
    anyones boolean := true;
BEGIN
    IF NEW.state IN ('pending', 'stale', 'open') THEN
        IF kind = 'proposal:' THEN  -- as approvals_may_take finds it for everybody
            anyones := NEW.people = 1 AND NEW.revision = 1;
        END IF;
        INSERT INTO approvals_claim (workspace_id, item, urgency, team, language, proposer, anyones, token)
        VALUES (NEW.workspace_id, kind || NEW.id, NEW.urgency, NEW.team, NEW.language, NEW.proposer, anyones, '')
        ON CONFLICT (workspace_id, item) DO UPDATE
        SET urgency = excluded.urgency, team = excluded.team, language = excluded.language,
            proposer = excluded.proposer, anyones = excluded.anyones
        WHERE (approvals_claim.urgency, approvals_claim.proposer, approvals_claim.anyones)
            <> (excluded.urgency, excluded.proposer, excluded.anyones);
    ELSE
        DELETE FROM approvals_claim WHERE workspace_id = NEW.workspace_id AND item = kind || NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER placed AFTER INSERT OR UPDATE ON approvals_proposal
    FOR EACH ROW EXECUTE FUNCTION approvals_place();
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER placed;
CREATE OR REPLACE TRIGGER placed AFTER INSERT OR UPDATE ON approvals_handoff
    FOR EACH ROW EXECUTE FUNCTION approvals_place();
ALTER TABLE approvals_handoff ENABLE ALWAYS TRIGGER placed;
-- What was open before there were places gets one.
INSERT INTO approvals_claim (workspace_id, item, urgency, team, language, proposer, token)
    SELECT workspace_id, 'proposal:' || id, urgency, team, language, proposer, '' FROM approvals_proposal
    WHERE state IN ('pending', 'stale') UNION ALL
    SELECT workspace_id, 'handoff:' || id, urgency, team, language, proposer, '' FROM approvals_handoff
    WHERE state = 'open' ON CONFLICT (workspace_id, item) DO NOTHING;

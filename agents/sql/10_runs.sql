-- Runs: web opens one, the agents process works it. It may write nothing else but its steps.
GRANT SELECT ON agents_run, agents_step TO @web@, @apply@, @agents@;
GRANT INSERT ON agents_run TO @web@, @agents@;
GRANT UPDATE (state, attempts, fence, lease_until, outcome, model_version, finished_at) ON agents_run TO @agents@;
GRANT INSERT ON agents_step TO @agents@;

-- An agents process begins a run by itself only where a reviewer sent the agent's proposal back, and one each time,
-- or for a sweep that is under way.
DROP POLICY IF EXISTS asked_again ON agents_run;
CREATE POLICY asked_again ON agents_run AS RESTRICTIVE FOR INSERT TO @agents@ WITH CHECK (
    EXISTS (SELECT FROM approvals_instruction i JOIN approvals_proposal p ON p.id = i.proposal_id
            WHERE i.id = instruction_id AND i.answered_at IS NULL AND p.case_id = agents_run.case_id
            AND p.proposer = 'agent:' || agents_run.agent)
    OR instruction_id IS NULL AND agent = 'contacts'
    AND EXISTS (SELECT FROM agents_sweep s WHERE s.id = sweep_id AND s.state = 'proposing')
);

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON agents_step
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE agents_step ENABLE ALWAYS TRIGGER append_only;

-- A run is due from intake to its end; one on an instruction takes the place of the asking.
CREATE OR REPLACE FUNCTION agents_run_due() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO approvals_outbox (workspace_id, task, queue, object_id, sent_at)
        VALUES (NEW.workspace_id, 'agents.tasks.advance', 'agents', NEW.id, clock_timestamp());
        DELETE FROM approvals_outbox WHERE workspace_id = NEW.workspace_id
        AND task = 'agents.tasks.ask_again' AND object_id = NEW.instruction_id;
    ELSIF NEW.state = 'running' AND OLD.state = 'queued' THEN  -- from here on it is said again by itself
        UPDATE approvals_outbox SET begun_by = 'run' WHERE workspace_id = NEW.workspace_id
        AND task = 'agents.tasks.advance' AND object_id = NEW.id;
    ELSIF NEW.state IN ('done', 'failed') THEN
        DELETE FROM approvals_outbox WHERE workspace_id = NEW.workspace_id
        AND task = 'agents.tasks.advance' AND object_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER due AFTER INSERT OR UPDATE ON agents_run
    FOR EACH ROW EXECUTE FUNCTION agents_run_due();
ALTER TABLE agents_run ENABLE ALWAYS TRIGGER due;

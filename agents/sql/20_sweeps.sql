-- Sweeps: web begins one when a person asks, an agents process at the time that is planned; it alone works them.
GRANT SELECT ON agents_sweep, agents_finding, agents_sweepplan TO @web@, @agents@, @apply@;
GRANT INSERT ON agents_sweep TO @web@, @agents@;
GRANT INSERT ON agents_sweepplan TO @web@;
GRANT INSERT, UPDATE (run_id, state) ON agents_finding TO @agents@;
GRANT UPDATE (state, attempts, fence, lease_until, total, done, reached, found, known, proposed, repairs, "left",
    because, finished_at) ON agents_sweep TO @agents@;

DROP POLICY IF EXISTS planned ON agents_sweep;
CREATE POLICY planned ON agents_sweep AS RESTRICTIVE FOR INSERT TO @agents@ WITH CHECK (
    started_by = 'system:schedule' AND planned_for IS NOT NULL AND state = 'queued'
    AND (per_sweep, per_day) = (SELECT p.per_sweep, p.per_day FROM agents_sweepplan p
                                WHERE p.workspace_id = agents_sweep.workspace_id ORDER BY p.version DESC LIMIT 1)
);

-- A person stops one that is under way, and web changes nothing else of it.
GRANT UPDATE (state, stopped_by, lease_until, finished_at) ON agents_sweep TO @web@;
DROP POLICY IF EXISTS stopped ON agents_sweep;
CREATE POLICY stopped ON agents_sweep AS RESTRICTIVE FOR UPDATE TO @web@
    USING (state IN ('queued', 'finding', 'proposing')) WITH CHECK (state = 'stopped' AND stopped_by LIKE 'person:%');

-- Where one may be due; whether it is, is then read inside the workspace. Ids only.
CREATE OR REPLACE FUNCTION agents_planned_sweeps() RETURNS TABLE (workspace bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp STABLE AS $$
    SELECT p.workspace_id FROM (SELECT DISTINCT ON (workspace_id) workspace_id, "on" FROM agents_sweepplan
                                ORDER BY workspace_id, version DESC) p WHERE p."on"
$$;
REVOKE ALL ON FUNCTION agents_planned_sweeps() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agents_planned_sweeps() TO @agents@;

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON agents_sweepplan
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE agents_sweepplan ENABLE ALWAYS TRIGGER append_only;
CREATE OR REPLACE TRIGGER watched AFTER INSERT ON agents_sweepplan
    FOR EACH ROW EXECUTE FUNCTION audit_watch();
ALTER TABLE agents_sweepplan ENABLE ALWAYS TRIGGER watched;

-- A sweep is due until it ends: agents may not write the outbox.
CREATE OR REPLACE FUNCTION agents_sweep_due() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO approvals_outbox (workspace_id, task, queue, object_id)
        VALUES (NEW.workspace_id, 'agents.tasks.sweep', 'agents', NEW.id);
    ELSIF NEW.state IN ('done', 'failed', 'stopped') THEN
        DELETE FROM approvals_outbox WHERE workspace_id = NEW.workspace_id
        AND task = 'agents.tasks.sweep' AND object_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER due AFTER INSERT OR UPDATE ON agents_sweep
    FOR EACH ROW EXECUTE FUNCTION agents_sweep_due();
ALTER TABLE agents_sweep ENABLE ALWAYS TRIGGER due;

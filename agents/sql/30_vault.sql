-- The vault: an agents process puts in what a run under way was asked and answers, and reads nothing back. An auditor
-- alone reads, nobody in somebody else's name, and only beside the entry of this transaction that says so.
GRANT INSERT, SELECT (id, workspace_id, created_at) ON agents_fulltranscript TO @agents@;
GRANT SELECT ON agents_fulltranscript TO @web@;

DROP POLICY IF EXISTS own_runs ON agents_fulltranscript;
CREATE POLICY own_runs ON agents_fulltranscript AS RESTRICTIVE FOR INSERT TO @agents@ WITH CHECK (
    EXISTS (SELECT FROM agents_run r WHERE r.id = run_id AND r.state = 'running')
    OR EXISTS (SELECT FROM agents_replay p WHERE p.run_id = agents_fulltranscript.run_id
               AND p.created_at > now() - interval '15 minutes')
);
DROP POLICY IF EXISTS readers ON agents_fulltranscript;
CREATE POLICY readers ON agents_fulltranscript AS RESTRICTIVE FOR SELECT TO @web@ USING (
    nullif(current_setting('countersign.impersonator', true), '') IS NULL
    AND EXISTS (SELECT FROM portal_membership m WHERE m.workspace_id = agents_fulltranscript.workspace_id AND m.active
                AND m.person_id = nullif(current_setting('countersign.person', true), '')::bigint
                AND m.role = 'auditor')
    AND EXISTS (SELECT FROM audit_entry e WHERE e.xact = pg_current_xact_id() AND e.event = 'vault.opened'
                AND e.workspace_id = agents_fulltranscript.workspace_id AND e.subject = 'vault:' || run_id
                AND e.actor = 'person:' || current_setting('countersign.person', true))
);
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON agents_fulltranscript
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE agents_fulltranscript ENABLE ALWAYS TRIGGER append_only;

-- How many there are of a run, for its page: a number and no more.
CREATE OR REPLACE FUNCTION agents_in_vault(run bigint) RETURNS bigint SECURITY DEFINER STABLE LANGUAGE sql
SET search_path = public, pg_temp AS $$
    SELECT count(*) FROM agents_fulltranscript t WHERE t.run_id = run
    AND t.workspace_id::text = current_setting('countersign.workspace', true)
$$;
REVOKE ALL ON FUNCTION agents_in_vault(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agents_in_vault(bigint) TO @web@;

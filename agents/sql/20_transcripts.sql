-- Transcripts: an agents process writes those of a run under way and reads none; managers and auditors read them.
GRANT INSERT, SELECT (id, workspace_id, created_at) ON agents_transcript TO @agents@;
GRANT SELECT ON agents_transcript TO @web@;

DROP POLICY IF EXISTS own_runs ON agents_transcript;
CREATE POLICY own_runs ON agents_transcript AS RESTRICTIVE FOR INSERT TO @agents@ WITH CHECK (
    EXISTS (SELECT FROM agents_run r WHERE r.id = run_id AND r.state = 'running')
    OR EXISTS (SELECT FROM agents_replay p WHERE p.run_id = agents_transcript.run_id
               AND p.created_at > now() - interval '15 minutes')
);
-- Who looks as somebody else reads none.
DROP POLICY IF EXISTS readers ON agents_transcript;
CREATE POLICY readers ON agents_transcript AS RESTRICTIVE FOR SELECT TO @web@ USING (
    nullif(current_setting('countersign.impersonator', true), '') IS NULL
    AND EXISTS (SELECT FROM portal_membership m WHERE m.workspace_id = agents_transcript.workspace_id AND m.active
                AND m.person_id = nullif(current_setting('countersign.person', true), '')::bigint
                AND m.role IN ('manager', 'auditor'))
);

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON agents_transcript
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE agents_transcript ENABLE ALWAYS TRIGGER append_only;

-- What a verification came to: whoever verifies says so, and nobody changes it.
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_verification
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE OR REPLACE TRIGGER never_truncated BEFORE TRUNCATE ON audit_verification
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_verification ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit_verification ENABLE ALWAYS TRIGGER never_truncated;

GRANT SELECT ON audit_verification TO @web@, @apply@, @sealer@;
GRANT INSERT (size, code, message, who) ON audit_verification TO @web@, @sealer@;
GRANT USAGE ON SEQUENCE audit_verification_id_seq TO @sealer@;

-- Whoever verifies or exports the whole log sees all of it, of the values only that they are there, and leaves an
-- entry of what left the house.
REVOKE SELECT ON audit_payload FROM @sealer@;
GRANT SELECT (id, workspace_id, entry_id, name) ON audit_payload TO @sealer@;
GRANT SELECT ON audit_unattributed TO @sealer@;
DROP POLICY IF EXISTS verifies ON audit_payload;
CREATE POLICY verifies ON audit_payload FOR SELECT TO @sealer@ USING (true);
DROP POLICY IF EXISTS verifies ON audit_unattributed;
CREATE POLICY verifies ON audit_unattributed FOR SELECT TO @sealer@ USING (true);

GRANT INSERT (workspace_id, subject, version, event, state, actor, "case", trace_id, at, canonical)
    ON audit_entry TO @sealer@;
GRANT USAGE ON SEQUENCE audit_entry_id_seq TO @sealer@;
-- All that the sealer's sign-in may tell, in one rule: two that restrict would both have to hold.
DROP POLICY IF EXISTS rotations ON audit_entry;
DROP POLICY IF EXISTS told_by_the_sealer ON audit_entry;
CREATE POLICY told_by_the_sealer ON audit_entry AS RESTRICTIVE FOR INSERT TO @sealer@ WITH CHECK (
    state = '' AND actor LIKE 'system:%' AND (
        subject = 'log:export' AND event = 'log.exported' AND workspace_id <> 0
        OR subject = 'log:key' AND event = 'key.rotated' AND workspace_id = 0));

-- Every workspace that has an entry, one step of the index for each.
CREATE OR REPLACE FUNCTION audit_workspaces() RETURNS SETOF bigint STABLE LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    WITH RECURSIVE found(id) AS (
        SELECT min(workspace_id) FROM audit_entry
        UNION ALL
        SELECT (SELECT min(e.workspace_id) FROM audit_entry e WHERE e.workspace_id > found.id) FROM found
        WHERE found.id IS NOT NULL
    )
    SELECT id FROM found WHERE id IS NOT NULL
$$;
REVOKE ALL ON FUNCTION audit_workspaces() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_workspaces() TO @web@, @sealer@;

-- Whether an entry is under a signed checkpoint: what must not happen before it is on record asks this.
CREATE OR REPLACE FUNCTION audit_sealed(entry bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = entry
                   AND l.index < (SELECT c.size FROM audit_checkpoint c ORDER BY c.id DESC LIMIT 1))
$$;

-- The sealer writes one kind of entry, of no workspace: that the log goes on under a new key.
GRANT INSERT (workspace_id, subject, version, event, state, actor, "case", trace_id, at, canonical)
    ON audit_entry TO @sealer@;
GRANT USAGE ON SEQUENCE audit_entry_id_seq TO @sealer@;
DROP POLICY IF EXISTS rotations ON audit_entry;
CREATE POLICY rotations ON audit_entry AS RESTRICTIVE FOR INSERT TO @sealer@
    WITH CHECK (workspace_id = 0 AND subject = 'log:key' AND event = 'key.rotated' AND state = '');
DROP POLICY IF EXISTS not_the_logs_own ON audit_entry;
CREATE POLICY not_the_logs_own ON audit_entry AS RESTRICTIVE FOR INSERT TO @web@, @apply@, @agents@
    WITH CHECK (workspace_id <> 0);

-- The log: entries are inserted and read, never changed; the transaction of an entry is nobody's to supply.
ALTER TABLE audit_entry ADD COLUMN IF NOT EXISTS xact xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX IF NOT EXISTS audit_entry_xact ON audit_entry (xact);

-- Nobody makes temporary tables: one of the same name would stand before ours in a search.
DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$;

-- Erasing and retention alone take anything away: from within their functions (which run as the owner for somebody
-- else), beside the entry of the same transaction that says so, and never from the log itself.
CREATE OR REPLACE FUNCTION audit_taking_away(relation text) RETURNS boolean STABLE LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> @'owner'@ OR session_user = current_user
       OR relation LIKE 'audit\_%' AND relation NOT IN ('audit_payload', 'audit_subjectkey') THEN
        RETURN false;
    END IF;
    RETURN EXISTS (SELECT FROM audit_entry WHERE xact = pg_current_xact_id()
                   AND event IN ('subject.erased', 'retention.ran'));
END $$;

CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') AND audit_taking_away(TG_TABLE_NAME) THEN
        RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW ELSE OLD END;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'CS001';
END $$;

-- CREATE OR REPLACE keeps the trigger in place; ALWAYS, since a plain one is passed by session_replication_role.
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE OR REPLACE TRIGGER never_truncated BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER never_truncated;

GRANT SELECT ON audit_entry, audit_payload TO @web@, @apply@, @sealer@;
GRANT INSERT (workspace_id, subject, version, event, state, actor, "case", trace_id, at, canonical)
    ON audit_entry TO @web@, @apply@, @agents@;
GRANT INSERT ON audit_payload TO @web@, @apply@, @agents@;
GRANT SELECT ON audit_entry TO @agents@;

-- The next number of a subject without a row of its own. The lock comes first, and volatile: what is counted is what
-- stands there once it is held.
CREATE OR REPLACE FUNCTION audit_next_version(workspace bigint, about text) RETURNS integer VOLATILE LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('entry:' || workspace || ':' || about, 0));
    RETURN (SELECT coalesce(max(e.version), 0) + 1 FROM audit_entry e
            WHERE e.workspace_id = workspace AND e.subject = about);
END $$;

-- Agents write about their own runs and sweeps only.
DROP POLICY IF EXISTS own_runs ON audit_entry;
CREATE POLICY own_runs ON audit_entry AS RESTRICTIVE FOR INSERT TO @agents@
    WITH CHECK ((subject LIKE 'run:%' OR subject LIKE 'sweep:%') AND actor LIKE 'agent:%' AND state = '');
DROP POLICY IF EXISTS own_runs ON audit_payload;
CREATE POLICY own_runs ON audit_payload AS RESTRICTIVE FOR INSERT TO @agents@
    WITH CHECK (EXISTS (SELECT FROM audit_entry e WHERE e.id = entry_id AND e.subject LIKE 'run:%'
                        AND e.xact = pg_current_xact_id()));
DROP POLICY IF EXISTS seals ON audit_entry;
CREATE POLICY seals ON audit_entry FOR SELECT TO @sealer@ USING (true);

-- A write to a watched table that names no action is noted here; the sweeper reports it. The argument of a trigger
-- names the column of the workspace where it is another one.
CREATE OR REPLACE FUNCTION audit_watch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    r jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN RETURN NULL; END IF;
    IF coalesce(current_setting('countersign.action', true), '') = '' THEN
        INSERT INTO audit_unattributed (workspace_id, "table", "row", operation, signed_in_as)
        VALUES ((r->>coalesce(TG_ARGV[0], 'workspace_id'))::bigint, TG_TABLE_NAME, r->>'id', lower(TG_OP), session_user);
    END IF;
    RETURN NULL;
END $$;
GRANT SELECT, UPDATE (reported_at) ON audit_unattributed TO @apply@;
GRANT SELECT ON audit_unattributed TO @web@;

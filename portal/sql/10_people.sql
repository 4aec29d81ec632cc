-- People and workspaces. Who may see a workspace is said by membership; other processes see the list of ids.
DROP POLICY IF EXISTS inside ON portal_membership;
DROP POLICY IF EXISTS mine ON portal_membership;
CREATE POLICY mine ON portal_membership USING (
    workspace_id = nullif(current_setting('countersign.workspace', true), '')::bigint
    OR person_id = nullif(current_setting('countersign.person', true), '')::bigint
) WITH CHECK (workspace_id = nullif(current_setting('countersign.workspace', true), '')::bigint);

ALTER TABLE portal_workspace ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS mine ON portal_workspace;
CREATE POLICY mine ON portal_workspace USING (
    id = nullif(current_setting('countersign.workspace', true), '')::bigint
    OR EXISTS (
        SELECT FROM portal_membership m WHERE m.workspace_id = portal_workspace.id AND m.active
        AND m.person_id = nullif(current_setting('countersign.person', true), '')::bigint
    )
) WITH CHECK (id = nullif(current_setting('countersign.workspace', true), '')::bigint);
DROP POLICY IF EXISTS relays ON portal_workspace;
CREATE POLICY relays ON portal_workspace FOR SELECT TO @apply@, @agents@ USING (true);

-- Whose key is this? Asked before any workspace is known, so it answers for exactly one SHA-256.
CREATE OR REPLACE FUNCTION portal_token_holder(sha256 text)
RETURNS TABLE (token bigint, workspace bigint, person bigint, scopes jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp STABLE AS $$
    SELECT t.id, t.workspace_id, t.person_id, t.scopes FROM portal_personaltoken t
    JOIN portal_person p ON p.id = t.person_id AND p.is_active
    WHERE t.secret_sha256 = sha256 AND t.revoked_at IS NULL
$$;
REVOKE ALL ON FUNCTION portal_token_holder(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal_token_holder(text) TO @web@;

-- Commands name a workspace by its address before they are inside it.
CREATE OR REPLACE FUNCTION portal_workspace_ids() RETURNS TABLE (slug varchar, id bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp STABLE AS $$
    SELECT w.slug, w.id FROM portal_workspace w
$$;
REVOKE ALL ON FUNCTION portal_workspace_ids() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal_workspace_ids() TO @web@, @apply@, @agents@;

GRANT SELECT, INSERT, UPDATE ON portal_person, portal_workspace, portal_membership TO @web@;
GRANT SELECT, INSERT ON portal_personaltoken TO @web@;
GRANT UPDATE (revoked_at) ON portal_personaltoken TO @web@;
GRANT SELECT ON portal_workspace, portal_membership TO @apply@;
GRANT SELECT (id, name, email, is_active) ON portal_person TO @apply@;
GRANT SELECT ON portal_workspace TO @agents@;
GRANT SELECT, INSERT, UPDATE, DELETE ON django_session, account_emailaddress TO @web@;
GRANT SELECT ON django_content_type, django_migrations TO @web@, @apply@, @agents@, @eval@;
GRANT SELECT, INSERT ON django_admin_log TO @web@;
GRANT SELECT ON auth_permission, auth_group, auth_group_permissions, portal_person_groups,
    portal_person_user_permissions TO @web@;

-- Systems outside: web chooses them and puts a credential in; the apply process alone can read it back.
GRANT SELECT ON portal_connection TO @web@, @apply@;
GRANT INSERT ON portal_connection, portal_credential TO @web@;
GRANT SELECT (id, workspace_id, part, version, key_id, made_by, created_at) ON portal_credential TO @web@;
GRANT SELECT ON portal_credential TO @apply@;
GRANT SELECT, INSERT, UPDATE ON portal_pace TO @apply@;
-- Where an outside system was ever chosen: a worker that starts tries the credentials there, and nowhere else.
CREATE OR REPLACE FUNCTION portal_connected() RETURNS TABLE (workspace bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp STABLE AS $$
    SELECT DISTINCT workspace_id FROM portal_connection ORDER BY 1
$$;
REVOKE ALL ON FUNCTION portal_connected() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal_connected() TO @apply@;

-- Presence, skills, stand-ins.
GRANT SELECT, INSERT ON portal_stepup TO @web@;
GRANT UPDATE (method, failures, passed_at, used_at, stash, session_sha256) ON portal_stepup TO @web@;
GRANT SELECT ON portal_stepup TO @apply@;
GRANT SELECT, INSERT, DELETE ON portal_skill TO @web@;
GRANT SELECT, INSERT ON portal_delegation TO @web@;
GRANT UPDATE (ended_at) ON portal_delegation TO @web@;
GRANT SELECT ON portal_skill, portal_delegation TO @apply@;
GRANT SELECT, INSERT, UPDATE, DELETE ON mfa_authenticator TO @web@;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['connection', 'credential'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON portal_%s
                        FOR EACH ROW EXECUTE FUNCTION audit_refuse()', t);
        EXECUTE format('ALTER TABLE portal_%s ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['connection', 'delegation', 'skill'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON portal_%s
                        FOR EACH ROW EXECUTE FUNCTION audit_watch()', t);
        EXECUTE format('ALTER TABLE portal_%s ENABLE ALWAYS TRIGGER watched', t);
    END LOOP;
END $$;
-- Working hours move every due time: a change of the row is accounted for like a threshold.
CREATE OR REPLACE TRIGGER watched AFTER UPDATE ON portal_workspace
    FOR EACH ROW EXECUTE FUNCTION audit_watch('id');
ALTER TABLE portal_workspace ENABLE ALWAYS TRIGGER watched;

-- Notices: apply makes them, each person sees and reads their own, and nobody makes up another's.
GRANT SELECT ON portal_notice, portal_noticechoice TO @web@, @apply@;
GRANT UPDATE (read_at) ON portal_notice TO @web@;
GRANT INSERT, UPDATE (mailed_at), DELETE ON portal_notice TO @apply@;
GRANT INSERT ON portal_noticechoice TO @web@;
GRANT UPDATE (channels, by_mail, digest_at, quiet_from, quiet_until, mail_at, mail_tries)
    ON portal_noticechoice TO @web@;
GRANT UPDATE (mail_at, mail_tries) ON portal_noticechoice TO @apply@;
GRANT SELECT (time_zone, language) ON portal_person TO @apply@;
DROP POLICY IF EXISTS own ON portal_notice;
CREATE POLICY own ON portal_notice AS RESTRICTIVE TO @web@
    USING (person_id = nullif(current_setting('countersign.person', true), '')::bigint);
DROP POLICY IF EXISTS own ON portal_noticechoice;
CREATE POLICY own ON portal_noticechoice AS RESTRICTIVE TO @web@
    USING (person_id = nullif(current_setting('countersign.person', true), '')::bigint);

-- Slack: an admin puts the address in, apply alone can read it back; what is posted is apply's.
GRANT SELECT (id, workspace_id, version, "on", kinds, key_id, language, quiet_from, quiet_until, in_hours, made_by,
    created_at) ON portal_slackhook TO @web@;
GRANT INSERT ON portal_slackhook TO @web@;
GRANT SELECT ON portal_slackhook TO @apply@;
GRANT SELECT, INSERT, UPDATE (look_at, tries, sent_at, failure), DELETE ON portal_slackpost TO @apply@;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON portal_slackhook
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE portal_slackhook ENABLE ALWAYS TRIGGER append_only;
CREATE OR REPLACE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON portal_slackhook
    FOR EACH ROW EXECUTE FUNCTION audit_watch();
ALTER TABLE portal_slackhook ENABLE ALWAYS TRIGGER watched;

-- How far the log was read for them. Leaves have no gap and come after their commit, so that nothing is passed over;
-- what was sealed before there were notices is nobody's news.
GRANT SELECT, UPDATE (leaf) ON portal_noticecursor TO @apply@;
INSERT INTO portal_noticecursor (leaf)
    SELECT coalesce(max(index) + 1, 0) FROM audit_leaf HAVING NOT EXISTS (SELECT FROM portal_noticecursor);

-- The next leaves: workspace and entry of those that tell of one of these events, and where it ends. At most `most`
-- leaves are looked at, along their key.
CREATE OR REPLACE FUNCTION portal_to_tell(beginning bigint, events text[], most integer)
RETURNS TABLE (workspace bigint, entry bigint, leaf bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp STABLE AS $$
    WITH fresh AS MATERIALIZED (
        SELECT l.index, l.entry_id FROM audit_leaf l WHERE l.index >= beginning ORDER BY l.index LIMIT most
    )
    SELECT e.workspace_id, e.id, f.index FROM fresh f JOIN audit_entry e ON e.id = f.entry_id WHERE e.event = ANY (events)
    UNION ALL SELECT NULL, NULL, max(f.index) FROM fresh f HAVING count(*) > 0
    ORDER BY 3, 1 NULLS LAST
$$;
REVOKE ALL ON FUNCTION portal_to_tell(bigint, text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal_to_tell(bigint, text[], integer) TO @apply@;

-- Whose digest or line is due: asked first, so that each round costs what is due. Numbers only.
CREATE OR REPLACE FUNCTION portal_to_send() RETURNS TABLE (workspace bigint, what text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp STABLE AS $$
    SELECT DISTINCT workspace_id, 'mail' FROM portal_noticechoice WHERE mail_at <= statement_timestamp()
    UNION SELECT DISTINCT workspace_id, 'slack' FROM portal_slackpost WHERE look_at <= statement_timestamp()
$$;
REVOKE ALL ON FUNCTION portal_to_send() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal_to_send() TO @apply@;

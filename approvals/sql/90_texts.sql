-- Reusable texts: web keeps them, each change on the log; nothing is deleted.
GRANT SELECT, INSERT, UPDATE (name, language, used_for, body, offered, changed_at) ON approvals_reusabletext TO @web@;
CREATE OR REPLACE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON approvals_reusabletext
    FOR EACH ROW EXECUTE FUNCTION audit_watch();
ALTER TABLE approvals_reusabletext ENABLE ALWAYS TRIGGER watched;

-- Notes for the next shift: written once, settled once, and both on the log.
GRANT SELECT, INSERT ON approvals_shiftnote TO @web@;
GRANT UPDATE (closed_by_id, closed_at) ON approvals_shiftnote TO @web@;
CREATE OR REPLACE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON approvals_shiftnote
    FOR EACH ROW EXECUTE FUNCTION audit_watch();
ALTER TABLE approvals_shiftnote ENABLE ALWAYS TRIGGER watched;

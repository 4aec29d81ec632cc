-- What was anchored where: the sealer alone says so, and nobody changes it.
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_anchor
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE OR REPLACE TRIGGER never_truncated BEFORE TRUNCATE ON audit_anchor
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_anchor ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE audit_anchor ENABLE ALWAYS TRIGGER never_truncated;

GRANT SELECT ON audit_anchor TO @web@, @apply@, @sealer@;
GRANT INSERT (checkpoint_id, "where", outcome, because) ON audit_anchor TO @sealer@;
GRANT USAGE ON SEQUENCE audit_anchor_id_seq TO @sealer@;

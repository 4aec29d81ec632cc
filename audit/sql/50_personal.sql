-- Keys of data subjects: whoever records makes one and sees the half that seals; web alone sees the sealed other half,
-- and the values. Nobody changes a key or a value; erasing alone removes them.
GRANT SELECT ON audit_subjectkey TO @web@;
GRANT SELECT (id, workspace_id, about, public) ON audit_subjectkey TO @apply@, @agents@;
GRANT INSERT (workspace_id, about, public, wrapped) ON audit_subjectkey TO @web@, @apply@, @agents@;
GRANT USAGE ON SEQUENCE audit_subjectkey_id_seq TO @web@, @apply@, @agents@;

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['audit_subjectkey', 'audit_payload'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I'
                       ' FOR EACH ROW EXECUTE FUNCTION audit_refuse()', kept);
        EXECUTE format('CREATE OR REPLACE TRIGGER never_truncated BEFORE TRUNCATE ON %I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER never_truncated', kept);
    END LOOP;
END $$;

-- No value comes in the open any more: only rows from before there were keys are.
CREATE OR REPLACE TRIGGER sealed BEFORE INSERT ON audit_payload
    FOR EACH ROW WHEN (NEW.sealed IS NULL) EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_payload ENABLE ALWAYS TRIGGER sealed;

-- Holds and periods: web sets them, nobody changes one, and each is accounted for.
GRANT SELECT ON audit_hold, audit_retention TO @web@, @apply@;
GRANT INSERT ON audit_hold, audit_retention TO @web@;
GRANT USAGE ON SEQUENCE audit_hold_id_seq, audit_retention_id_seq TO @web@;
DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['audit_hold', 'audit_retention'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I'
                       ' FOR EACH ROW EXECUTE FUNCTION audit_refuse()', kept);
        EXECUTE format('CREATE OR REPLACE TRIGGER never_truncated BEFORE TRUNCATE ON %I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER never_truncated', kept);
        EXECUTE format('CREATE OR REPLACE TRIGGER watched AFTER INSERT ON %I'
                       ' FOR EACH ROW EXECUTE FUNCTION audit_watch()', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER watched', kept);
    END LOOP;
END $$;

-- Whoever verifies the log holds them against their entries.
GRANT SELECT ON audit_hold, audit_retention TO @sealer@;
DROP POLICY IF EXISTS verifies ON audit_hold;
CREATE POLICY verifies ON audit_hold FOR SELECT TO @sealer@ USING (true);
DROP POLICY IF EXISTS verifies ON audit_retention;
CREATE POLICY verifies ON audit_retention FOR SELECT TO @sealer@ USING (true);

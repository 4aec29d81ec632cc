-- Loosenings of thresholds and caps: one admin proposes, another agrees, nothing of it changes before or after.
GRANT SELECT ON approvals_loosening TO @web@, @apply@;
GRANT INSERT ON approvals_loosening TO @web@;
GRANT UPDATE (state, decided_by_id, decided_at, note, version) ON approvals_loosening TO @web@;

CREATE OR REPLACE FUNCTION approvals_check_loosening() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    who bigint := nullif(current_setting('countersign.person', true), '')::bigint;
    told text[] := ARRAY['state', 'decided_by_id', 'decided_at', 'note', 'version'];
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE'
        AND (OLD.state <> 'open' OR to_jsonb(NEW) - told <> to_jsonb(OLD) - told)) THEN
        RAISE EXCEPTION 'loosening: what was proposed or decided stays as it is' USING ERRCODE = 'CS001';
    END IF;
    IF who IS DISTINCT FROM (CASE TG_OP WHEN 'INSERT' THEN NEW.proposed_by_id ELSE NEW.decided_by_id END) OR NOT EXISTS (
        SELECT FROM portal_membership m WHERE m.workspace_id = NEW.workspace_id AND m.person_id = who AND m.active
        AND m.role = 'admin') THEN
        RAISE EXCEPTION 'loosening: an admin proposes it and another decides, each in their own name'
            USING ERRCODE = 'CS009';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER checked BEFORE INSERT OR UPDATE OR DELETE ON approvals_loosening
    FOR EACH ROW EXECUTE FUNCTION approvals_check_loosening();
ALTER TABLE approvals_loosening ENABLE ALWAYS TRIGGER checked;
CREATE OR REPLACE TRIGGER watched AFTER INSERT OR UPDATE ON approvals_loosening
    FOR EACH ROW EXECUTE FUNCTION audit_watch();
ALTER TABLE approvals_loosening ENABLE ALWAYS TRIGGER watched;

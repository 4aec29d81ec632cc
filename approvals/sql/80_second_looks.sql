-- Second looks: drawn with the decision, answered once by somebody who had no part in it, in their own name.
GRANT SELECT, INSERT ON approvals_secondlook TO @web@, @apply@;
GRANT UPDATE (person_id, verdict, reason, note, answered_at) ON approvals_secondlook TO @web@;

CREATE OR REPLACE FUNCTION approvals_check_second_look() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    said text[] := ARRAY['person_id', 'verdict', 'reason', 'note', 'answered_at'];
    p record;
BEGIN
    IF TG_OP = 'UPDATE' AND audit_taking_away(TG_TABLE_NAME) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.verdict <> '' OR NOT EXISTS (SELECT FROM approvals_decision d WHERE d.proposal_id = NEW.proposal_id
            AND d.revision = NEW.revision AND d.kind = NEW.decided) THEN
            RAISE EXCEPTION 'second look: nobody decided that' USING ERRCODE = 'CS008';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.verdict <> '' OR to_jsonb(NEW) - said <> to_jsonb(OLD) - said THEN
        RAISE EXCEPTION 'second look: what was drawn or answered stays as it is' USING ERRCODE = 'CS001';
    END IF;
    IF NEW.person_id::text IS DISTINCT FROM current_setting('countersign.person', true)
        OR coalesce(current_setting('countersign.impersonator', true), '') <> '' OR NOT EXISTS (
        SELECT FROM portal_membership m WHERE m.workspace_id = NEW.workspace_id AND m.person_id = NEW.person_id
        AND m.active AND m.role IN ('reviewer', 'manager')) THEN
        RAISE EXCEPTION 'second look: who decides here answers it, in their own name' USING ERRCODE = 'CS009';
    END IF;
    SELECT * INTO p FROM approvals_proposal WHERE id = NEW.proposal_id;
    IF p.proposer = 'person:' || NEW.person_id
        OR EXISTS (SELECT FROM approvals_decision d WHERE d.proposal_id = p.id AND d.person_id = NEW.person_id)
        OR EXISTS (SELECT FROM approvals_revision r WHERE r.proposal_id = p.id
                   AND r.made_by = 'person:' || NEW.person_id) THEN
        RAISE EXCEPTION 'second look: person % had a part in it', NEW.person_id USING ERRCODE = 'CS010';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER checked BEFORE INSERT OR UPDATE OR DELETE ON approvals_secondlook
    FOR EACH ROW EXECUTE FUNCTION approvals_check_second_look();
ALTER TABLE approvals_secondlook ENABLE ALWAYS TRIGGER checked;

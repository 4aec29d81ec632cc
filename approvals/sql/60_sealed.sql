-- Seal before act, the second wall: no attempt is written, and so no call begins, before a signed checkpoint covers the
-- entry that approves it.
CREATE OR REPLACE FUNCTION approvals_check_sealed() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT coalesce((SELECT audit_sealed(e.id) FROM audit_entry e
                     WHERE e.workspace_id = NEW.workspace_id AND e.subject = 'proposal:' || NEW.proposal_id
                     AND e.state = 'approved' ORDER BY e.version DESC LIMIT 1), false) THEN
        RAISE EXCEPTION 'attempt: the approval of proposal % is not sealed yet', NEW.proposal_id
            USING ERRCODE = 'CS014';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER sealed BEFORE INSERT ON approvals_attempt
    FOR EACH ROW EXECUTE FUNCTION approvals_check_sealed();
ALTER TABLE approvals_attempt ENABLE ALWAYS TRIGGER sealed;

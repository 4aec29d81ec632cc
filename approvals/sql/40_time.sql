-- The clock of every open item: there from the moment it is open until it is not, and looked at after every change.
GRANT SELECT ON approvals_timer TO @web@, @apply@;
GRANT UPDATE (look_at) ON approvals_timer TO @apply@;

CREATE OR REPLACE FUNCTION approvals_timed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    kind text := CASE TG_TABLE_NAME WHEN 'approvals_handoff' THEN 'handoff:' ELSE 'proposal:' END;
BEGIN
    IF NEW.state IN ('pending', 'stale', 'open') THEN
        INSERT INTO approvals_timer (workspace_id, item, look_at)
        VALUES (NEW.workspace_id, kind || NEW.id, clock_timestamp())
        ON CONFLICT (workspace_id, item) DO UPDATE SET look_at = excluded.look_at;
    ELSIF TG_OP = 'UPDATE' AND OLD.state IN ('pending', 'stale', 'open') THEN
        DELETE FROM approvals_timer WHERE workspace_id = NEW.workspace_id AND item = kind || NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER timed AFTER INSERT OR UPDATE ON approvals_proposal
    FOR EACH ROW EXECUTE FUNCTION approvals_timed();
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER timed;
CREATE OR REPLACE TRIGGER timed AFTER INSERT OR UPDATE ON approvals_handoff
    FOR EACH ROW EXECUTE FUNCTION approvals_timed();
ALTER TABLE approvals_handoff ENABLE ALWAYS TRIGGER timed;
-- What was open before there were timers gets one.
INSERT INTO approvals_timer (workspace_id, item)
    SELECT workspace_id, 'proposal:' || id FROM approvals_proposal WHERE state IN ('pending', 'stale') UNION ALL
    SELECT workspace_id, 'handoff:' || id FROM approvals_handoff WHERE state = 'open'
    ON CONFLICT (workspace_id, item) DO NOTHING;

-- A person who reopens a hand-off gives it its time again; what is open is put off by nobody.
CREATE OR REPLACE FUNCTION approvals_check_due() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user = @'web'@ AND NOT (OLD.state = 'resolved' AND NEW.state = 'open') THEN
        RAISE EXCEPTION 'hand-off %: only what is reopened is due anew', NEW.id USING ERRCODE = 'CS004';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER due_anew AFTER UPDATE OF urgency ON approvals_handoff FOR EACH ROW
    WHEN (OLD.urgency <> NEW.urgency) EXECUTE FUNCTION approvals_check_due();
ALTER TABLE approvals_handoff ENABLE ALWAYS TRIGGER due_anew;

-- Replays that ask models anew: an agents process makes one, of a run that has ended. Its calls are paid for.
GRANT SELECT ON agents_replay TO @web@, @agents@;
GRANT INSERT ON agents_replay TO @agents@;

DROP POLICY IF EXISTS of_the_past ON agents_replay;
CREATE POLICY of_the_past ON agents_replay AS RESTRICTIVE FOR INSERT TO @agents@ WITH CHECK (
    EXISTS (SELECT FROM agents_run r WHERE r.id = run_id AND r.state = 'done')
);

-- The same caps as a run of this agent would have now.
CREATE OR REPLACE FUNCTION agents_replay_most() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.most_micros := (SELECT agents_most_of(r.workspace_id, r.agent, r.asked_by) FROM agents_run r
                        WHERE r.workspace_id = NEW.workspace_id AND r.id = NEW.run_id);
    NEW.created_at := now();
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER most BEFORE INSERT ON agents_replay FOR EACH ROW EXECUTE FUNCTION agents_replay_most();
ALTER TABLE agents_replay ENABLE ALWAYS TRIGGER most;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON agents_replay
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE agents_replay ENABLE ALWAYS TRIGGER append_only;

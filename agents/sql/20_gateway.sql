-- The gateway: web says what may be asked and what it costs; agents record calls, each settled once.
GRANT SELECT ON agents_modelbackend, agents_modelprice, agents_budget, agents_confidencebar, agents_account,
    agents_modelcall, agents_backendhealth TO @web@, @agents@;
GRANT INSERT ON agents_modelbackend, agents_modelkey, agents_modelprice, agents_budget, agents_confidencebar TO @web@;
GRANT SELECT (id, workspace_id, backend, version, key_id, made_by, created_at) ON agents_modelkey TO @web@;
GRANT SELECT ON agents_modelkey TO @agents@;
GRANT INSERT ON agents_modelcall TO @agents@;
GRANT UPDATE (outcome, cost_micros, input_tokens, output_tokens, micros, request_id, served_by, error, value,
    answer_digest, settled_at) ON agents_modelcall TO @agents@;
GRANT INSERT, UPDATE (money, tokens, model_calls, tool_calls, wall_ms) ON agents_account TO @agents@;
GRANT INSERT, UPDATE (failures, rest_until) ON agents_backendhealth TO @agents@;
GRANT UPDATE (cost_micros) ON agents_run TO @agents@;
-- How high the stakes of a draft are: a second model looks at medium and high.
GRANT SELECT ON approvals_threshold TO @agents@;

-- A call is open when it is made, of a run under way or of a replay, and settled once, at no more than was reserved.
DROP POLICY IF EXISTS own_runs ON agents_modelcall;
CREATE POLICY own_runs ON agents_modelcall AS RESTRICTIVE FOR INSERT TO @agents@ WITH CHECK (
    outcome = 'open' AND value IS NULL AND cost_micros = 0 AND settled_at IS NULL
    AND (replay_id IS NULL AND EXISTS (SELECT FROM agents_run r WHERE r.id = run_id AND r.state = 'running'
                                       AND r.fence = agents_modelcall.fence)
         OR EXISTS (SELECT FROM agents_replay p WHERE p.id = replay_id AND p.run_id = agents_modelcall.run_id
                    AND p.created_at > now() - interval '15 minutes'))
);
CREATE OR REPLACE FUNCTION agents_settle_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND audit_taking_away(TG_TABLE_NAME) THEN RETURN NEW; END IF;
    IF TG_OP = 'DELETE' OR OLD.outcome <> 'open' OR NEW.outcome = 'open' OR NEW.settled_at IS NULL THEN
        RAISE EXCEPTION 'a model call is settled once' USING ERRCODE = 'CS001';
    END IF;
    IF NEW.cost_micros > OLD.most_money THEN
        RAISE EXCEPTION 'a model call costs no more than was reserved' USING ERRCODE = 'CS001';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER settled_once BEFORE UPDATE OR DELETE ON agents_modelcall
    FOR EACH ROW EXECUTE FUNCTION agents_settle_once();
ALTER TABLE agents_modelcall ENABLE ALWAYS TRIGGER settled_once;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['modelbackend', 'modelkey', 'modelprice', 'budget', 'confidencebar'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON agents_%s
                        FOR EACH ROW EXECUTE FUNCTION audit_refuse()', t);
        EXECUTE format('ALTER TABLE agents_%s ENABLE ALWAYS TRIGGER append_only', t);
        EXECUTE format('CREATE OR REPLACE TRIGGER watched AFTER INSERT ON agents_%s
                        FOR EACH ROW EXECUTE FUNCTION audit_watch()', t);
        EXECUTE format('ALTER TABLE agents_%s ENABLE ALWAYS TRIGGER watched', t);
    END LOOP;
END $$;

-- The most that a run can cost is known before it starts: the smallest cap a run of this agent has, 100,000
-- micro-dollars ($0.10) where none is set, nothing where the workspace asks no model.
CREATE OR REPLACE FUNCTION agents_most_of(workspace bigint, agent text, asked_by text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM agents_modelbackend WHERE workspace_id = workspace) THEN
        RETURN 0;
    END IF;
    RETURN coalesce((
        SELECT min(b.most) FROM agents_budget b WHERE b.workspace_id = workspace AND NOT b.retired
        AND b.kind = 'money' AND b.per = 'run' AND (b.scope <> 'agent' OR b.holder IN ('', agent))
        AND (b.scope <> 'person' OR ('person:' || b.holder) = asked_by
             OR (b.holder = '' AND asked_by LIKE 'person:%'))
        AND NOT EXISTS (SELECT FROM agents_budget n WHERE n.workspace_id = b.workspace_id AND n.series = b.series
                        AND n.version > b.version)), 100000);
END $$;
CREATE OR REPLACE FUNCTION agents_run_most() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.most_micros := agents_most_of(NEW.workspace_id, NEW.agent, NEW.asked_by);
    NEW.cost_micros := 0;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER most BEFORE INSERT ON agents_run FOR EACH ROW EXECUTE FUNCTION agents_run_most();
ALTER TABLE agents_run ENABLE ALWAYS TRIGGER most;

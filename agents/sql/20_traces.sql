-- Traces: what a run read, and that nothing of an agent comes in without one.
GRANT SELECT ON agents_toolcall TO @web@, @apply@, @agents@;
GRANT INSERT ON agents_toolcall TO @agents@;
GRANT UPDATE (retrieved) ON agents_run TO @agents@;

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON agents_toolcall
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE agents_toolcall ENABLE ALWAYS TRIGGER append_only;

-- A call is of a run under way: asked once for all that are written together.
CREATE OR REPLACE FUNCTION agents_calls_under_way() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM written w LEFT JOIN agents_run r ON r.workspace_id = w.workspace_id AND r.id = w.run_id
               AND r.state = 'running' WHERE r.id IS NULL) THEN
        RAISE EXCEPTION 'a tool call of a run that is not under way' USING ERRCODE = '42501';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER under_way AFTER INSERT ON agents_toolcall REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION agents_calls_under_way();
ALTER TABLE agents_toolcall ENABLE ALWAYS TRIGGER under_way;

-- What an agent hands in carries the trace of its run, and the run's lease is how long it may. The trace is filled in
-- where it was left out; another one is refused.
CREATE OR REPLACE FUNCTION agents_trace_submission() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    traced text;
BEGIN
    SELECT r.trace_id INTO traced FROM agents_run r
    WHERE r.workspace_id = NEW.workspace_id AND r.id = substring(NEW.run from '^run:([0-9]{1,18})$')::bigint
      AND 'agent:' || r.agent = NEW.proposer AND (r.lease_until IS NULL OR r.lease_until > clock_timestamp());
    IF traced IS NULL OR NEW.trace_id NOT IN ('', traced) THEN
        RAISE EXCEPTION '% hands in for a run that is not its own, whose lease is over, or under another trace',
            NEW.proposer USING ERRCODE = '42501';
    END IF;
    NEW.trace_id := traced;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER traced BEFORE INSERT ON approvals_submission
    FOR EACH ROW WHEN (NEW.proposer LIKE 'agent:%') EXECUTE FUNCTION agents_trace_submission();
ALTER TABLE approvals_submission ENABLE ALWAYS TRIGGER traced;

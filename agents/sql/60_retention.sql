-- What is kept for a time: each kind's tables and the days it has where nobody set others. A batch goes by one function,
-- beside the entry that counts it, oldest first; what somebody holds stays.
CREATE OR REPLACE VIEW agents_periods AS
SELECT kind, relation, days FROM (VALUES
    ('full_transcripts', 'agents_fulltranscript', 90),
    ('transcripts', 'agents_transcript', 180),
    ('traces', 'agents_step', 365),
    ('traces', 'agents_toolcall', 365)
) AS periods (kind, relation, days);
GRANT SELECT ON agents_periods TO @web@, @apply@;

CREATE OR REPLACE FUNCTION agents_retain(ws bigint, wanted text, at timestamptz, most integer, only_count boolean)
RETURNS jsonb SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    counts jsonb := '{}'; one record; n bigint; held bigint[] := '{}'; before timestamptz; hold record;
BEGIN
    IF ws::text IS DISTINCT FROM current_setting('countersign.workspace', true) OR at > clock_timestamp() THEN
        RAISE EXCEPTION 'retention belongs inside its workspace and into its time' USING ERRCODE = '42501';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('retention:' || ws, 6));
    FOR hold IN SELECT h.about FROM (SELECT DISTINCT ON (about) about, placed FROM audit_hold WHERE workspace_id = ws
                                     ORDER BY about, id DESC) h WHERE h.placed LOOP
        IF hold.about = '' THEN RETURN counts; END IF;
        held := held || agents_numbers(agents_theirs(ws, hold.about), 'runs');
    END LOOP;
    FOR one IN SELECT p.relation, p.days FROM agents_periods p WHERE p.kind = wanted ORDER BY p.relation LOOP
        before := at - make_interval(days => coalesce((
            SELECT r.days FROM audit_retention r WHERE r.workspace_id = ws AND r.kind = wanted
            ORDER BY r.version DESC LIMIT 1), one.days));
        IF only_count THEN
            EXECUTE format('SELECT count(*) FROM (SELECT FROM %I WHERE workspace_id = $1 AND created_at < $2'
                           ' AND run_id <> ALL ($3) ORDER BY id LIMIT $4) x', one.relation)
                INTO n USING ws, before, held, most;
        ELSE
            EXECUTE format('DELETE FROM %1$I WHERE id IN (SELECT id FROM %1$I WHERE workspace_id = $1'
                           ' AND created_at < $2 AND run_id <> ALL ($3) ORDER BY id LIMIT $4)', one.relation)
                USING ws, before, held, most;
            GET DIAGNOSTICS n = ROW_COUNT;
        END IF;
        IF n > 0 THEN counts := counts || jsonb_build_object(one.relation, n); END IF;
    END LOOP;
    IF NOT only_count AND NOT EXISTS (
        SELECT FROM audit_entry e WHERE e.workspace_id = ws AND e.xact = pg_current_xact_id()
        AND e.event = 'retention.ran' AND e.subject = 'retention:' || wanted
        AND e.canonical::jsonb->'body'->'counts' = counts) THEN
        RAISE EXCEPTION 'no entry says what retention takes away' USING ERRCODE = 'CS003';
    END IF;
    RETURN counts;
END $$;
REVOKE ALL ON FUNCTION agents_retain(bigint, text, timestamptz, integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agents_retain(bigint, text, timestamptz, integer, boolean) TO @apply@;

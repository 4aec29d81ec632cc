-- Practice: web alone, each person their own. Neither who proposes nor who applies can so much as read a planted item.
GRANT SELECT, INSERT ON approvals_practiceitem TO @web@;
GRANT UPDATE (answer, answered_at) ON approvals_practiceitem TO @web@;

DROP POLICY IF EXISTS own_practice ON approvals_practiceitem;
CREATE POLICY own_practice ON approvals_practiceitem AS RESTRICTIVE TO @web@ USING (
    person_id::text = current_setting('countersign.person', true));

CREATE OR REPLACE FUNCTION approvals_check_practice() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.answer = '' THEN
        RETURN NEW;
    END IF;
    IF TG_OP <> 'UPDATE' OR OLD.answer <> ''
        OR to_jsonb(NEW) - ARRAY['answer', 'answered_at'] <> to_jsonb(OLD) - ARRAY['answer', 'answered_at'] THEN
        RAISE EXCEPTION 'practice: what was dealt or answered stays as it is' USING ERRCODE = 'CS001';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER checked BEFORE INSERT OR UPDATE OR DELETE ON approvals_practiceitem
    FOR EACH ROW EXECUTE FUNCTION approvals_check_practice();
ALTER TABLE approvals_practiceitem ENABLE ALWAYS TRIGGER checked;

-- How the team does, without saying who: nothing is told of fewer than three people.
CREATE OR REPLACE FUNCTION approvals_practised(since timestamptz)
RETURNS TABLE (people bigint, planted bigint, caught bigint, sound bigint, doubted bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp STABLE AS $$
    SELECT count(DISTINCT person_id), count(*) FILTER (WHERE i.planted),
        count(*) FILTER (WHERE i.planted AND answer = 'reject'), count(*) FILTER (WHERE NOT i.planted),
        count(*) FILTER (WHERE NOT i.planted AND answer = 'reject')
    FROM approvals_practiceitem i
    WHERE workspace_id = nullif(current_setting('countersign.workspace', true), '')::bigint
    AND answer <> '' AND answered_at > since HAVING count(DISTINCT person_id) >= 3
$$;
REVOKE ALL ON FUNCTION approvals_practised(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION approvals_practised(timestamptz) TO @web@;

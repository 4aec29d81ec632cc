-- Erasing a person: one function, which nobody else has and which the apply worker alone may call. It says what it
-- would take away; takes it away only beside the entry that says the same; and refuses under a hold.
CREATE OR REPLACE FUNCTION agents_numbers(theirs jsonb, name text) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(array_agg(n::bigint), '{}') FROM jsonb_array_elements_text(theirs->name) n
$$;
CREATE OR REPLACE FUNCTION agents_texts(theirs jsonb, name text) RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(array_agg(t), '{}') FROM jsonb_array_elements_text(theirs->name) t
$$;
CREATE OR REPLACE FUNCTION agents_renamed(theirs jsonb, known text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(theirs->'names'->>known, known)
$$;

-- Everything that is theirs, by number. A person is a customer, the contact they are, contacts that were merged with
-- it, and every customer who is one of these; what came from their address without their being known is theirs too.
CREATE OR REPLACE FUNCTION agents_theirs(ws bigint, whose text) RETURNS jsonb STABLE LANGUAGE sql
SET search_path = public, pg_temp AS $$
    WITH RECURSIVE person (kind, id) AS (
        SELECT split_part(whose, ':', 1), substring(whose from ':([0-9]{1,18})$')::bigint
        UNION SELECT more.kind, more.id FROM person p CROSS JOIN LATERAL (
            SELECT 'contact' AS kind, c.contact_id AS id FROM portal_customer c
                WHERE p.kind = 'customer' AND c.workspace_id = ws AND c.id = p.id
            UNION ALL SELECT 'customer', c.id FROM portal_customer c
                WHERE p.kind = 'contact' AND c.workspace_id = ws AND c.contact_id = p.id
            UNION ALL SELECT 'contact', c.merged_into_id FROM portal_contact c
                WHERE p.kind = 'contact' AND c.workspace_id = ws AND c.id = p.id
            UNION ALL SELECT 'contact', c.id FROM portal_contact c
                WHERE p.kind = 'contact' AND c.workspace_id = ws AND c.merged_into_id = p.id
        ) more WHERE more.id IS NOT NULL
    ), customers AS (
        SELECT c.* FROM portal_customer c WHERE c.workspace_id = ws AND c.id IN (SELECT id FROM person WHERE kind = 'customer')
    ), contacts AS (
        SELECT c.* FROM portal_contact c WHERE c.workspace_id = ws AND c.id IN (SELECT id FROM person WHERE kind = 'contact')
    ), tickets AS (
        SELECT t.* FROM portal_ticket t WHERE t.workspace_id = ws AND (t.customer_id IN (SELECT id FROM customers)
            OR t.customer_id IS NULL AND t.sender_email <> '' AND lower(t.sender_email) IN (
                SELECT lower(email) FROM customers UNION ALL SELECT lower(fields->>'email') FROM contacts))
    ), cases AS (
        SELECT c.* FROM approvals_case c WHERE c.workspace_id = ws AND (
            c.customer IN (SELECT customer_id FROM customers WHERE customer_id <> '')
            OR c.subject IN (SELECT 'ticket:' || ticket_id FROM tickets UNION ALL SELECT 'contact:' || contact_id FROM contacts))
    ), proposals AS (
        SELECT p.* FROM approvals_proposal p WHERE p.workspace_id = ws AND (p.case_id IN (SELECT id FROM cases)
            OR p.customer IN (SELECT customer_id FROM customers WHERE customer_id <> '')
            OR p.target IN (SELECT 'contact:' || contact_id FROM contacts))
    )
    SELECT jsonb_build_object(
        'customers', (SELECT coalesce(jsonb_agg(id), '[]') FROM customers),
        'contacts', (SELECT coalesce(jsonb_agg(id), '[]') FROM contacts),
        'tickets', (SELECT coalesce(jsonb_agg(id), '[]') FROM tickets),
        'orders', (SELECT coalesce(jsonb_agg(o.id), '[]') FROM portal_order o
                   WHERE o.workspace_id = ws AND o.customer_id IN (SELECT id FROM customers)),
        'cases', (SELECT coalesce(jsonb_agg(id), '[]') FROM cases),
        'proposals', (SELECT coalesce(jsonb_agg(id), '[]') FROM proposals),
        'subjects', (SELECT coalesce(jsonb_agg('proposal:' || id), '[]') FROM proposals),
        'submissions', (SELECT coalesce(jsonb_agg(s.id), '[]') FROM approvals_submission s WHERE s.workspace_id = ws
                        AND (s.case_id IN (SELECT id FROM cases) OR s.id IN (SELECT submission_id FROM proposals))),
        'runs', (SELECT coalesce(jsonb_agg(r.id), '[]') FROM agents_run r
                 WHERE r.workspace_id = ws AND r.case_id IN (SELECT id FROM cases)),
        'names', (SELECT coalesce(jsonb_object_agg(customer_id, 'erased-' || id), '{}') FROM customers),
        'rows', (SELECT coalesce(jsonb_agg(kind || ':' || id), '[]') FROM person),
        'abouts', (SELECT coalesce(jsonb_agg(about), '[]') FROM (
            SELECT 'customer:' || customer_id AS about FROM customers UNION ALL SELECT 'contact:' || contact_id FROM contacts
            UNION ALL SELECT 'case:' || id FROM cases UNION ALL SELECT 'ticket:' || ticket_id FROM tickets
            UNION ALL SELECT 'proposal:' || id FROM proposals) whatever))
$$;
GRANT EXECUTE ON FUNCTION agents_theirs(bigint, text) TO @apply@;

-- Why nothing of theirs may go now, or "".
CREATE OR REPLACE FUNCTION agents_keeps(ws bigint, theirs jsonb) RETURNS text STABLE LANGUAGE sql
SET search_path = public, pg_temp AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM (
            SELECT DISTINCT ON (about) placed FROM audit_hold WHERE workspace_id = ws
            AND (about = '' OR about = ANY (agents_texts(theirs, 'rows'))) ORDER BY about, id DESC) h WHERE h.placed)
        THEN 'hold'
        WHEN EXISTS (SELECT FROM approvals_proposal WHERE workspace_id = ws
            AND id = ANY (agents_numbers(theirs, 'proposals'))
            AND state IN ('pending', 'stale', 'approved', 'applying', 'unknown'))
        THEN 'proposal'
        WHEN EXISTS (SELECT FROM agents_run WHERE workspace_id = ws AND id = ANY (agents_numbers(theirs, 'runs'))
            AND state IN ('queued', 'running'))
        THEN 'run'
        WHEN EXISTS (SELECT FROM approvals_submission WHERE workspace_id = ws
            AND id = ANY (agents_numbers(theirs, 'submissions')) AND status = 'new')
        THEN 'submission'
        ELSE '' END
$$;
GRANT EXECUTE ON FUNCTION agents_keeps(bigint, jsonb) TO @apply@;

CREATE OR REPLACE FUNCTION agents_erase(ws bigint, whose text, only_count boolean) RETURNS jsonb SECURITY DEFINER
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    theirs jsonb; counts jsonb := '{}'; one record; writes text; n bigint; kept text;
BEGIN
    IF ws::text IS DISTINCT FROM current_setting('countersign.workspace', true) THEN
        RAISE EXCEPTION 'erasing belongs inside its workspace' USING ERRCODE = '42501';
    END IF;
    -- Nothing new of theirs comes in until this ends: a ticket, a run and a proposal each look at one of these rows.
    theirs := agents_theirs(ws, whose);
    PERFORM FROM portal_customer WHERE id = ANY (agents_numbers(theirs, 'customers')) ORDER BY id FOR UPDATE;
    PERFORM FROM portal_contact WHERE id = ANY (agents_numbers(theirs, 'contacts')) ORDER BY id FOR UPDATE;
    PERFORM FROM portal_ticket WHERE id = ANY (agents_numbers(theirs, 'tickets')) ORDER BY id FOR UPDATE;
    PERFORM FROM approvals_case WHERE id = ANY (agents_numbers(theirs, 'cases')) ORDER BY id FOR UPDATE;
    PERFORM FROM audit_subjectkey WHERE workspace_id = ws AND about = ANY (agents_texts(theirs, 'abouts'))
        ORDER BY id FOR UPDATE;
    theirs := agents_theirs(ws, whose);
    kept := agents_keeps(ws, theirs);
    IF kept <> '' THEN
        RAISE EXCEPTION 'nothing of % is erased now: %', whose, kept USING ERRCODE = 'CS016';
    END IF;
    FOR one IN SELECT r.relation, r.finds FROM agents_held_rows r ORDER BY r.place LOOP
        SELECT string_agg(format('%I = %s', h.field, h.becomes), ', ') INTO writes
        FROM agents_held h WHERE h.relation = one.relation AND h.becomes IS NOT NULL;
        IF only_count THEN
            EXECUTE format('SELECT count(*) FROM %I WHERE workspace_id = $1 AND (%s)', one.relation, one.finds)
                INTO n USING ws, theirs;
        ELSIF writes LIKE '%= deleted' THEN
            EXECUTE format('DELETE FROM %I WHERE workspace_id = $1 AND (%s)', one.relation, one.finds) USING ws, theirs;
            GET DIAGNOSTICS n = ROW_COUNT;
        ELSE
            EXECUTE format('UPDATE %I SET %s WHERE workspace_id = $1 AND (%s)', one.relation, writes, one.finds)
                USING ws, theirs;
            GET DIAGNOSTICS n = ROW_COUNT;
        END IF;
        IF n > 0 THEN counts := counts || jsonb_build_object(one.relation, n); END IF;
    END LOOP;
    IF NOT only_count AND NOT EXISTS (
        SELECT FROM audit_entry e WHERE e.workspace_id = ws AND e.xact = pg_current_xact_id()
        AND e.event = 'subject.erased' AND e.subject = 'erasure:' || whose
        AND e.canonical::jsonb->'body'->'counts' = counts) THEN
        RAISE EXCEPTION 'no entry says what is erased of %', whose USING ERRCODE = 'CS003';
    END IF;
    RETURN counts;
END $$;
REVOKE ALL ON FUNCTION agents_erase(bigint, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agents_erase(bigint, text, boolean) TO @apply@;

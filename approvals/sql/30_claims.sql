-- What is free of leases that are over; what somebody else is just taking is left to them.
CREATE OR REPLACE FUNCTION approvals_free_claims(ws bigint, at timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    freed integer;
BEGIN
    UPDATE approvals_claim SET person_id = NULL, token = '', until = NULL WHERE id IN (
        SELECT c.id FROM approvals_claim c WHERE c.workspace_id = ws AND c.person_id IS NOT NULL AND c.until <= at
        AND c.proposer <> ''  -- the others have no place in the queue
        FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS freed = ROW_COUNT;
    RETURN freed;
END $$;

-- Claim-next as one statement, its plans kept by the session. The person's lock comes before the count, so that two
-- claims at once do not both count two. Runs as whoever calls it: row security and grants hold.
CREATE OR REPLACE FUNCTION approvals_claim_next(
    ws bigint, me bigint, my_roles text[], at timestamptz, lease interval, most integer, new_token text,
    OUT held integer, OUT id bigint, OUT item text, OUT urgency bigint
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    teams text[];
    languages text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(ws || ':claims:' || me, 3));
    SELECT count(*) INTO held FROM approvals_claim c WHERE c.workspace_id = ws AND c.person_id = me AND c.until > at;
    IF held >= most THEN RETURN; END IF;
    SELECT array_agg(s.value) FILTER (WHERE s.kind = 'team'), array_agg(s.value) FILTER (WHERE s.kind = 'language')
        INTO teams, languages FROM portal_skill s WHERE s.workspace_id = ws AND s.person_id = me;
    LOOP
        UPDATE approvals_claim taken SET person_id = me, token = new_token, until = at + lease WHERE taken.id = (
            SELECT c.id FROM approvals_claim c
            WHERE c.workspace_id = ws AND c.person_id IS NULL AND c.proposer NOT IN ('', 'person:' || me)
            AND (teams IS NULL OR c.team = '' OR c.team = ANY (teams))
            AND (languages IS NULL OR c.language = '' OR c.language = ANY (languages))
            AND (c.item NOT LIKE 'proposal:%' OR (  -- a scalar, since EXISTS would be hashed: the whole table read
                SELECT true FROM approvals_proposal p WHERE p.id = substr(c.item, 10)::bigint
                -- not voted on already, not edited so that somebody else must approve it
                AND (p.people = 1 OR NOT EXISTS (
                    SELECT FROM approvals_decision d WHERE d.proposal_id = p.id AND d.person_id = me
                    AND d.kind = 'approve' AND d.revision = p.revision AND d.round = p.round))
                AND (p.revision = 1 OR NOT EXISTS (
                    SELECT FROM approvals_revision r WHERE r.proposal_id = p.id AND r.made_by = 'person:' || me
                    AND NOT r.alone))
                -- the last seat may be kept for a role
                AND (p.people = 1 OR NOT EXISTS (
                    SELECT FROM approvals_revision r WHERE r.proposal_id = p.id AND r.number = p.revision
                    AND r.second_role <> '' AND r.second_role <> ALL (my_roles) AND r.people <= 1 + (
                        SELECT count(*) FROM approvals_decision d WHERE d.proposal_id = p.id AND d.kind = 'approve'
                        AND d.revision = p.revision AND d.round = p.round)
                    AND NOT EXISTS (
                        SELECT FROM approvals_decision d JOIN portal_membership m
                        ON m.workspace_id = ws AND m.person_id = d.person_id AND m.role = r.second_role AND m.active
                        WHERE d.proposal_id = p.id AND d.kind = 'approve' AND d.revision = p.revision
                        AND d.round = p.round)))))
            ORDER BY c.urgency, c.id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING taken.id, taken.item, taken.urgency INTO id, item, urgency;
        EXIT WHEN id IS NOT NULL OR approvals_free_claims(ws, at) = 0;
    END LOOP;
END $$;

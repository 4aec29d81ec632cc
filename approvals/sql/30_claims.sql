-- What is free of leases that are over; what somebody else is just taking is left to them.
CREATE OR REPLACE FUNCTION approvals_free_claims(ws bigint, at timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    freed integer;
BEGIN
    UPDATE approvals_claim SET person_id = NULL, token = '', until = NULL, given = false WHERE id IN (
        SELECT c.id FROM approvals_claim c WHERE c.workspace_id = ws AND c.person_id IS NOT NULL AND c.until <= at
        AND c.proposer <> ''  -- the others have no place in the queue
        FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS freed = ROW_COUNT;
    RETURN freed;
END $$;

-- Whether a person may still decide a proposal: not voted on already, not edited so that somebody else must approve
-- it, and the last seat is not kept for a role they do not hold.
CREATE OR REPLACE FUNCTION approvals_may_take(ws bigint, proposal bigint, me bigint, my_roles text[])
RETURNS boolean STABLE LANGUAGE plpgsql AS $$
DECLARE
    p record;
BEGIN
    SELECT people, revision, round INTO p FROM approvals_proposal WHERE id = proposal;
    IF p.revision > 1 AND EXISTS (SELECT FROM approvals_revision r WHERE r.proposal_id = proposal
                                  AND r.made_by = 'person:' || me AND NOT r.alone) THEN
        RETURN false;
    END IF;
    IF p.people = 1 THEN RETURN true; END IF;
    RETURN NOT EXISTS (
        SELECT FROM approvals_decision d WHERE d.proposal_id = proposal AND d.person_id = me AND d.kind = 'approve'
        AND d.revision = p.revision AND d.round = p.round
    ) AND NOT EXISTS (
        SELECT FROM approvals_revision r WHERE r.proposal_id = proposal AND r.number = p.revision
        AND r.second_role <> '' AND r.second_role <> ALL (my_roles) AND r.people <= 1 + (
            SELECT count(*) FROM approvals_decision d WHERE d.proposal_id = proposal AND d.kind = 'approve'
            AND d.revision = p.revision AND d.round = p.round)
        AND NOT EXISTS (
            SELECT FROM approvals_decision d JOIN portal_membership m
            ON m.workspace_id = ws AND m.person_id = d.person_id AND m.role = r.second_role AND m.active
            WHERE d.proposal_id = proposal AND d.kind = 'approve' AND d.revision = p.revision AND d.round = p.round));
END $$;

-- Since when the case of an item waits for its customer; null where it does not.
CREATE OR REPLACE FUNCTION approvals_waiting_since(item text) RETURNS timestamptz STABLE LANGUAGE plpgsql AS $$
BEGIN
    IF item LIKE 'proposal:%' THEN
        RETURN (SELECT k.waiting_since FROM approvals_proposal p JOIN approvals_case k ON k.id = p.case_id
                WHERE p.id = substr(item, 10)::bigint);
    END IF;
    RETURN (SELECT k.waiting_since FROM approvals_handoff h JOIN approvals_case k ON k.id = h.case_id
            WHERE h.id = substr(item, 9)::bigint);
END $$;

-- Claim-next as one call, its plans kept by the session and along the queue's index: a plan that sorts would read
-- the whole queue. The person's lock comes before the count, so that two claims at once do not both count two.
-- Nobody waits for the disk where nothing else was written before: a lease that a crash forgets leaves the item free,
-- which is all that an end of it does; a decision made on the way here is on the disk when it is reported.
-- Both are done where the variables are declared, which costs no statement.
-- Runs as whoever calls it: row security and grants hold. Returns the item, null where nothing was taken, or `full` where
-- the person took `most` already; what a manager gave them is beside these.
-- An older release's function of the same purpose had another type; it is gone, so that either release can make its own.
DROP FUNCTION IF EXISTS approvals_claim_next(bigint, bigint, text[], timestamptz, timestamptz, integer, text);
CREATE OR REPLACE FUNCTION approvals_take_next(
    ws bigint, me bigint, my_roles text[], at timestamptz, ends timestamptz, most integer, new_token text
) RETURNS text LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_sort = off AS $$
DECLARE
    actor text := 'person:' || me;
    locked text := pg_advisory_xact_lock(hashtextextended(ws || ':claims:' || me, 3))::text;
    relaxed text := CASE WHEN pg_current_xact_id_if_assigned() IS NULL
                    THEN set_config('synchronous_commit', 'off', true) END;
    teams text[];
    languages text[];
    candidate record;
    waits timestamptz;
    some_wait boolean := false;
BEGIN
    IF EXISTS (SELECT FROM approvals_claim c WHERE c.workspace_id = ws AND c.person_id = me AND c.until > at
               AND NOT c.given OFFSET greatest(most, 1) - 1) THEN
        RETURN 'full';
    END IF;
    IF EXISTS (SELECT FROM portal_skill s WHERE s.workspace_id = ws AND s.person_id = me) THEN
        SELECT array_agg(s.value) FILTER (WHERE s.kind = 'team'), array_agg(s.value) FILTER (WHERE s.kind = 'language')
            INTO teams, languages FROM portal_skill s WHERE s.workspace_id = ws AND s.person_id = me;
    END IF;
    LOOP
        SELECT c.id, c.item INTO candidate FROM approvals_claim c
            WHERE c.workspace_id = ws AND c.person_id IS NULL AND c.proposer <> actor AND c.proposer <> ''
            AND (teams IS NULL OR c.team = '' OR c.team = ANY (teams))
            AND (languages IS NULL OR c.language = '' OR c.language = ANY (languages))
            AND (c.snoozed_until IS NULL OR c.snoozed_until <= at)
            AND (c.escalated = '' OR 'manager' = ANY (my_roles)) -- it waits for a manager
            AND (c.anyones OR c.item NOT LIKE 'proposal:%'
                 OR approvals_may_take(ws, substr(c.item, 10)::bigint, me, my_roles))
            AND (NOT some_wait OR approvals_waiting_since(c.item) IS NULL)
            ORDER BY c.urgency, c.id LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            IF approvals_free_claims(ws, at) = 0 THEN RETURN NULL; END IF; -- else: what somebody left lying
            CONTINUE;
        END IF;
        -- While its case waits for its customer, nothing of it is due. Asked of the one that is locked alone, since the
        -- others looked at here are mostly somebody else's by now; of each only where the first one does wait. Without a
        -- call: every claim asks it.
        IF candidate.item LIKE 'proposal:%' THEN
            SELECT k.waiting_since INTO waits FROM approvals_proposal p JOIN approvals_case k ON k.id = p.case_id
                WHERE p.id = substr(candidate.item, 10)::bigint;
        ELSE
            SELECT k.waiting_since INTO waits FROM approvals_handoff h JOIN approvals_case k ON k.id = h.case_id
                WHERE h.id = substr(candidate.item, 9)::bigint;
        END IF;
        IF waits IS NOT NULL THEN
            some_wait := true;
            CONTINUE;
        END IF;
        UPDATE approvals_claim SET person_id = me, token = new_token, until = ends WHERE id = candidate.id;
        RETURN candidate.item;
    END LOOP;
END $$;

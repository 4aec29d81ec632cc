-- How long a message may be under way before it is said again, after so many: 2, 4, 8, then 16 seconds. Workers that
-- are behind must not find more and more of the same in front of them.
CREATE OR REPLACE FUNCTION approvals_pause(sends integer) RETURNS interval LANGUAGE sql IMMUTABLE AS $$
    SELECT interval '2 seconds' * (1 << least(sends, 3))
$$;

-- Which workspaces have something to do. Relay and sweep ask this first: what they cost grows with what is due, not
-- with how many workspaces there are. Ids only; what is due in one is then read inside it.
CREATE OR REPLACE FUNCTION approvals_to_relay() RETURNS TABLE (workspace bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp STABLE AS $$
    SELECT DISTINCT workspace_id FROM approvals_outbox
    WHERE dead_at IS NULL AND not_before <= statement_timestamp()
    AND (sent_at IS NULL OR sent_at < statement_timestamp() - approvals_pause(sends))
    AND (awaits IS NULL OR audit_sealed(awaits))
$$;
REVOKE ALL ON FUNCTION approvals_to_relay() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION approvals_to_relay() TO @apply@;

CREATE OR REPLACE FUNCTION approvals_to_sweep() RETURNS TABLE (workspace bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp STABLE AS $$
    SELECT workspace_id FROM approvals_timer WHERE look_at <= statement_timestamp()
    UNION SELECT workspace_id FROM approvals_claim
        WHERE person_id IS NOT NULL AND until <= statement_timestamp() AND proposer <> ''
    UNION SELECT c.workspace_id FROM approvals_claim c JOIN portal_delegation d
        ON d.workspace_id = c.workspace_id AND d.person_id = c.person_id AND c.proposer <> ''
        AND d.ended_at IS NULL AND d.starts_at <= statement_timestamp() AND d.ends_at > statement_timestamp()
    UNION SELECT workspace_id FROM approvals_attempt WHERE follow = 'pending' AND look_at <= statement_timestamp()
    UNION SELECT workspace_id FROM audit_unattributed WHERE reported_at IS NULL AND workspace_id IS NOT NULL
$$;
REVOKE ALL ON FUNCTION approvals_to_sweep() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION approvals_to_sweep() TO @apply@;

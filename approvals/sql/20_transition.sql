-- The wall behind `transition`: no proposal appears or moves but by a legal move, one version at a time, with its
-- entry written before it in the same transaction, and, where web moves it, with a person's decision beside it.
-- The table of moves is the one in approvals/state.py; a test compares them.
CREATE OR REPLACE VIEW approvals_moves AS
    SELECT * FROM (VALUES
        ('', 'pending', 'proposal.proposed', 'apply', '', false, false),
        ('', 'approved', 'proposal.allowed', 'apply', '', false, false),
        ('', 'denied', 'proposal.denied', 'apply', '', false, false),
        ('pending', 'pending', 'proposal.edited', 'web', 'edit', true, false),
        ('pending', 'pending', 'proposal.revised', 'apply', 'send_back', true, false),
        ('stale', 'pending', 'proposal.revised', 'apply', 'send_back', true, false),
        ('pending', 'pending', 'proposal.rescheduled', 'apply', '', false, false),
        ('stale', 'stale', 'proposal.rescheduled', 'apply', '', false, false),
        ('pending', 'pending', 'proposal.rebased', 'web,apply', 'approve', false, false),
        ('pending', 'approved', 'proposal.approved', 'web,apply', 'approve', false, false),
        ('pending', 'pending', 'proposal.unvoted', 'web', 'unvote', false, true),
        ('pending', 'rejected', 'proposal.rejected', 'web', 'reject', false, false),
        ('pending', 'stale', 'proposal.stale', 'web,apply', 'found_stale', false, false),
        ('approved', 'stale', 'proposal.stale', 'apply', '', false, false),
        ('stale', 'rejected', 'proposal.rejected', 'web', 'reject', false, false),
        ('stale', 'pending', 'proposal.redone', 'web', 'redo', true, false),
        ('failed', 'pending', 'proposal.redone', 'web', 'redo', true, false),
        ('pending', 'expired', 'proposal.expired', 'apply', '', false, false),
        ('stale', 'expired', 'proposal.expired', 'apply', '', false, false),
        ('approved', 'pending', 'proposal.stopped', 'web', 'stop', false, true),
        ('rejected', 'pending', 'proposal.reopened', 'web', 'reopen', false, true),
        ('pending', 'withdrawn', 'proposal.withdrawn', 'web,apply', 'withdraw', false, false),
        ('stale', 'withdrawn', 'proposal.withdrawn', 'web,apply', 'withdraw', false, false),
        ('approved', 'withdrawn', 'proposal.withdrawn', 'web,apply', 'withdraw', false, false),
        ('approved', 'applying', 'proposal.applying', 'apply', '', false, false),
        ('applying', 'applied', 'proposal.applied', 'apply', '', false, false),
        ('applying', 'failed', 'proposal.failed', 'apply', '', false, false),
        ('applying', 'unknown', 'proposal.unknown', 'apply', '', false, false),
        ('unknown', 'applied', 'proposal.applied', 'apply', '', false, false),
        ('unknown', 'failed', 'proposal.failed', 'apply', '', false, false),
        ('unknown', 'approved', 'proposal.cleared', 'apply', '', false, false)
    ) AS moves ("before", "after", event, processes, decisions, new_revision, new_round);
GRANT SELECT ON approvals_moves TO @web@, @apply@;

CREATE OR REPLACE FUNCTION approvals_check_transition() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    process text := CASE current_user WHEN @'web'@ THEN 'web' WHEN @'apply'@ THEN 'apply' ELSE current_user END;
    old_state text := CASE WHEN TG_OP = 'UPDATE' THEN OLD.state ELSE '' END;
    logged text;
    m record;
    r record;
    votes integer;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.version = OLD.version AND audit_taking_away(TG_TABLE_NAME)
           AND to_jsonb(NEW) - ARRAY['summary', 'basis', 'customer', 'content_key']
             = to_jsonb(OLD) - ARRAY['summary', 'basis', 'customer', 'content_key'] THEN
            RETURN NULL;
        END IF;
        IF NEW.version <> OLD.version + 1 THEN
            RAISE EXCEPTION 'proposal %: version % does not follow %', NEW.id, NEW.version, OLD.version
                USING ERRCODE = 'CS002';
        END IF;
        IF (NEW.id, NEW.workspace_id, NEW.submission_id, NEW.case_id, NEW.action, NEW.target, NEW.proposer,
            NEW.customer, NEW.undoes_id, NEW.created_at)
           IS DISTINCT FROM (OLD.id, OLD.workspace_id, OLD.submission_id, OLD.case_id, OLD.action, OLD.target,
            OLD.proposer, OLD.customer, OLD.undoes_id, OLD.created_at) THEN
            RAISE EXCEPTION 'proposal %: what it is about cannot change', NEW.id USING ERRCODE = 'CS002';
        END IF;
    ELSIF NEW.version <> 1 OR NEW.revision <> 1 OR NEW.round <> 1 THEN
        RAISE EXCEPTION 'proposal %: starts at version 1', NEW.id USING ERRCODE = 'CS002';
    END IF;

    SELECT event INTO logged FROM audit_entry
    WHERE workspace_id = NEW.workspace_id AND subject = 'proposal:' || NEW.id AND version = NEW.version
      AND state = NEW.state AND xact = pg_current_xact_id();
    IF logged IS NULL THEN
        RAISE EXCEPTION 'proposal %: no entry for version %, state %', NEW.id, NEW.version, NEW.state
            USING ERRCODE = 'CS003';
    END IF;

    SELECT * INTO m FROM approvals_moves
    WHERE "before" = old_state AND "after" = NEW.state AND event = logged;
    IF NOT FOUND OR NOT process = ANY (string_to_array(m.processes, ',')) THEN
        RAISE EXCEPTION 'proposal %: % may not move it from "%" to "%" by %', NEW.id, process, old_state, NEW.state,
            logged USING ERRCODE = 'CS004';
    END IF;

    SELECT * INTO r FROM approvals_revision WHERE proposal_id = NEW.id AND number = NEW.revision;
    IF NOT FOUND OR r.digest <> NEW.digest OR r.people <> NEW.people THEN
        RAISE EXCEPTION 'proposal %: digest and people are not those of revision %', NEW.id, NEW.revision
            USING ERRCODE = 'CS005';
    END IF;
    IF octet_length(r.nonce) = 0 THEN
        RAISE EXCEPTION 'proposal %: what it held was erased', NEW.id USING ERRCODE = 'CS016';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.revision <> OLD.revision + m.new_revision::int
                             OR NEW.round <> OLD.round + m.new_round::int) THEN
        RAISE EXCEPTION 'proposal %: % leads to another revision or round', NEW.id, logged USING ERRCODE = 'CS005';
    END IF;

    IF process = 'web' AND NOT EXISTS (
        SELECT FROM approvals_decision d WHERE d.proposal_id = NEW.id AND d.xact = pg_current_xact_id()
        AND d.revision = OLD.revision AND d.kind = ANY (string_to_array(m.decisions, ','))
    ) THEN
        RAISE EXCEPTION 'proposal %: % needs a person''s decision beside it', NEW.id, logged USING ERRCODE = 'CS006';
    END IF;

    IF logged = 'proposal.revised' AND NOT EXISTS (
        SELECT FROM approvals_decision d WHERE d.proposal_id = NEW.id AND d.revision = OLD.revision
        AND d.kind = 'send_back'
    ) THEN
        RAISE EXCEPTION 'proposal %: nobody sent it back', NEW.id USING ERRCODE = 'CS006';
    END IF;

    -- Counted at quorum and again at dispatch: whoever lost the role or was shut out since does not count. What comes
    -- back from unknown was counted when it left, and is counted again when it leaves again.
    IF (NEW.state = 'approved' AND old_state <> 'approved') OR (NEW.state = 'applying' AND old_state = 'approved') THEN
        SELECT count(DISTINCT d.person_id) INTO votes FROM approvals_decision d
        WHERE d.proposal_id = NEW.id AND d.kind = 'approve' AND d.revision = NEW.revision
          AND d.round = NEW.round AND d.digest = NEW.digest
          AND (old_state = 'unknown' OR EXISTS (
            SELECT FROM portal_membership held JOIN portal_person me ON me.id = held.person_id AND me.is_active
            WHERE held.workspace_id = NEW.workspace_id AND held.person_id = d.person_id AND held.active
            AND held.role IN ('reviewer', 'manager')));
        IF votes < greatest(NEW.people, (old_state = 'pending')::int) THEN
            RAISE EXCEPTION 'proposal %: % of % people approved', NEW.id, votes, NEW.people USING ERRCODE = 'CS007';
        END IF;
        IF r.second_role <> '' AND old_state <> 'unknown' AND NOT EXISTS (
            SELECT FROM approvals_decision d JOIN portal_membership p
              ON p.workspace_id = NEW.workspace_id AND p.person_id = d.person_id AND p.active AND p.role = r.second_role
            WHERE d.proposal_id = NEW.id AND d.kind = 'approve' AND d.revision = NEW.revision AND d.round = NEW.round
        ) THEN
            RAISE EXCEPTION 'proposal %: nobody among them is %', NEW.id, r.second_role USING ERRCODE = 'CS007';
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER checked AFTER INSERT OR UPDATE ON approvals_proposal
    FOR EACH ROW EXECUTE FUNCTION approvals_check_transition();
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER checked;
CREATE OR REPLACE TRIGGER kept BEFORE DELETE ON approvals_proposal
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER kept;

-- The digest is that of the bytes beside it, whoever wrote them: SHA-256 over nonce and content.
CREATE OR REPLACE FUNCTION approvals_check_revision() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF octet_length(NEW.nonce) <> 32
       OR NEW.digest <> encode(sha256(NEW.nonce || convert_to(NEW.content, 'UTF8')), 'hex') THEN
        RAISE EXCEPTION 'revision: the digest is not that of its content' USING ERRCODE = 'CS005';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER checked BEFORE INSERT ON approvals_revision
    FOR EACH ROW EXECUTE FUNCTION approvals_check_revision();
ALTER TABLE approvals_revision ENABLE ALWAYS TRIGGER checked;

-- Who may decide: the second wall behind `decisions`. A vote is on the current bytes, by an active person who holds
-- the role, who neither proposed it nor edited it (but where the revision says its editor may), for themselves.
CREATE OR REPLACE FUNCTION approvals_check_decision() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    p record;
    started_undo boolean;
BEGIN
    SELECT * INTO p FROM approvals_proposal WHERE id = NEW.proposal_id FOR SHARE;
    IF NOT FOUND OR p.revision <> NEW.revision OR p.digest <> NEW.digest OR p.round <> NEW.round THEN
        RAISE EXCEPTION 'decision: not on the current digest of proposal %', NEW.proposal_id USING ERRCODE = 'CS008';
    END IF;
    IF NOT EXISTS (
        SELECT FROM portal_membership m WHERE m.workspace_id = NEW.workspace_id AND m.person_id = NEW.person_id
        AND m.active AND m.role = NEW.role AND m.role IN ('reviewer', 'manager')
    ) THEN
        RAISE EXCEPTION 'decision: person % does not hold the role %', NEW.person_id, NEW.role
            USING ERRCODE = 'CS009';
    END IF;
    started_undo := p.undoes_id IS NOT NULL AND p.tier <> 'high' AND p.people = 1
        AND p.revision = 1 AND p.proposer = 'person:' || NEW.person_id AND NOT p.flags ? 'partial_undo';
    IF current_user = @'apply'@ THEN
        IF NOT (started_undo AND NEW.kind = 'approve') THEN
            RAISE EXCEPTION 'decision: only people decide' USING ERRCODE = 'CS009';
        END IF;
    ELSIF NEW.person_id::text IS DISTINCT FROM current_setting('countersign.person', true) THEN
        RAISE EXCEPTION 'decision: nobody decides for somebody else' USING ERRCODE = 'CS009';
    END IF;
    IF NEW.kind = 'approve' AND p.proposer = 'person:' || NEW.person_id AND NOT started_undo THEN
        RAISE EXCEPTION 'decision: person % proposed it', NEW.person_id USING ERRCODE = 'CS010';
    END IF;
    IF NEW.kind = 'approve' AND EXISTS (
        SELECT FROM approvals_revision v WHERE v.proposal_id = NEW.proposal_id AND NOT v.alone
        AND v.made_by = 'person:' || NEW.person_id AND NOT (started_undo AND v.number = 1)
    ) THEN
        RAISE EXCEPTION 'decision: person % edited it', NEW.person_id USING ERRCODE = 'CS010';
    END IF;
    IF NEW.kind = 'approve' AND EXISTS (
        SELECT FROM portal_person me WHERE me.id = NEW.person_id AND me.email <> '' AND (
            EXISTS (SELECT FROM portal_customer c WHERE c.workspace_id = p.workspace_id
                    AND c.customer_id = p.customer AND lower(c.email) = lower(me.email))
            OR EXISTS (SELECT FROM portal_contact c WHERE c.workspace_id = p.workspace_id
                       AND 'contact:' || c.contact_id = p.target AND lower(c.fields->>'email') = lower(me.email)))
    ) THEN
        RAISE EXCEPTION 'decision: person % is who it is about', NEW.person_id USING ERRCODE = 'CS010';
    END IF;
    IF NEW.kind = 'unvote' AND NOT EXISTS (
        SELECT FROM approvals_decision d WHERE d.proposal_id = NEW.proposal_id AND d.person_id = NEW.person_id
        AND d.kind = 'approve' AND d.revision = NEW.revision AND d.round = NEW.round
    ) THEN
        RAISE EXCEPTION 'decision: person % has not approved it', NEW.person_id USING ERRCODE = 'CS010';
    END IF;
    IF coalesce(current_setting('countersign.impersonator', true), '') <> '' THEN
        RAISE EXCEPTION 'decision: nobody decides in somebody else''s name' USING ERRCODE = 'CS009';
    END IF;
    IF NEW.kind IN ('found', 'not_found') AND (p.state <> 'unknown' OR NEW.role <> 'manager') THEN
        RAISE EXCEPTION 'decision: a manager says what became of an unknown one' USING ERRCODE = 'CS009';
    END IF;
    IF (NEW.kind IN ('found', 'not_found') OR (NEW.kind = 'approve' AND p.tier = 'high')) AND NOT EXISTS (
        SELECT FROM portal_stepup s WHERE s.id = NEW.step_up_id AND s.person_id = NEW.person_id
        AND s.subject = 'proposal:' || p.id AND s.digest = NEW.digest AND s.used_at IS NOT NULL
        AND s.passed_at > clock_timestamp() - interval '5 minutes'
        AND (p.tier <> 'high' OR s.method <> 'password')
    ) THEN
        RAISE EXCEPTION 'decision: no fresh proof of presence for this digest' USING ERRCODE = 'CS011';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER checked BEFORE INSERT ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_check_decision();
ALTER TABLE approvals_decision ENABLE ALWAYS TRIGGER checked;

-- Nothing is sent but for what is being applied, and only the newest attempt says how it ended.
CREATE OR REPLACE FUNCTION approvals_check_attempt() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'sent' OR NOT EXISTS (
            SELECT FROM approvals_proposal p WHERE p.id = NEW.proposal_id AND p.state = 'applying'
            AND p.revision = NEW.revision
        ) THEN
            RAISE EXCEPTION 'attempt: proposal % is not being applied', NEW.proposal_id USING ERRCODE = 'CS012';
        END IF;
        IF EXISTS (
            SELECT FROM approvals_attempt a WHERE a.proposal_id = NEW.proposal_id
            AND (a.state IN ('sent', 'done') OR (a.revision = NEW.revision AND a.fence >= NEW.fence))
        ) THEN
            RAISE EXCEPTION 'attempt: one is under way or has ended well' USING ERRCODE = 'CS012';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state NOT IN ('sent', 'lost') OR NEW.state = 'sent' OR (OLD.state = 'sent' AND EXISTS (
        SELECT FROM approvals_attempt a WHERE a.proposal_id = NEW.proposal_id AND a.revision = NEW.revision
        AND a.fence > NEW.fence
    ))) THEN
        RAISE EXCEPTION 'attempt: fence % is not the newest, or it has ended', NEW.fence USING ERRCODE = 'CS012';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER checked BEFORE INSERT OR UPDATE ON approvals_attempt
    FOR EACH ROW EXECUTE FUNCTION approvals_check_attempt();
ALTER TABLE approvals_attempt ENABLE ALWAYS TRIGGER checked;
CREATE OR REPLACE TRIGGER kept BEFORE DELETE ON approvals_attempt
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE approvals_attempt ENABLE ALWAYS TRIGGER kept;

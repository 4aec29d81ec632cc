-- The tree over all entries: only the sealer writes it, nobody changes it, and its leaves have no gap and no double.
DO $$
DECLARE
    sealed text;
BEGIN
    FOREACH sealed IN ARRAY ARRAY['audit_leaf', 'audit_node', 'audit_checkpoint'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I'
                       ' FOR EACH ROW EXECUTE FUNCTION audit_refuse()', sealed);
        EXECUTE format('CREATE OR REPLACE TRIGGER never_truncated BEFORE TRUNCATE ON %I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', sealed);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', sealed);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER never_truncated', sealed);
    END LOOP;
END $$;

-- Leaves come in one run that follows the last one, each with the hash of its entry. The key of the table refuses
-- doubles, also against another sealer that has not committed.
CREATE OR REPLACE FUNCTION audit_leaves_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lowest bigint; highest bigint; many bigint;
BEGIN
    SELECT min(index), max(index), count(*) INTO lowest, highest, many FROM fresh;
    IF many = 0 THEN RETURN NULL; END IF;
    IF lowest < 0 OR highest - lowest + 1 <> many
       OR lowest > 0 AND NOT EXISTS (SELECT FROM audit_leaf WHERE index = lowest - 1) THEN
        RAISE EXCEPTION 'leaves % to % leave a gap', lowest, highest USING ERRCODE = 'CS013';
    END IF;
    IF many <> (SELECT count(*) FROM fresh f JOIN audit_entry e ON e.id = f.entry_id
                WHERE f.hash = sha256('\x00'::bytea || convert_to(e.canonical, 'UTF8'))) THEN
        RAISE EXCEPTION 'a leaf is not the hash of its entry' USING ERRCODE = 'CS013';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER follows AFTER INSERT ON audit_leaf
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION audit_leaves_follow();
ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER follows;

-- A checkpoint covers every leaf there is, says so in its note, and never less than the one before.
CREATE OR REPLACE FUNCTION audit_checkpoint_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before audit_checkpoint;
BEGIN
    SELECT * INTO before FROM audit_checkpoint ORDER BY id DESC LIMIT 1;
    IF NEW.size <> coalesce((SELECT max(index) + 1 FROM audit_leaf), 0) THEN
        RAISE EXCEPTION 'a checkpoint of % does not cover the leaves there are', NEW.size USING ERRCODE = 'CS013';
    END IF;
    IF NEW.size < before.size OR NEW.low_water < before.low_water OR NEW.size = before.size AND NEW.root <> before.root
    THEN
        RAISE EXCEPTION 'a checkpoint of % goes back behind %', NEW.size, before.size USING ERRCODE = 'CS013';
    END IF;
    IF octet_length(NEW.root) <> 32 OR split_part(NEW.note, E'\n', 2) <> NEW.size::text
       OR split_part(NEW.note, E'\n', 3) <> encode(NEW.root, 'base64') THEN
        RAISE EXCEPTION 'the note of a checkpoint says something else' USING ERRCODE = 'CS013';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER follows BEFORE INSERT ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_checkpoint_follows();
ALTER TABLE audit_checkpoint ENABLE ALWAYS TRIGGER follows;

GRANT SELECT ON audit_leaf, audit_node, audit_checkpoint TO @web@, @apply@, @sealer@;
GRANT INSERT ON audit_leaf TO @sealer@;
GRANT INSERT (level, index, hash) ON audit_node TO @sealer@;
GRANT INSERT (size, root, note, low_water) ON audit_checkpoint TO @sealer@;
GRANT USAGE ON SEQUENCE audit_node_id_seq, audit_checkpoint_id_seq TO @sealer@;

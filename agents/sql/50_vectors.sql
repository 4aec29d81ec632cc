-- Vectors of clauses: an agents process puts them in, once a text and model. The column is there where the database has
-- pgvector; where that comes later, the next migrate makes it.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        ALTER TABLE agents_clausevector ADD COLUMN IF NOT EXISTS vector vector;
    END IF;
END $$;
GRANT SELECT, INSERT ON agents_clausevector TO @agents@;
GRANT SELECT (id, workspace_id, digest, model, created_at) ON agents_clausevector TO @web@;

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON agents_clausevector
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE agents_clausevector ENABLE ALWAYS TRIGGER append_only;

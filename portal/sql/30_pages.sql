-- Policy pages: web publishes versions, everybody reads; a version ends once and its words never change.
GRANT SELECT ON portal_page, portal_clause TO @web@, @agents@, @apply@;
GRANT INSERT ON portal_page, portal_clause TO @web@;
GRANT UPDATE (effective_until) ON portal_page TO @web@;

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON portal_clause
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE portal_clause ENABLE ALWAYS TRIGGER append_only;
CREATE OR REPLACE FUNCTION portal_page_ends() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.effective_until IS NOT NULL OR NEW.effective_until IS NULL
       OR NEW.effective_until <= OLD.effective_from
       OR (to_jsonb(NEW) - 'effective_until') <> (to_jsonb(OLD) - 'effective_until') THEN
        RAISE EXCEPTION 'page % version %: it can end, once, and change in nothing else', OLD.slug, OLD.version
            USING ERRCODE = 'CS001';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER ends_once BEFORE UPDATE OR DELETE ON portal_page
    FOR EACH ROW EXECUTE FUNCTION portal_page_ends();
ALTER TABLE portal_page ENABLE ALWAYS TRIGGER ends_once;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['page', 'clause'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON portal_%s
                        FOR EACH ROW EXECUTE FUNCTION audit_watch()', t);
        EXECUTE format('ALTER TABLE portal_%s ENABLE ALWAYS TRIGGER watched', t);
    END LOOP;
END $$;

-- How words of a language are read; of one that PostgreSQL has no dictionary for as they stand.
CREATE OR REPLACE FUNCTION portal_words(language text) RETURNS regconfig IMMUTABLE LANGUAGE sql AS $$
    SELECT (CASE language
        WHEN 'ar' THEN 'arabic' WHEN 'da' THEN 'danish' WHEN 'de' THEN 'german' WHEN 'en' THEN 'english'
        WHEN 'es' THEN 'spanish' WHEN 'fi' THEN 'finnish' WHEN 'fr' THEN 'french' WHEN 'hu' THEN 'hungarian'
        WHEN 'it' THEN 'italian' WHEN 'nl' THEN 'dutch' WHEN 'no' THEN 'norwegian' WHEN 'pt' THEN 'portuguese'
        WHEN 'ro' THEN 'romanian' WHEN 'ru' THEN 'russian' WHEN 'sv' THEN 'swedish' WHEN 'tr' THEN 'turkish'
        ELSE 'simple' END)::regconfig
$$;
-- A question is answered by whatever shares a word with it; rank says how well.
CREATE OR REPLACE FUNCTION portal_question(language text, words text) RETURNS tsquery IMMUTABLE LANGUAGE sql AS $$
    SELECT replace(plainto_tsquery(portal_words(language), words)::text, '&', '|')::tsquery
$$;
GRANT EXECUTE ON FUNCTION portal_words(text), portal_question(text, text) TO @web@, @agents@, @apply@;

CREATE OR REPLACE FUNCTION portal_clause_search() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.search := (SELECT to_tsvector(portal_words(p.language), NEW.section || ' ' || NEW.text)
                   FROM portal_page p WHERE p.workspace_id = NEW.workspace_id AND p.id = NEW.page_id);
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER searched BEFORE INSERT ON portal_clause
    FOR EACH ROW EXECUTE FUNCTION portal_clause_search();
ALTER TABLE portal_clause ENABLE ALWAYS TRIGGER searched;

-- The books: web takes in (import, intake), apply writes what was approved, agents read.
GRANT SELECT ON portal_customer, portal_paymentmethod, portal_order, portal_orderitem, portal_payment,
    portal_queue, portal_ticket, portal_message, portal_contact TO @web@, @agents@, @apply@;
GRANT INSERT ON portal_customer, portal_paymentmethod, portal_order, portal_orderitem, portal_payment,
    portal_queue, portal_ticket, portal_message, portal_contact TO @web@;
GRANT INSERT ON portal_payment, portal_message TO @apply@;
GRANT UPDATE (queue_id, priority, status, tags, version) ON portal_ticket TO @apply@;
GRANT UPDATE (status, version) ON portal_order TO @apply@;
GRANT UPDATE (fields, version) ON portal_contact TO @apply@;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['customer', 'paymentmethod', 'order', 'orderitem', 'payment', 'queue', 'ticket',
                             'message', 'contact', 'membership'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON portal_%s
                        FOR EACH ROW EXECUTE FUNCTION audit_watch()', t);
        EXECUTE format('ALTER TABLE portal_%s ENABLE ALWAYS TRIGGER watched', t);
    END LOOP;
END $$;

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON portal_payment
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE portal_payment ENABLE ALWAYS TRIGGER append_only;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON portal_message
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE portal_message ENABLE ALWAYS TRIGGER append_only;

-- Contacts that are one: apply alone retires one into the other, and says whose customers are.
GRANT UPDATE (locked_fields, merged_into_id, changed_at) ON portal_contact TO @apply@;
GRANT UPDATE (contact_id, version) ON portal_customer TO @apply@;
-- Intake says which customer a contact is that comes in.
GRANT UPDATE (contact_id) ON portal_customer TO @web@;

"""Pages of the review desk, step 7 of a ticket's path. Each view parses, makes one call and renders."""

"""Whether approvals are considered: how long, what was opened, how it goes over weeks; never a mark for a person."""

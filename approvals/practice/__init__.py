"""A queue to practise in: invented cases, some with a planted mistake. Nothing of it can be applied."""

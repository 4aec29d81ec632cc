"""The faults of the design, one by one, against an installation of their own with real servers that really die."""

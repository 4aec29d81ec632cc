"""Sweeps: agent `contacts` goes over all contacts of a workspace, for people who are there twice and for repairs."""

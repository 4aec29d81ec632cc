"""Measures of `manage.py benchmark`: ours beside a floor, in one run, on a throwaway database with fsync on."""

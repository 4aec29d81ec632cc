"""The one exception of the embedded servers: what a person reads when they cannot be had."""


class StackError(Exception):
    """One clear line: what failed, where, and where possible what to do about it."""

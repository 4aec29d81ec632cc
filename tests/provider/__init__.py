"""An outside provider of our own, as a process with a durable ledger: what the tests of outside calls talk to.

`python -m tests.provider --port N --ledger FILE [--secret S]`; `tests.provider.process.Provider` runs one.
"""

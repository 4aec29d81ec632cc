"""A model server as a process: aimock, installed by npm from the lock file here, told what to answer over HTTP."""

from tests.modelserver.process import ModelServer, answer, fixture

__all__ = ["ModelServer", "answer", "fixture"]

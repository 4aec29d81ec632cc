"""A worker of the next version, for case 17: `celery -A tests.faults.newer`."""

from portal import broker
from portal.celery import app

broker.VERSION += 1

__all__ = ["app"]

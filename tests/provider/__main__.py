"""`python -m tests.provider --port N --ledger FILE [--secret S]`."""

import argparse
import signal
import sys
from pathlib import Path

from tests.provider.effects import Business
from tests.provider.faults import Faults
from tests.provider.ledger import Ledger
from tests.provider.process import SECRET
from tests.provider.server import Server

parser = argparse.ArgumentParser(prog="python -m tests.provider", description=__doc__)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--ledger", type=Path, required=True)
parser.add_argument("--secret", default=SECRET)
options = parser.parse_args()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with Server(options.port, Business(Ledger(options.ledger), Faults()), options.secret) as server:
    server.serve_forever(poll_interval=0.1)

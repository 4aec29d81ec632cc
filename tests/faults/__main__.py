"""`make faults`: every case by its number, the real servers killed. Prints one line per case; exits 1 when one fails.

make faults                  all of them
make faults ARGS="7 10 18"   some of them
"""

import os
import sys
import time

import pytest

from tests.faults.cases import CASES, STORIES
from tests.faults.report import Report

# As often as the design asks for; the suite repeats less.
OFTEN = {"RACE_ROUNDS": "200", "RACE_STOPS": "500", "STORIES": "40", "ROUTES_EACH": "10000"}


def main(words: list[str]) -> int:
    """Run the cases named by number, or all of them and the random stories."""
    unknown = [word for word in words if not word.isdecimal() or int(word) not in CASES]
    if unknown:
        print(f"faults: there is no case {unknown[0]!r}; there are {', '.join(map(str, CASES))}", file=sys.stderr)
        return 2
    wanted = [int(word) for word in words] or list(CASES)
    nodes = list(dict.fromkeys(node for number in wanted for node in CASES[number].nodes))
    # In the browser last: the workers of its desk run to the end, and would do what another case does by hand.
    nodes.sort(key=lambda node: node.startswith("tests/journeys/"))
    os.environ.update(OFTEN)
    report, start = Report(), time.monotonic()
    code = pytest.main(["-q", "--no-header", *nodes, *([] if words else [STORIES])], plugins=[report])
    print(f"\n{report.table(wanted)}\n\n{report.total()}; {time.monotonic() - start:.0f} s in all")
    return 0 if report.good(wanted) and code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

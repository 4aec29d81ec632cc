"""Every page as each role through axe, in light and dark: pages looked at, checks made, violations found."""

import os
import re
import subprocess

from tests.accept.__main__ import PYTEST, ROOT
from tests.accept.installation import verdict

WALK = {"WALKED": "rosa mara ada odile", "WALKED_ALL": "1"}
WALKS = 7
TOLD = r"(.+): (\d+) pages, (\d+) checks of axe, (\d+) stops of the focus, (\d+) violations"


def main() -> None:
    command = [*PYTEST, "-s", "-p", "no:logging", "tests/journeys/test_every_page.py"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | WALK, capture_output=True, text=True, check=False)
    walks = re.findall(TOLD, done.stdout)
    pages, checks, stops, wrong = (sum(int(walk[n]) for walk in walks) for n in (1, 2, 3, 4))
    found = [line for line in done.stdout.splitlines() if line.startswith("E  ")][:40] if done.returncode else []
    told = f"{pages} pages, {checks} checks of axe, {stops} stops of the focus, {wrong} violations"
    looked = all(int(stops) > 0 and int(checks) == 2 * int(pages) for what, pages, checks, stops, _ in walks
                 if not what.startswith("with script"))  # fmt: skip
    every = done.returncode == 0 and len(walks) == WALKS and looked
    verdict(every, "\n".join([*(": ".join(walk[:2]) for walk in walks), *found, told]))


if __name__ == "__main__":
    main()

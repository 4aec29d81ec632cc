"""Every page as each role through axe, in light and dark: pages looked at, checks made, violations found."""

import os
import re
import subprocess

from tests.accept.__main__ import PYTEST, ROOT
from tests.accept.installation import verdict

WALK = {"WALKED": "rosa mara ada odile", "WALKED_ALL": "1"}
WALKS = 7
SCRIPTED = "with script"  # the walk in which what was planted must do nothing: axe has been there
Walk = tuple[str, int, int, int, int]
TOLD = r"(.+): (\d+) pages, (\d+) checks of axe, (\d+) stops of the focus, (\d+) violations"


def main() -> None:
    command = [*PYTEST, "-s", "-p", "no:logging", "tests/journeys/test_every_page.py"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | WALK, capture_output=True, text=True, check=False)
    walks = [(what, *map(int, figures)) for what, *figures in re.findall(TOLD, done.stdout)]
    pages, checks, stops, wrong = (sum(walk[n] for walk in walks) for n in (1, 2, 3, 4))
    found = [line for line in done.stdout.splitlines() if line.startswith("E  ")][:40] if done.returncode else []
    told = f"{pages} pages, {checks} checks of axe, {stops} stops of the focus, {wrong} violations"
    verdict(
        done.returncode == 0 and met(walks), "\n".join([*(f"{walk[0]}: {walk[1]}" for walk in walks), *found, told])
    )


def met(walks: list[Walk]) -> bool:
    """Every walk was made and found nothing; all but one were looked at by axe and gone through with the Tab key."""
    for what, pages, checks, stops, wrong in walks:
        looked = what.startswith(SCRIPTED) or (stops > 0 and checks == 2 * pages)
        if not (pages > 0 and looked) or wrong:
            return False
    return len(walks) == WALKS and sum(walk[0].startswith(SCRIPTED) for walk in walks) == 1


if __name__ == "__main__":
    main()

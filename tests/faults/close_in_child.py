"""Close one period in a process of its own, to be killed: says `ready`, waits for a line, closes, says `closed`.

    python -m tests.faults.close_in_child 2024-Q3 [point]

point: `rename` or `chain`, to die by SIGKILL just before that step; nothing is replaced but the moment of death.
"""

from __future__ import annotations

import sys

from dagster_project.lib import archive
from dagster_project.lib.close import close_period
from dagster_project.lib.environment import settle_environment
from tests.faults.killing import die_at, wait_for_go


def main() -> None:
    period, *point = sys.argv[1:]
    settings = settle_environment()
    die_at(point, archive)
    wait_for_go()
    close_period(settings, period)
    sys.stdout.write("closed\n")


if __name__ == "__main__":
    main()

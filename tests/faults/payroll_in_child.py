"""Export one month and country in a process of its own, to be killed: says `ready`, waits for a line, exports, says so.

    python -m tests.faults.payroll_in_child 2025-04 IE [point]

point: `rename` or `chain`, to die by SIGKILL just before that step; nothing is replaced but the moment of death.
"""

from __future__ import annotations

import sys

from dagster_project.lib import payroll_folder
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.payroll_export import export_payroll
from tests.faults.killing import die_at, wait_for_go


def main() -> None:
    payment_period, country_code, *point = sys.argv[1:]
    settings = settle_environment()
    die_at(point, payroll_folder)
    wait_for_go()
    export_payroll(settings, payment_period, country_code)
    sys.stdout.write("exported\n")


if __name__ == "__main__":
    main()

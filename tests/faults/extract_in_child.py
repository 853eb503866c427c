"""Run by the kill tests in a process of its own: extract one day, and die by SIGKILL at the point named.

Usage: python -m tests.faults.extract_in_child <point>; points: page, part, land, transaction, commit, none.
"""

from __future__ import annotations

import os
import signal
import sys

from ingestion import landing
from ingestion.contracts import Progress
from ingestion.extract import extract, resolve, window_for_partition
from ingestion.settings import Settings
from ingestion.sources import servicenow


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(point: str) -> None:
    servicenow.PAGE_SIZE = 10

    def progress(event: Progress) -> None:
        if point == "page" and event.phase == "extracting" and event.page_count == 2:
            die()
        if point == "commit" and event.phase == "landed":
            die()

    if point == "part":
        write_table = landing.pq.write_table

        def half_a_page(table: object, path: object, **kwargs: object) -> None:
            write_table(table, path, **kwargs)
            if "000002" in str(path):
                die()

        landing.pq.write_table = half_a_page
    if point == "land":
        landing.land = die
    if point == "transaction":
        # After the rows and rejects are in, before the batch and its state are.
        landing.Spool.drift = die
    entity = resolve("servicenow", "incident")[1]
    extract(
        Settings.from_env(),
        "servicenow",
        entity,
        window_for_partition(entity, sys.argv[2]),
        "child",
        progress,
    )


if __name__ == "__main__":
    main(sys.argv[1])

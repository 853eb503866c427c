"""What steps are given: the lock of the run, and dbt."""

import contextlib
from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.lib.dbt_project import dbt_resource, load_project
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.progress import show
from dagster_project.lib.run_lock import ORPHAN_WAIT_SECONDS, hold_run
from ingestion.settings import Settings


class RunLockResource(dg.ConfigurableResource):
    """Holds the warehouse from before a run's first step until after its last.

    With in_process_executor a resource lives once per run, so every step that writes or reads the warehouse
    asks for it. `wait_seconds`: how long to wait for another run before failing with its name.
    """

    wait_seconds: float = 0.0
    orphan_wait_seconds: float = ORPHAN_WAIT_SECONDS

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["RunLockResource"]:
        """Take the lock, then lend the resource."""

        def tell(line: str) -> None:
            if context.log is not None:
                context.log.warning(line)
            show(line)

        run = context.run
        with hold_run(
            Settings.from_env().warehouse_path,
            run_id=run.run_id if run else "unknown",
            job_name=run.job_name if run else "unknown",
            wait_seconds=self.wait_seconds,
            orphan_wait_seconds=self.orphan_wait_seconds,
            tell=tell,
        ):
            yield self


def default_resources() -> dict[str, Any]:
    """The resources of every job, by key."""
    settings = settle_environment()
    return {"run_lock": RunLockResource(), "dbt": dbt_resource(load_project(settings).project)}

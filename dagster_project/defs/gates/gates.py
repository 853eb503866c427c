"""The gates between the layers: each expectation an asset check, each blocking one a wall.

raw stands between the landing and staging, staging between staging and core, marts between the marts and what is
read. A step that reads an asset waits for the blocking checks on it; one that fails, fails the run.
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project.lib.dbt_project import ParsedProject, load_project
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.gates import GATES, check_spec, run_checks
from dagster_project.lib.resources import RunLockResource
from expectations.runner import list_checks
from ingestion.settings import Settings


def gate_checks(gate: str, parsed: ParsedProject) -> dg.AssetChecksDefinition:
    """One gate as one step: Great Expectations is imported once, the warehouse opened once."""

    @dg.multi_asset_check(
        name=f"gate_{gate}",
        specs=[check_spec(gate, spec, parsed) for spec in list_checks(gate)],
        can_subset=True,
    )
    def _gate(context: dg.AssetCheckExecutionContext, run_lock: RunLockResource) -> Iterator[dg.AssetCheckResult]:
        settings = Settings.from_env()
        yield from run_checks(context, gate, settings, load_project(settings))

    return _gate


@dg.definitions
def defs() -> dg.Definitions:
    """Checks of every gate that has one."""
    parsed = load_project(settle_environment())
    return dg.Definitions(asset_checks=[gate_checks(gate, parsed) for gate in GATES if list_checks(gate)])

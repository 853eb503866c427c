"""The landing as the job of the whole path sees it: per source one unpartitioned asset, "everything owed".

An asset job cannot mix partition definitions, and a night that was missed must be caught up by the next run: so
each run asks the landing what is owed up to its as-of instant and extracts that. The days and months covered are
reported to the partitioned raw entities.
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project.lib.close import register_closed_periods
from dagster_project.lib.control_evidence import write_gate_checks
from dagster_project.lib.dbt_project import load_project
from dagster_project.lib.freshness import dependents_of_entities, policy_of_source
from dagster_project.lib.land import is_one_file, land_source
from dagster_project.lib.payroll_export import register_payroll_exports
from dagster_project.lib.progress import say
from dagster_project.lib.resources import RunLockResource
from dagster_project.lib.table_facts import read_table_facts
from dagster_project.lib.translator import DATA_ENGINEERING, landing_key
from ingestion.contracts import Source
from ingestion.drift import hold_against_history
from ingestion.extract import write_run_context, write_source_status
from ingestion.freshness import write_entities
from ingestion.landing import TABLE_COMMENTS, prepare
from ingestion.settings import Settings
from ingestion.sources import SOURCES

OPENING_TABLES = (
    "source_status",
    "source_entity",
    "entity_dependent",
    "gate_check",
    "gate_outcome",
    "dbt_test_outcome",
    "closed_period",
    "closed_payout_line",
    "payroll_export",
    "payroll_export_ledger_line",
    "payroll_export_journal_line",
)
AUDIT_TABLES = (
    "extract_batch",
    "extract_state",
    "landing_reject",
    "deleted_record",
    "reconciled_window",
    "entity_check",
    "batch_profile",
    "batch_category",
    "drift_finding",
    "source_clock",
)
FILE_SOURCES = [source.name for source in SOURCES.values() if is_one_file(source)]


def _table_spec(table: str, deps: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        landing_key(table),
        deps=deps,
        description=TABLE_COMMENTS[table],
        group_name="landing",
        owners=[DATA_ENGINEERING],
        kinds={"duckdb", "table"},
    )


@dg.multi_asset(name="open_landing", specs=[_table_spec(table, []) for table in OPENING_TABLES])
def open_landing(context: dg.AssetExecutionContext, run_lock: RunLockResource) -> Iterator[dg.MaterializeResult]:
    """Create what the landing needs; note which sources are absent and why, what they give and what is built of it."""
    settings = Settings.from_env()
    prepare(settings)
    status = write_source_status(settings)
    write_entities(settings, dependents_of_entities(load_project(settings).manifest))
    write_gate_checks(settings)
    if registered := register_closed_periods(settings):
        say(context.log, f"closed periods taken from the archive: {', '.join(registered)}")
    if registered := register_payroll_exports(settings):
        say(context.log, f"payroll exports taken from their folder: {', '.join(registered)}")
    for name, (is_configured, reason) in status.items():
        if not is_configured:
            say(context.log, f"{name}: absent, {reason}")
    yield dg.MaterializeResult(
        asset_key=landing_key("source_status"),
        metadata={name: "configured" if ok else f"absent: {reason}" for name, (ok, reason) in status.items()},
    )
    facts = read_table_facts(settings.warehouse_path, [("landing", table) for table in OPENING_TABLES])
    for table in OPENING_TABLES[1:]:
        yield dg.MaterializeResult(
            asset_key=landing_key(table), metadata={"dagster/row_count": facts["landing", table].row_count}
        )


@dg.multi_asset(
    name="open_run",
    specs=[_table_spec("run_context", [landing_key("source_status"), *map(landing_key, FILE_SOURCES)])],
)
def open_run(context: dg.AssetExecutionContext, run_lock: RunLockResource) -> dg.MaterializeResult:
    """Note the run and its as-of instant. An exported log has landed by then: its latest event may be that instant."""
    run = write_run_context(Settings.from_env(), context.run_id)
    say(context.log, f"as of {run.as_of_at:%Y-%m-%d %H:%M:%S} UTC ({run.as_of_policy})")
    return dg.MaterializeResult(
        asset_key=landing_key("run_context"),
        metadata={"as_of_at": run.as_of_at.isoformat(), "as_of_policy": run.as_of_policy},
    )


def source_asset(source: Source) -> dg.AssetsDefinition:
    """Everything a source owes up to the as-of instant has landed."""

    @dg.asset(
        name=source.name,
        key_prefix="landing",
        deps=[landing_key("source_status" if is_one_file(source) else "run_context")],
        description=f"{source.description} Everything it owes up to the run's as-of instant has landed.",
        group_name="landing",
        owners=[DATA_ENGINEERING],
        kinds={"python", "duckdb"},
        metadata={"entities": sorted(source.entities)},
        freshness_policy=policy_of_source(source),
    )
    def _source(context: dg.AssetExecutionContext, run_lock: RunLockResource) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=land_source(context, Settings.from_env(), source))

    return _source


@dg.multi_asset(
    name="close_landing",
    specs=[_table_spec(table, [landing_key(name) for name in SOURCES]) for table in AUDIT_TABLES],
)
def close_landing(context: dg.AssetExecutionContext, run_lock: RunLockResource) -> Iterator[dg.MaterializeResult]:
    """The batch audit after all sources have landed, each new batch profiled and held against its history."""
    settings = Settings.from_env()
    profiled, found = hold_against_history(settings)
    say(context.log, f"drift: {profiled} new batches profiled, {found} departures from their histories so far")
    facts = read_table_facts(settings.warehouse_path, [("landing", table) for table in AUDIT_TABLES])
    for table in AUDIT_TABLES:
        yield dg.MaterializeResult(
            asset_key=landing_key(table), metadata={"dagster/row_count": facts["landing", table].row_count}
        )


@dg.definitions
def defs() -> dg.Definitions:
    """The landing's assets."""
    return dg.Definitions(
        assets=[open_landing, open_run, *(source_asset(source) for source in SOURCES.values()), close_landing]
    )

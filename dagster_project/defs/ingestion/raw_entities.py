"""The raw entities, partitioned as their sources are, and the jobs that extract any day or month again.

`re_extract_daily` and `re_extract_monthly` are what the backfill page and `sltw backfill` start: one run for the
whole range. What they bring reaches the marts with the next run of the job `warehouse`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from dagster_project.lib.environment import settle_environment
from dagster_project.lib.freshness import policy_of_entity
from dagster_project.lib.land import batch_figures, extract_windows
from dagster_project.lib.partitions import partitions_of, windows_of
from dagster_project.lib.progress import say
from dagster_project.lib.resources import RunLockResource
from dagster_project.lib.translator import DATA_ENGINEERING, entity_key
from ingestion.contracts import Entity, Source
from ingestion.drift import hold_against_history
from ingestion.extract import window_for_partition
from ingestion.landing import prepare
from ingestion.settings import Settings
from ingestion.sources import SOURCES

KINDS = {
    "servicenow": "servicenow",
    "servicenow_event_log": "csv",
    "jira": "jira",
    "datadog": "datadog",
    "bamboohr": "bamboohr",
    "workday": "workday",
    "payroll": "csv",
    "ledger": "csv",
    "monitor_samples": "csv",
    "fx_rates": "csv",
    "quickbooks": "quickbooks",
    "billing": "csv",
    "vendor_performance": "csv",
    "survey": "csv",
    "legacy_log": "file",
}
AUDIT_COLUMNS = (
    dg.TableColumn("_record", "JSON", description="The record as received, or what of it has no column."),
    dg.TableColumn("_batch_id", "VARCHAR", description="The extract batch it came with (landing.extract_batch)."),
    dg.TableColumn("_row_number", "BIGINT", description="Its place in the batch."),
    dg.TableColumn("_extracted_at", "TIMESTAMP", description="When the batch was started (UTC)."),
    dg.TableColumn("_row_hash", "VARCHAR", description="MD5 of the record."),
)


def entity_asset(source: Source, entity: Entity, settings: Settings) -> dg.AssetsDefinition:
    """One raw table; materialising partitions of it extracts them again."""
    partitions_def = partitions_of(entity, settings)
    note = {
        "daily": "One partition is one UTC day of its stamp.",
        "monthly": "One partition is the file of one month.",
        "snapshot": "The whole list each time; only the current batch counts.",
        "file": "One exported file.",
    }[entity.partitioning]

    @dg.asset(
        key=entity_key(source.name, entity.name),
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions_def else None,
        description=f"{entity.description} {note} Append-only; key: {', '.join(entity.key)}.",
        group_name=source.name,
        owners=[DATA_ENGINEERING],
        kinds={"python", "duckdb", KINDS.get(source.name, "table")},
        metadata={
            "dagster/table_name": entity.table,
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    *(dg.TableColumn(column, "VARCHAR", description="Text as received.") for column in entity.columns),
                    *AUDIT_COLUMNS,
                ]
            ),
        },
        output_required=False,
        freshness_policy=policy_of_entity(source, entity),
    )
    def _entity(context: dg.AssetExecutionContext, run_lock: RunLockResource) -> Iterator[Any]:
        run_settings = Settings.from_env()
        is_configured, reason = source.is_configured()
        if not is_configured:
            say(context.log, f"{source.name}.{entity.name}: absent, {reason}; nothing extracted")
            return
        prepare(run_settings)
        if partitions_def is not None:
            windows = windows_of(entity, since_the_source_began(source, entity, context.partition_keys))
        elif entity.partitioning == "file":
            windows = [window_for_partition(entity, key) for key in source.partition_keys(entity)]
        else:
            windows = [window_for_partition(entity, "snapshot")]
        results = extract_windows(context, run_settings, source, entity, windows)
        hold_against_history(run_settings)
        yield dg.MaterializeResult(metadata=batch_figures(results))

    return _entity


def since_the_source_began(source: Source, entity: Entity, partition_keys: Sequence[str]) -> list[str]:
    """The partitions from the first one a source of files offers: before it had begun to send, nothing is missing.

    One missing later is an error of the source. A source read by stamp offers none, and all of them are asked for.
    """
    offered = source.partition_keys(entity)
    return [key for key in partition_keys if not offered or key >= offered[0]]


@dg.definitions
def defs() -> dg.Definitions:
    """Assets of every entity, and a job per kind of partition."""
    settings = settle_environment()
    pairs = [(source, entity) for source in SOURCES.values() for entity in source.entities.values()]
    jobs = []
    for partitioning in ("daily", "monthly"):
        chosen = [(s, e) for s, e in pairs if e.partitioning == partitioning]
        jobs.append(
            dg.define_asset_job(
                f"re_extract_{partitioning}",
                selection=dg.AssetSelection.assets(*(entity_key(s.name, e.name) for s, e in chosen)),
                partitions_def=partitions_of(chosen[0][1], settings),
                description=f"Extract any range of the {partitioning} partitions again. An unchanged one adds nothing.",
                executor_def=dg.in_process_executor,
            )
        )
    return dg.Definitions(assets=[entity_asset(s, e, settings) for s, e in pairs], jobs=jobs)

"""Partitions of the raw entities, and telling Dagster which of them a range extract has covered.

Daily and monthly partitions are whole UTC days and months from EXTRACT_FROM until AS_OF (or now), in the key
format of the landing ('YYYY-MM-DD', 'YYYY-MM').
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster import DagsterEventType, EventLogEntry
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.storage.event_log import SqliteEventLogStorage

from ingestion import landing
from ingestion.contracts import MAX_RANGE_DAYS, Entity, Window
from ingestion.settings import Settings

INSERT_CHUNK = 500


def partitions_of(entity: Entity, settings: Settings) -> dg.PartitionsDefinition | None:
    """The partitions of an entity; None for snapshots and files."""
    end = settings.as_of.date() if settings.as_of else None
    if entity.partitioning == "daily":
        return dg.DailyPartitionsDefinition(
            start_date=settings.extract_from.isoformat(),
            end_date=end.isoformat() if end else None,
            timezone="UTC",
        )
    if entity.partitioning == "monthly":
        return dg.MonthlyPartitionsDefinition(
            start_date=settings.extract_from.strftime("%Y-%m"),
            end_date=end.strftime("%Y-%m") if end else None,
            fmt="%Y-%m",
            timezone="UTC",
        )
    return None


def windows_of(entity: Entity, partition_keys: Sequence[str]) -> list[Window]:
    """The partitions as windows to extract: months one by one, adjoining days as ranges of at most 31."""
    if entity.partitioning == "monthly":
        return [Window.of_month(date.fromisoformat(f"{key}-01")) for key in sorted(partition_keys)]
    windows: list[Window] = []
    first = last = None
    for day in sorted(date.fromisoformat(key) for key in partition_keys):
        if first is None or last is None:
            first = last = day
        elif day == last + timedelta(days=1) and (day - first).days < MAX_RANGE_DAYS:
            last = day
        else:
            windows.append(Window.of_days(first, last))
            first = last = day
    if first is not None and last is not None:
        windows.append(Window.of_days(first, last))
    return windows


def keys_covered(entity: Entity, partition_key: str) -> list[str]:
    """The Dagster partition keys inside a landed partition key (a day, a range of days, a month)."""
    if entity.partitioning != "daily":
        return [partition_key]
    first, _, last = partition_key.partition("/")
    start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    return [(start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1)]


def landed_partitions(settings: Settings, entity: Entity) -> dict[str, dict[str, Any]]:
    """Facts of each landed day or month from its latest batch: batch_id and the rows of it that the batch holds.

    Rows of a day are counted by the date part of the entity's stamp; of a month by the batch.
    """
    with landing.connect(settings, read_only=True) as connection:
        batches = connection.execute(
            "select b.partition_key, b.batch_id, b.row_count from landing.extract_state as s "
            "inner join landing.extract_batch as b on b.batch_id = s.current_batch_id "
            "where s.source = ? and s.entity = ? order by b.started_at, b.batch_id",
            [entity.source, entity.name],
        ).fetchall()
        by_day: dict[tuple[str, str], int] = {}
        if entity.partitioning == "daily" and entity.stamp:
            by_day = {
                (batch_id, day): count
                for batch_id, day, count in connection.execute(
                    f"select _batch_id, left({landing.quoted(entity.stamp)}, 10), count(*) "
                    f"from {entity.table} group by all"
                ).fetchall()
            }
    facts: dict[str, dict[str, Any]] = {}
    for partition_key, batch_id, row_count in batches:
        for key in keys_covered(entity, partition_key):
            rows = by_day.get((batch_id, key), 0) if entity.partitioning == "daily" else row_count
            facts[key] = {"batch_id": batch_id, "dagster/partition_row_count": rows}
    return facts


def report_partitions(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    facts: Mapping[str, Mapping[str, Any]],
    new_batches: Iterable[str],
) -> int:
    """Report a materialisation for each partition that a new batch covers or that Dagster does not know yet.

    Returns how many were reported. On the SQLite store an event costs 10 ms (two transactions, each synced),
    so a first load of 18 months would spend 25 s on them: all but the last are written in a few inserts into
    the store's index, which is where partitions are read from. Other stores are given the events one by one.
    """
    new = set(new_batches)
    known = context.instance.get_materialized_partitions(key)
    wanted = [
        dg.AssetMaterialization(key, partition=partition, metadata=dict(fact))
        for partition, fact in sorted(facts.items())
        if fact["batch_id"] in new or partition not in known
    ]
    if not wanted:
        return 0
    storage = context.instance.event_log_storage
    one_by_one = wanted
    if isinstance(storage, SqliteEventLogStorage):
        one_by_one = wanted[-1:]  # the last one by the front door, which also updates the asset's own record
        entries = [_entry(context, event) for event in wanted[:-1]]
        for start in range(0, len(entries), INSERT_CHUNK):
            with storage.index_connection() as connection:
                connection.execute(storage.prepare_insert_event_batch(entries[start : start + INSERT_CHUNK]))
    for event in one_by_one:
        context.log_event(event)
    return len(wanted)


def _entry(context: dg.AssetExecutionContext, event: dg.AssetMaterialization) -> EventLogEntry:
    step_key = context.op_execution_context.get_step_execution_context().step.key
    dagster_event = DagsterEvent(
        event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
        job_name=context.job_name,
        step_key=step_key,
        event_specific_data=StepMaterializationData(event),
        message=f"Materialized {event.asset_key.to_user_string()}, partition {event.partition}",
    )
    return EventLogEntry(
        error_info=None,
        level="INFO",
        user_message="",
        run_id=context.run_id,
        timestamp=_now_timestamp(),
        step_key=step_key,
        job_name=context.job_name,
        dagster_event=dagster_event,
    )


def _now_timestamp() -> float:
    import time

    return time.time()

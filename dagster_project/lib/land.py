"""Landing what a source owes, with progress, and what came of it as metadata."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from dagster_project.lib.partitions import landed_partitions, report_partitions
from dagster_project.lib.progress import say
from dagster_project.lib.translator import entity_key
from ingestion import landing
from ingestion.contracts import Entity, Progress, Source, Window
from ingestion.extract import BatchResult, due_windows, extract, late_windows
from ingestion.freshness import record_checks
from ingestion.settings import Settings

PROGRESS_SECONDS = 10.0


def land_source(context: dg.AssetExecutionContext, settings: Settings, source: Source) -> dict[str, Any]:
    """Land every window each entity owes; returns the figures per entity. Absent sources land nothing.

    Raises SourceError; what landed before it stays.
    """
    is_configured, reason = source.is_configured()
    if not is_configured:
        return {"is_configured": False, "reason": reason}
    # what one file owes does not depend on the instant, and may be what the instant is read from
    as_of_at = datetime.max.replace(tzinfo=UTC) if is_one_file(source) else latest_as_of(settings)
    figures: dict[str, Any] = {"is_configured": True}
    with landing.hold_open(settings):
        for entity in source.entities.values():
            results = extract_windows(
                context, settings, source, entity, due_windows(settings, source, entity, as_of_at)
            )
            tell = EntityProgress(lambda line: say(context.log, line), ())
            if again := late_windows(settings, source, entity, context.run_id, tell):
                results += extract_windows(context, settings, source, entity, again)
            figures[entity.name] = dg.MetadataValue.json(batch_figures(results))
            new_batches = [result.batch_id for result in results if result.is_new]
            if entity.partitioning in ("daily", "monthly"):
                report_partitions(
                    context,
                    entity_key(source.name, entity.name),
                    landed_partitions(settings, entity),
                    new_batches,
                )
            elif new_batches:
                context.log_event(
                    dg.AssetMaterialization(entity_key(source.name, entity.name), metadata=batch_figures(results))
                )
        record_checks(settings, source, context.run_id)
    return figures


def is_one_file(source: Source) -> bool:
    """Whether a source is an exported file and nothing else."""
    return all(entity.partitioning == "file" for entity in source.entities.values())


def extract_windows(
    context: dg.AssetExecutionContext,
    settings: Settings,
    source: Source,
    entity: Entity,
    windows: Sequence[Window],
) -> list[BatchResult]:
    """Extract windows one by one and say in one line what they brought."""
    started = time.monotonic()
    progress = EntityProgress(lambda line: say(context.log, line), windows)
    results = []
    for window in windows:
        results.append(extract(settings, source, entity, window, context.run_id, progress))
        progress.ended(results[-1])
    say(context.log, summary_line(source, entity, windows, results, time.monotonic() - started))
    return results


class EntityProgress:
    """Progress of one entity's extract: rows, rate and what remains, at most every PROGRESS_SECONDS.

    Called once a page; between two lines it costs one reading of the clock. What goes wrong is said at once.
    """

    def __init__(
        self, tell: Callable[[str], None], windows: Sequence[Window], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._window_count = len(windows)
        self._clock = clock
        self._started = self._told_at = clock()
        self._ended_count = self._ended_rows = 0

    def __call__(self, progress: Progress) -> None:
        """Say what has just happened, when it is time."""
        name = f"{progress.source}.{progress.entity} {progress.partition_key}"
        if progress.phase in ("retrying", "restarted", "reconciled"):
            self._tell(f"{name}: {progress.phase}, {progress.message}")
            return
        now = self._clock()
        if progress.phase != "extracting" or now - self._told_at < PROGRESS_SECONDS:
            return
        self._told_at = now
        rows = self._ended_rows + progress.row_count
        seconds = now - self._started
        rate = rows / seconds if seconds else 0.0
        line = f"{name}: {rows:,} rows so far, {rate:,.0f} a second"
        if progress.total is not None and rate:
            to_go = max(progress.total - progress.row_count, 0)
            line += f", {to_go:,} of {progress.total:,} to go in this window ({to_go / rate:,.0f} s)"
        if self._window_count > 1:
            line += f", window {self._ended_count + 1} of {self._window_count}"
        self._tell(line)

    def ended(self, result: BatchResult) -> None:
        """A window has been read."""
        self._ended_count += 1
        self._ended_rows += result.received_count


def summary_line(
    source: Source, entity: Entity, windows: Sequence[Window], results: Sequence[BatchResult], seconds: float
) -> str:
    """What an extract brought, for a person: span, rows received, rows landed anew, rejects, drift."""
    name = f"{source.name}.{entity.name}"
    if not windows:
        return f"{name}: nothing owed"
    span = windows[0].partition_key.partition("/")[0]
    if len(windows) > 1 or "/" in windows[0].partition_key:
        span += f" to {windows[-1].partition_key.rpartition('/')[2]} in {len(windows)} windows"
    new = [result for result in results if result.is_new]
    received = sum(result.received_count for result in results)
    landed = sum(result.row_count for result in new)
    brought = f"{len(new)} new batches with {landed:,} rows" if new else "all of it landed before"
    line = f"{name}: {span}, {received:,} received, {brought}"
    if rejected := sum(result.rejected_count for result in new):
        line += f", {rejected:,} REJECTED"
    for label, names in (
        ("unknown columns", {column for result in new for column in result.unknown_columns}),
        ("MISSING columns", {column for result in new for column in result.missing_columns}),
    ):
        if names:
            line += f", {label}: {', '.join(sorted(names))}"
    rate = f", {received / seconds:,.0f} rows a second" if new and seconds >= 1 else ""
    return f"{line} ({seconds:.1f} s{rate})"


def batch_figures(results: Sequence[BatchResult]) -> dict[str, Any]:
    """Totals over extracts, for metadata."""
    new = [result for result in results if result.is_new]
    return {
        "window_count": len(results),
        "new_batch_count": len(new),
        "received_count": sum(result.received_count for result in results),
        "landed_row_count": sum(result.row_count for result in new),
        "rejected_count": sum(result.rejected_count for result in new),
        "page_count": sum(result.pages for result in results),
        "extract_seconds": round(sum(result.seconds for result in results), 3),
        "rows_per_second": _rate(results),
        "unknown_columns": sorted({column for result in new for column in result.unknown_columns}),
        "missing_columns": sorted({column for result in new for column in result.missing_columns}),
    }


def _rate(results: Sequence[BatchResult]) -> float:
    """Records received a second over the windows that were read, not only looked at."""
    read = [result for result in results if result.pages]
    seconds = sum(result.seconds for result in read)
    return round(sum(result.received_count for result in read) / seconds, 1) if seconds else 0.0


def latest_as_of(settings: Settings) -> datetime:
    """The as-of instant (aware, UTC) the present run was opened with."""
    with landing.connect(settings, read_only=True) as connection:
        row = connection.execute("select as_of_at from landing.run_context order by started_at desc limit 1").fetchone()
    if row is None:
        raise RuntimeError("landing.run_context is empty: the step open_run has to run before a source lands")
    return row[0].replace(tzinfo=UTC)

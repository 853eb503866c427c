"""Extracting: what is owed, one window at a time, and the facts of a run.

This is what a scheduler calls. Nothing here knows which scheduler it is. No connection stays open after a
call.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time

import duckdb

from ingestion import bulk, landing, source_clock
from ingestion.contracts import (
    MAX_RANGE_DAYS,
    Entity,
    InconsistentExtractError,
    Page,
    Progress,
    ProgressCallback,
    Source,
    SourceError,
    Window,
)
from ingestion.reconcile import reconcile
from ingestion.settings import Settings, passed_instant
from ingestion.sources import SOURCES
from ingestion.sources.file_drop import month_of
from ingestion.sources.servicenow_event_log import SERVICENOW_EVENT_LOG

MAX_READS_OF_A_WINDOW = 3
OVERLAP = timedelta(days=1)
# Windows with rejects that a run reads again, so that a mended record replaces its reject; more would be a backfill.
MAX_REJECTING_WINDOWS = 3


@dataclass(frozen=True)
class BatchResult:
    """One extract: the batch that now stands for the partition, whether it is new, and the counts of this
    read.
    """

    batch_id: str
    is_new: bool
    received_count: int
    row_count: int
    rejected_count: int
    pages: int
    seconds: float
    partition_key: str
    unknown_columns: tuple[str, ...]
    missing_columns: tuple[str, ...]


@dataclass(frozen=True)
class RunContext:
    """What a run takes as now (aware, UTC) and by which policy: as_of_setting | latest_event_in_export |
    wall_clock.
    """

    run_id: str
    as_of_at: datetime
    as_of_policy: str


def resolve(source: Source | str, entity: Entity | str) -> tuple[Source, Entity]:
    """Names or objects to objects. Raises KeyError naming what exists."""
    if isinstance(source, str):
        if source not in SOURCES:
            raise KeyError(f"no source {source!r}; there are {', '.join(SOURCES)}")
        source = SOURCES[source]
    if isinstance(entity, str):
        if entity not in source.entities:
            raise KeyError(f"no entity {entity!r} in {source.name}; there are {', '.join(source.entities)}")
        entity = source.entities[entity]
    return source, entity


def extract(
    settings: Settings,
    source: Source | str,
    entity: Entity | str,
    window: Window,
    run_id: str,
    progress: ProgressCallback | None = None,
) -> BatchResult:
    """Read one window and land it, wholly or not at all; unchanged content adds nothing.

    A window whose pages contradict each other is read again, up to MAX_READS_OF_A_WINDOW times. Raises
    SourceError, after which the warehouse is as before.
    """
    source, entity = resolve(source, entity)
    begun = time.monotonic()
    tell = _teller(progress, source, entity, window, begun)
    landing.clean_spool(settings)
    for attempt in range(1, MAX_READS_OF_A_WINDOW + 1):
        started_at = landing.utc_now()
        known_sha256 = source.content_sha256(entity, window)
        if known_sha256:
            standing = landing.touch_if_unchanged(settings, source, entity, window, known_sha256)
            if standing:
                tell("unchanged", row_count=standing.row_count)
                return _result(standing, 0, begun, window)
        try:
            in_bulk = _land_in_bulk(settings, source, entity, window, run_id, started_at, known_sha256)
            if in_bulk:
                tell("landed", row_count=in_bulk.row_count, page_count=1)
                return _result(in_bulk, 1, begun, window)
            with landing.Spool(settings, entity) as spool, source_clock.listen() as clock:
                for page in source.pages(entity, window, lambda message: tell("retrying", message=message)):
                    spool.add(page)
                    tell(
                        "extracting",
                        row_count=spool.received_count,
                        page_count=spool.page_count,
                        total=spool.total,
                    )
                if not spool.page_count:
                    # a list below other records has no page at all where there are none of those
                    spool.add(Page([]))
                if known_sha256 != source.content_sha256(entity, window):
                    raise InconsistentExtractError(
                        "the content changed while it was read",
                        f"{source.name} {entity.name} {window.partition_key}",
                        "drop files under another name and rename them when they are whole",
                    )
                landed = landing.land(
                    settings,
                    source,
                    entity,
                    window,
                    spool,
                    run_id=run_id,
                    started_at=started_at,
                    content_sha256=known_sha256,
                    clock=clock,
                )
        except InconsistentExtractError as error:
            if attempt == MAX_READS_OF_A_WINDOW:
                raise SourceError(
                    f"{error.what} (read {attempt} times; nothing of {window.partition_key} was landed)",
                    error.where,
                    error.how_to_mend,
                ) from None
            tell("restarted", message=error.what)
            continue
        except (OSError, duckdb.Error) as error:
            raise landing.disk_error(settings, error) or error from error
        tell(
            "landed" if landed.is_new else "unchanged",
            row_count=landed.row_count,
            page_count=spool.page_count,
        )
        return _result(landed, spool.page_count, begun, window)
    raise AssertionError("unreachable")


def _land_in_bulk(
    settings: Settings,
    source: Source,
    entity: Entity,
    window: Window,
    run_id: str,
    started_at: datetime,
    content_sha256: str | None,
) -> landing.LandResult | None:
    """Land a large file as a set; None when the source has none, or it has to be read with care."""
    file = source.bulk_file(entity, window) if content_sha256 else None
    if file is None:
        return None

    def is_unchanged() -> bool:
        return source.content_sha256(entity, window) == content_sha256

    return bulk.land_file(
        settings,
        source,
        entity,
        window,
        file,
        run_id=run_id,
        started_at=started_at,
        content_sha256=content_sha256,
        is_unchanged=is_unchanged,
    )


def extract_due(
    settings: Settings,
    source: Source | str,
    entity: Entity | str,
    as_of: datetime,
    run_id: str,
    progress: ProgressCallback | None = None,
) -> list[BatchResult]:
    """Extract every window that is owed, oldest first, under one open warehouse; then look for deleted records.

    Raises SourceError at the first window that fails; those before it have landed and stay.
    """
    source, entity = resolve(source, entity)
    with landing.hold_open(settings):
        windows = due_windows(settings, source, entity, as_of)
        results = [extract(settings, source, entity, window, run_id, progress) for window in windows]
        if windows:
            again = late_windows(settings, source, entity, run_id, progress)
            results += [extract(settings, source, entity, window, run_id, progress) for window in again]
        return results


def late_windows(
    settings: Settings,
    source: Source | str,
    entity: Entity | str,
    run_id: str,
    progress: ProgressCallback | None = None,
) -> list[Window]:
    """Count landed windows at the source again and note what is deleted there (ingestion.reconcile).

    Returns the windows in which the source has records that never landed. Raises SourceError.
    """
    source, entity = resolve(source, entity)
    landed = _landed_windows(settings, source, entity) if entity.partitioning == "daily" else []
    tell = _teller(progress, source, entity, Window("reconciliation"), time.monotonic())
    return reconcile(settings, source, entity, landed, run_id, lambda message: tell("reconciled", message=message))


def _teller(
    progress: ProgressCallback | None, source: Source, entity: Entity, window: Window, begun: float
) -> Callable[..., None]:
    def tell(phase: str, **facts: object) -> None:
        if progress:
            elapsed_seconds = time.monotonic() - begun
            progress(
                Progress(
                    source.name,
                    entity.name,
                    window.partition_key,
                    phase,
                    elapsed_seconds=elapsed_seconds,
                    **facts,
                )
            )

    return tell


def _result(landed: landing.LandResult, pages: int, begun: float, window: Window) -> BatchResult:
    return BatchResult(
        landed.batch_id,
        landed.is_new,
        landed.received_count,
        landed.row_count,
        landed.rejected_count,
        pages,
        time.monotonic() - begun,
        window.partition_key,
        landed.unknown_columns,
        landed.missing_columns,
    )


def window_for_partition(entity: Entity, key: str) -> Window:
    """The window of a partition key, in the form `Entity.partitioning` demands. Raises ValueError for
    another.
    """
    try:
        if entity.partitioning == "daily":
            first, _, last = key.partition("/")
            window = Window.of_days(date.fromisoformat(first), date.fromisoformat(last or first))
            if window.partition_key != key or window.start_at >= window.end_at:
                raise ValueError("the last day is before the first")
            return window
        if entity.partitioning == "monthly":
            return Window.of_month(month_of(key))
    except ValueError as error:
        form = "YYYY-MM" if entity.partitioning == "monthly" else "YYYY-MM-DD or YYYY-MM-DD/YYYY-MM-DD"
        raise ValueError(f"partition {key!r} of {entity.source} {entity.name}: write {form} ({error})") from None
    if entity.partitioning == "snapshot" and key != "snapshot":
        raise ValueError(f"partition {key!r} of {entity.source} {entity.name}: the only one is 'snapshot'")
    return Window(key)


def due_windows(settings: Settings, source: Source | str, entity: Entity | str, as_of: datetime) -> list[Window]:
    """What is owed up to `as_of` (aware), oldest first; [] for a source that is absent.

    Daily entities: every whole UTC day from EXTRACT_FROM that no landed window covers, in ranges of at most
    31 days, and once more the window of the last landed day: a record written late, or stamped by a clock
    that was behind, is found there; and the last few windows with rejects, whose records may have been mended.
    Monthly files: each month up to as_of that has a file, landed or not, for a file may be dropped again (an unchanged
    one adds nothing). Snapshots and single files: the one partition, every time.
    """
    source, entity = resolve(source, entity)
    if not source.is_configured()[0]:
        return []
    if entity.partitioning == "snapshot":
        return [Window("snapshot")]
    if entity.partitioning == "file":
        return [Window(key) for key in source.partition_keys(entity)]
    start_at = datetime.combine(settings.extract_from, clock_time(), UTC)
    if entity.partitioning == "monthly":
        months = [Window.of_month(month_of(key)) for key in source.partition_keys(entity)]
        return [month for month in months if month.end_at > start_at and month.end_at <= as_of]
    end_at = as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    landed = [window for window in _landed_windows(settings, source, entity) if window.end_at <= end_at]
    due = []
    reached = start_at
    for window in landed:
        if window.start_at > reached:
            due += _ranges(reached, window.start_at)
        reached = max(reached, window.end_at)
    due += _ranges(reached, end_at)
    if source.may_come_again(entity):
        due += landed
    elif landed:
        last_day = max(window.end_at for window in landed) - OVERLAP
        covering = [window for window in landed if window.start_at <= last_day < window.end_at]
        due.append(min(covering, key=lambda window: window.end_at - window.start_at))
        asked_for = {window.partition_key for window in due}
        rejecting = _rejecting_partitions(settings, source, entity)
        due += [w for w in landed if w.partition_key in rejecting and w.partition_key not in asked_for]
    return sorted(due, key=lambda window: window.start_at)


def _ranges(start_at: datetime, end_at: datetime) -> list[Window]:
    """[start_at, end_at) as windows of at most MAX_RANGE_DAYS whole days."""
    windows = []
    while start_at < end_at:
        following = min(start_at + timedelta(days=MAX_RANGE_DAYS), end_at)
        windows.append(Window.of_days(start_at.date(), (following - timedelta(days=1)).date()))
        start_at = following
    return windows


def _landed_windows(settings: Settings, source: Source, entity: Entity) -> list[Window]:
    """The partitions that have landed, by start."""
    if not settings.warehouse_path.exists():
        return []
    with landing.connect(settings, read_only=True) as connection:
        keys = connection.execute(
            "select partition_key from landing.extract_state where source = ? and entity = ?",
            [source.name, entity.name],
        ).fetchall()
    return sorted((window_for_partition(entity, key) for (key,) in keys), key=lambda window: window.start_at)


def _rejecting_partitions(settings: Settings, source: Source, entity: Entity) -> set[str]:
    """The partitions landed last whose content has records that could not be read."""
    with landing.connect(settings, read_only=True) as connection:
        rows = connection.execute(
            """
            select s.partition_key from landing.extract_state as s
            inner join landing.extract_batch as b on s.current_batch_id = b.batch_id
            where s.source = ? and s.entity = ? and b.rejected_count > 0
            order by b.finished_at desc limit ?
            """,
            [source.name, entity.name, MAX_REJECTING_WINDOWS],
        ).fetchall()
    return {key for (key,) in rows}


def write_source_status(settings: Settings) -> dict[str, tuple[bool, str]]:
    """Replace landing.source_status by what the environment says now; returns {source: (is_configured,
    reason)}.
    """
    status = {source.name: source.is_configured() for source in SOURCES.values()}
    checked_at = landing.utc_now()
    with landing.connect(settings) as connection:
        connection.execute("begin transaction")
        connection.execute("delete from landing.source_status")
        for name, (is_configured, reason) in status.items():
            connection.execute(
                "insert into landing.source_status values (?, ?, ?, ?)",
                [name, is_configured, reason, checked_at],
            )
        connection.execute("commit")
    return status


def write_run_context(settings: Settings, run_id: str) -> RunContext:
    """Append the run to landing.run_context and return it.

    As of: AS_OF when set; else, when an event log is the only ticket source, its latest sys_updated_at (a log
    of last year must not be measured by today's clock); else now, to the second.
    """
    started_at = landing.utc_now()
    if settings.as_of:
        as_of_at, policy = settings.as_of, "as_of_setting"
    elif os.environ.get("SERVICENOW_EXPORT_FILE") and not SOURCES["servicenow"].is_configured()[0]:
        as_of_at = passed_instant(_latest_event(settings), "the latest sys_updated_at in SERVICENOW_EXPORT_FILE")
        policy = "latest_event_in_export"
    else:
        as_of_at, policy = started_at.replace(microsecond=0, tzinfo=UTC), "wall_clock"
    with landing.connect(settings) as connection:
        connection.execute(
            "insert into landing.run_context values (?, ?, ?, ?)",
            [run_id, started_at, as_of_at.astimezone(UTC).replace(tzinfo=None), policy],
        )
    return RunContext(run_id, as_of_at, policy)


def _latest_event(settings: Settings) -> datetime:
    """The latest stamp of the event log: from its batch if this very file has landed, else from the file."""
    source, entity = SERVICENOW_EVENT_LOG, SERVICENOW_EVENT_LOG.entities["incident_event"]
    window = Window(source.partition_keys(entity)[0])
    with landing.connect(settings, read_only=True) as connection:
        row = connection.execute(
            """
            select max(try_strptime(sys_updated_at, ?)) from raw_servicenow_event_log.incident_event
            where _batch_id = (
                select b.batch_id from landing.extract_batch as b
                inner join landing.extract_state as s on s.current_batch_id = b.batch_id
                where b.source = ? and b.partition_key = ? and b.content_sha256 = ?
            )
            """,
            [
                list(entity.stamp_formats),
                source.name,
                window.partition_key,
                source.content_sha256(entity, window),
            ],
        ).fetchone()
    latest = row[0] if row else None
    if latest is None:
        texts = source.distinct_texts(entity, window, entity.stamp)
        latest = max(filter(None, map(_parse_stamp, texts)), default=None)
    if latest is None:
        raise SourceError(
            "the event log has no event with a readable sys_updated_at",
            window.partition_key,
            "set AS_OF to the instant to measure by, or mend the file",
        )
    return latest.replace(tzinfo=UTC)


def _parse_stamp(text: str) -> datetime | None:
    for layout in SERVICENOW_EVENT_LOG.entities["incident_event"].stamp_formats:
        try:
            return datetime.strptime(text, layout)  # noqa: DTZ007  (the log's instants are UTC without saying so)
        except ValueError:
            continue
    return None

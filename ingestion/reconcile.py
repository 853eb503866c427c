"""What the source has now against what has landed: deleted records, and records that came late.

An extract by stamp never hears of a deletion. So windows that have landed are counted again at the source, a few per
run: those never counted or longest not counted, and the last days. Where the counts differ, the keys alone are read.
A key that is missing from its window may only have moved (its record was changed since): each is asked for once more
by name, and what the source has no longer is noted in landing.deleted_record. A key that never landed has the window
extracted again. Counts that agree although one record went and another came late are not seen through.

In a snapshot, what the list before held and this one does not is gone.

Delivers: LTI-7.5
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import duckdb

from ingestion import landing
from ingestion.contracts import Entity, InconsistentExtractError, Source, SourceError, Window
from ingestion.environment import BELIEVE_VARIABLE, deletions_are_believed
from ingestion.landing import quoted
from ingestion.settings import Settings

OLD_WINDOWS_PER_RUN = 2
RECENT_WINDOWS_PER_RUN = 3
RECENT_DAYS = 7
MAX_READS = 3
# More than both of a window's records gone at once looks like an account that may read less, or another system.
MAX_DELETED_RECORDS, MAX_DELETED_SHARE = 5, 0.1
# the same rule by which staging takes one version of a record
NEWEST_FIRST = "{stamp} desc nulls last, _extracted_at desc nulls last, _batch_id desc, _row_number desc"


def reconcile(
    settings: Settings,
    source: Source,
    entity: Entity,
    landed: Sequence[Window],
    run_id: str,
    notify: Callable[[str], None],
) -> list[Window]:
    """Check some windows of an entity, or its snapshot; returns the windows that have to be extracted again.

    `landed` are the windows that have landed, by start. Raises SourceError.
    """
    if entity.partitioning == "snapshot":
        _note_vanished(settings, source, entity, run_id, notify)
        return []
    if entity.partitioning != "daily" or not entity.stamp or type(source).count is Source.count:
        return []
    again = []
    for window in _choose(settings, source, entity, landed):
        for attempt in range(1, MAX_READS + 1):
            try:
                has_late = _check(settings, source, entity, window, run_id, notify)
            except InconsistentExtractError as error:
                if attempt == MAX_READS:
                    raise SourceError(error.what, error.where, error.how_to_mend) from None
                notify(f"counting again: {error.what}")
                continue
            if has_late:
                again.append(window)
            break
    return again


def _choose(settings: Settings, source: Source, entity: Entity, landed: Sequence[Window]) -> list[Window]:
    """The windows to check: longest unchecked first, then the last ones of the last days."""
    if not landed:
        return []
    with landing.connect(settings, read_only=True) as connection:
        checked = dict(
            connection.execute(
                """
                select partition_key, max(checked_at) from landing.reconciled_window
                where source = ? and entity = ? group by partition_key
                """,
                [source.name, entity.name],
            ).fetchall()
        )
    oldest = sorted(landed, key=lambda window: (str(checked.get(window.partition_key, "")), window.start_at))
    since = max(window.end_at for window in landed) - timedelta(days=RECENT_DAYS)
    recent = sorted((window for window in landed if window.end_at > since), key=lambda window: window.end_at)
    chosen = {window.partition_key: window for window in oldest[:OLD_WINDOWS_PER_RUN]}
    chosen |= {window.partition_key: window for window in recent[-RECENT_WINDOWS_PER_RUN:]}
    return sorted(chosen.values(), key=lambda window: window.start_at)


def _check(
    settings: Settings, source: Source, entity: Entity, window: Window, run_id: str, notify: Callable[[str], None]
) -> bool:
    """Count a window and note what came of it; whether the source has records in it that never landed."""
    source_count = source.count(entity, window, notify)
    if source_count is None:
        return False
    batch_by_key = _landed_keys(settings, source, entity, window)
    alive = {key for key, (_, is_deleted) in batch_by_key.items() if not is_deleted}
    deleted: set[str] = set()
    returned: set[str] = set()
    unlanded: set[str] = set()
    if source_count != len(alive):
        there = source.keys(entity, window, notify)
        missing = alive - there
        deleted = missing - source.existing_keys(entity, missing, notify) if missing else set()
        if deleted and not _is_believable(source, entity, len(deleted), len(alive), bool(there), notify):
            notify(
                f"{len(deleted)} of {len(alive)} landed records of {window.partition_key} are found no more: too "
                "many to believe them deleted, none is noted. See what the account may read (roles, query rules) and "
                f"that the address is the right system's; if they are gone, run once with {BELIEVE_VARIABLE}=true"
            )
            deleted = set()
        returned = (batch_by_key.keys() - alive) & there
        unlanded = there - batch_by_key.keys()
        notify(
            f"{source_count} records at the source, {len(alive)} landed: {len(deleted)} deleted there, "
            f"{len(returned)} there again, {len(unlanded)} not landed yet, {len(missing) - len(deleted)} changed since"
        )
    now = landing.utc_now()
    with landing.connect(settings) as connection, landing.transaction(connection):
        for keys, is_deleted in ((deleted, True), (returned, False)):
            _note(connection, source, entity, [(key, batch_by_key[key][0]) for key in keys], is_deleted, now, run_id)
        connection.execute(
            f"insert into landing.reconciled_window values ({', '.join('?' * 12)})",
            [
                source.name,
                entity.name,
                window.partition_key,
                window.start_at.replace(tzinfo=None),
                window.end_at.replace(tzinfo=None),
                source_count,
                len(alive),
                len(deleted),
                len(returned),
                len(unlanded),
                now,
                run_id,
            ],
        )
    return bool(unlanded)


def _is_believable(
    source: Source,
    entity: Entity,
    deleted_count: int,
    landed_count: int,
    is_any_left: bool,
    notify: Callable[[str], None],
) -> bool:
    """Whether so many records may have been deleted: a mistake would take tickets out of somebody's pay.

    An account that lost its rights sees fewer records, or none at all and says so politely.
    """
    if deletions_are_believed():
        return True
    if deleted_count > max(MAX_DELETED_RECORDS, landed_count * MAX_DELETED_SHARE):
        return False
    return is_any_left or bool(source.count(entity, Window("snapshot"), notify))


def _landed_keys(settings: Settings, source: Source, entity: Entity, window: Window) -> dict[str, tuple[str, bool]]:
    """Keys whose newest landed version falls in the window: its batch, and whether it is known to be gone."""
    formats = ", ".join(f"'{text}'" for text in entity.stamp_formats)
    stamp = f"try_strptime({quoted(entity.stamp)}, [{formats}])"
    with landing.connect(settings, read_only=True) as connection:
        rows = connection.execute(
            f"""
            with newest as (
                select {_key_text(entity)} as record_key, {stamp} as stamp, _batch_id as batch_id
                from {entity.table}
                qualify row_number() over (
                    partition by record_key order by {NEWEST_FIRST.format(stamp="stamp")}
                ) = 1
            )
            select n.record_key, n.batch_id, coalesce(d.is_deleted, false)
            from newest as n
            left join ({_latest_findings()}) as d on d.batch_id = n.batch_id and d.record_key = n.record_key
            where n.stamp >= $start_at and n.stamp < $end_at
            """,
            {
                "source": source.name,
                "entity": entity.name,
                "start_at": window.start_at.replace(tzinfo=None),
                "end_at": window.end_at.replace(tzinfo=None),
            },
        ).fetchall()
    return {key: (batch_id, is_deleted) for key, batch_id, is_deleted in rows}


def _key_text(entity: Entity) -> str:
    """A record's key as one text; staging builds it in the same way."""
    return f"concat_ws('|', {', '.join(quoted(column) for column in entity.key)})"


def _latest_findings() -> str:
    return """
        select batch_id, record_key, max_by(is_deleted, found_at) as is_deleted from landing.deleted_record
        where source = $source and entity = $entity group by batch_id, record_key
    """


def _note(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    entity: Entity,
    found: list[tuple[str, str]],
    is_deleted: bool,
    now: datetime,
    run_id: str,
) -> None:
    if found:
        keys, batch_ids = zip(*found, strict=True)
        connection.execute(
            """
            insert into landing.deleted_record
            select $source, $entity, unnest($keys), unnest($batch_ids), $is_deleted, $now, $run_id
            """,
            {
                "source": source.name,
                "entity": entity.name,
                "keys": list(keys),
                "batch_ids": list(batch_ids),
                "is_deleted": is_deleted,
                "now": now,
                "run_id": run_id,
            },
        )


def _note_vanished(
    settings: Settings, source: Source, entity: Entity, run_id: str, notify: Callable[[str], None]
) -> None:
    """Note the keys the snapshots before held and the standing one does not, each once per version."""
    with landing.connect(settings) as connection, landing.transaction(connection):
        (batch_count,) = connection.execute(
            "select count(*) from landing.extract_batch where source = ? and entity = ?", [source.name, entity.name]
        ).fetchone()
        if batch_count < 2:
            return
        found = connection.execute(
            f"""
            with newest as (
                select {_key_text(entity)} as record_key, _batch_id as batch_id
                from {entity.table}
                qualify row_number() over (
                    partition by record_key order by _extracted_at desc nulls last, _batch_id desc, _row_number desc
                ) = 1
            )
            select n.record_key, n.batch_id
            from newest as n
            left join ({_latest_findings()}) as d on d.batch_id = n.batch_id and d.record_key = n.record_key
            where not coalesce(d.is_deleted, false) and n.batch_id not in (
                select current_batch_id from landing.extract_state where source = $source and entity = $entity
            )
            """,
            {"source": source.name, "entity": entity.name},
        ).fetchall()
        _note(connection, source, entity, found, True, landing.utc_now(), run_id)
    if found:
        notify(f"{len(found)} records of the list before are gone from the list")

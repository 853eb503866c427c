"""The landing: audit tables, raw tables, and the one transaction in which a batch becomes visible.

Append-only. Pages are first written to a spool folder (a page is `.part` until it is whole), then one DuckDB
transaction reads the spool into the raw table, landing_reject, extract_batch and extract_state. Killed at any
moment, it leaves the warehouse as it was; spool folders of the dead are removed by the next extract.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.contracts import Entity, InconsistentExtractError, Page, Source, SourceError, Window
from ingestion.environment import BELIEVE_VARIABLE, deletions_are_believed
from ingestion.json_records import to_text
from ingestion.settings import Settings
from ingestion.source_clock import SourceClock

# What DuckDB may hold while a batch is landed, however many pages it has; the rest is on disk.
LANDING_MEMORY = "400MB"
# A list of so many records is not emptied in a day.
EMPTIED_FROM_RECORDS = 10
AUDIT_TABLES = {
    "extract_batch": """
        batch_id varchar primary key, source varchar not null, entity varchar not null,
        partition_key varchar not null, window_start_at timestamp, window_end_at timestamp,
        started_at timestamp not null, finished_at timestamp not null, source_count bigint,
        received_count bigint not null, row_count bigint not null, rejected_count bigint not null,
        page_count bigint not null, content_sha256 varchar not null, high_water_before timestamp,
        high_water_after timestamp, connector_version varchar not null, status varchar not null,
        unknown_columns varchar not null, missing_columns varchar not null, run_id varchar not null,
        check (received_count = row_count + rejected_count)""",
    "landing_reject": """
        batch_id varchar not null, source varchar not null, entity varchar not null, row_number bigint not
        null, reason varchar not null, record_bytes blob not null, rejected_at timestamp not null""",
    "extract_state": """
        source varchar not null, entity varchar not null, partition_key varchar not null,
        current_batch_id varchar not null, last_checked_at timestamp not null,
        primary key (source, entity, partition_key)""",
    "deleted_record": """
        source varchar not null, entity varchar not null, record_key varchar not null, batch_id varchar not null,
        is_deleted boolean not null, found_at timestamp not null, run_id varchar not null""",
    "reconciled_window": """
        source varchar not null, entity varchar not null, partition_key varchar not null,
        window_start_at timestamp not null, window_end_at timestamp not null, source_count bigint not null,
        landed_count bigint not null, deleted_count bigint not null, returned_count bigint not null,
        unlanded_count bigint not null, checked_at timestamp not null, run_id varchar not null""",
    "source_status": """
        source varchar not null, is_configured boolean not null, reason varchar not null,
        checked_at timestamp not null""",
    "source_clock": """
        source varchar not null, entity varchar not null, partition_key varchar not null,
        run_id varchar not null, measured_at timestamp not null, reading_count bigint not null,
        offset_low_seconds decimal(18, 3) not null, offset_high_seconds decimal(18, 3) not null""",
    "run_context": """
        run_id varchar not null, started_at timestamp not null, as_of_at timestamp not null,
        as_of_policy varchar not null""",
    "source_entity": """
        source varchar not null, entity varchar not null, partitioning varchar not null,
        primary key (source, entity)""",
    "entity_dependent": """
        source varchar not null, entity varchar not null, schema_name varchar not null,
        table_name varchar not null, primary key (source, entity, schema_name, table_name)""",
    "entity_check": """
        run_id varchar not null, source varchar not null, entity varchar not null,
        checked_at timestamp not null, covered_to_at timestamp, high_water_at timestamp""",
    "batch_profile": """
        batch_id varchar not null, source varchar not null, entity varchar not null, slice_from_at timestamp,
        slice_to_at timestamp, column_name varchar not null, row_count bigint not null, null_count bigint not
        null, distinct_count bigint, least_text varchar, greatest_text varchar, low_value double, middle_value
        double, high_value double""",
    "batch_category": """
        batch_id varchar not null, source varchar not null, entity varchar not null, slice_from_at timestamp,
        column_name varchar not null, category varchar not null, row_count bigint not null""",
    "drift_finding": """
        source varchar not null, entity varchar not null, column_name varchar not null, measure varchar not
        null, severity varchar not null, batch_id varchar not null, partition_key varchar not null,
        slice_from_at timestamp, slice_to_at timestamp, category varchar, expected_low double, expected_high
        double, found_value double, history_count bigint not null, expected_text varchar not null, found_text
        varchar not null, first_batch_id varchar, how_to_mend varchar not null, is_gating boolean not null""",
    "gate_check": """
        gate varchar not null, check_name varchar not null, table_name varchar not null, severity varchar not
        null, description varchar not null, primary key (gate, check_name)""",
    "gate_outcome": """
        run_id varchar not null, gate varchar not null, check_name varchar not null, judged_at timestamp not
        null, outcome varchar not null, failing_row_count bigint""",
    "dbt_test_outcome": """
        invocation_id varchar not null, test_name varchar not null, judged_at timestamp not null, outcome
        varchar not null, failing_row_count bigint""",
    "closed_period": """
        period_code varchar primary key, sequence_number integer not null, closed_at timestamp not null,
        as_of_at timestamp not null, manifest_sha256 varchar not null, previous_manifest_sha256 varchar,
        code_revision varchar not null, format_version integer not null, file_count bigint not null,
        archive_size_bytes bigint not null""",
    "closed_payout_line": """
        period_code varchar not null, payout_line_id varchar not null, plan_code varchar not null, plan_version
        integer not null, employee_number varchar not null, segment_start_on date not null, segment_end_on date
        not null, team_code varchar not null, country_code varchar, cost_centre_code varchar, component_code
        varchar not null, metric_result_key varchar, metric_value decimal(18, 6), paid_value decimal(18, 6),
        payout_share decimal(9, 4), weight decimal(9, 4), target_amount decimal(18, 2), payout_amount
        decimal(18, 2) not null, currency_code varchar not null, primary key (period_code, payout_line_id)""",
    "payroll_export": """
        payment_period varchar not null, country_code varchar not null, export_number integer not null,
        sequence_number integer not null unique, exported_at timestamp not null, as_of_at timestamp not null,
        manifest_sha256 varchar not null, previous_manifest_sha256 varchar, line_count bigint not null,
        employee_count bigint not null, primary key (payment_period, country_code, export_number)""",
    "payroll_export_ledger_line": """
        ledger_line_id varchar primary key, payment_period varchar not null, country_code varchar not null,
        export_number integer not null, employee_number varchar not null, currency_code varchar not null,
        earning_kind varchar not null, pay_code varchar not null, account_code varchar not null, amount
        decimal(18, 2) not null""",
    "payroll_export_journal_line": """
        payment_period varchar not null, country_code varchar not null, export_number integer not null,
        voucher_code varchar not null, line_number integer not null, voucher_kind varchar not null,
        fiscal_period varchar not null, currency_code varchar not null, account_role varchar not null,
        account_code varchar not null, cost_centre_code varchar, earned_quarter varchar not null, side varchar
        not null, amount decimal(18, 2) not null, primary key (voucher_code, line_number)""",
}
RAW_AUDIT_COLUMNS = (
    "_record json not null, _batch_id varchar not null, _row_number bigint not null, "
    "_extracted_at timestamp not null, _row_hash varchar not null"
)
TABLE_COMMENTS = {
    "extract_batch": "One row per extract that landed: what was asked, received, landed and turned away.",
    "landing_reject": "One row per record that was received and not landed, with its bytes and the reason.",
    "extract_state": "One row per partition: the batch with its present content, and its last check.",
    "deleted_record": "Append-only: a landed record found gone from its source (is_deleted) or there again; the latest "
    "found_at counts. batch_id is the batch with the version that is gone.",
    "reconciled_window": "One row per check of a window: records the source has in it, landed ones it should have.",
    "source_status": "One row per source system: whether this run knew its address, and why not.",
    "source_clock": "One row per extract of a system that dates its answers: how far its clock is from ours.",
    "run_context": "One row per run: the instant it took as now. The latest started_at counts.",
    "source_entity": "One row per entity the connectors know: how it is partitioned.",
    "entity_dependent": "One row per entity and mart built from it, as the dbt lineage has it.",
    "entity_check": "One row per run and entity: when its source last answered, and how far its data reach.",
    "batch_profile": "One row per batch, slice and column: rows, empty values, distinct values, ends, quantiles.",
    "batch_category": "One row per batch, slice, column of few values and value: its rows.",
    "drift_finding": "One row per departure of a batch from the history of its entity, as last judged.",
    "gate_check": "One row per check of a gate, as the project has it: what can stand as evidence of a control.",
    "gate_outcome": "Append-only: one row per run and check of a gate, what came of it and when it was judged.",
    "dbt_test_outcome": "Append-only: one row per dbt command and data test, what came of it and when.",
    "closed_period": "One row per closed period, as the archive was found at the start of a run.",
    "closed_payout_line": "One row per payout line of a closed period, from its archive.",
    "payroll_export": "One row per payroll export, as its folder was found at the start of a run.",
    "payroll_export_ledger_line": "One row per line of the payout ledger that was exported, from its export's folder.",
    "payroll_export_journal_line": "One row per journal line that was exported, from its export's folder.",
}


@dataclass(frozen=True)
class LandResult:
    """What became of a spool: the batch that now stands for the partition, and the counts of this extract."""

    batch_id: str
    is_new: bool
    received_count: int
    row_count: int
    rejected_count: int
    unknown_columns: tuple[str, ...]
    missing_columns: tuple[str, ...]


_held: ContextVar[tuple[Path, duckdb.DuckDBPyConnection] | None] = ContextVar("held_open", default=None)


@contextlib.contextmanager
def hold_open(settings: Settings) -> Iterator[None]:
    """Keep the warehouse open over many extracts, and close it with the block.

    Each batch still commits by itself; what is saved is opening the file and tidying it at each close, which
    cost more than a small window does. Within another such block of the same warehouse it does nothing.
    """
    held = _held.get()
    if held is not None and held[0] == settings.warehouse_path:
        yield
        return
    with _open(settings, read_only=False) as connection:
        token = _held.set((settings.warehouse_path, connection))
        try:
            yield
        finally:
            _held.reset(token)


@contextlib.contextmanager
def connect(settings: Settings, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse that closes with the block (a cursor of the one held open, if one is).

    Raises SourceError when another process holds the file.
    """
    held = _held.get()
    if held is None or held[0] != settings.warehouse_path:
        with _open(settings, read_only=read_only) as connection:
            yield connection
        return
    cursor = held[1].cursor()
    try:
        yield cursor
    finally:
        cursor.close()


@contextlib.contextmanager
def _open(settings: Settings, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(settings.warehouse_path), read_only=read_only)
    except duckdb.IOException as error:
        raise SourceError(
            f"the warehouse cannot be opened: {str(error).splitlines()[0]}",
            str(settings.warehouse_path),
            "end the process that holds it (the message names it); read the published files instead",
        ) from error
    try:
        # a spool is read once and gone: its pages need no second place in memory
        connection.execute("set enable_external_file_cache = false")
        connection.execute("set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def sparing(connection: duckdb.DuckDBPyConnection) -> Iterator[Callable[[], None]]:
    """One thread and LANDING_MEMORY while the block runs, or until what it gives is called; outside of a transaction.

    Each thread that writes holds a row group of its own in memory until that is full (some 250 MB of wide records),
    and where rows are numbered in order a second one only waits, busily: twice the CPU seconds, and no sooner done.
    """
    threads, memory = connection.execute(
        "select current_setting('threads'), current_setting('memory_limit')"
    ).fetchone()

    def lift() -> None:
        connection.execute(f"set threads = {threads}")
        connection.execute(f"set memory_limit = '{memory}'")

    connection.execute("set threads = 1")
    connection.execute(f"set memory_limit = '{LANDING_MEMORY}'")
    try:
        yield lift
    finally:
        lift()  # after the transaction has ended: within one that failed, nothing may be said any more


@contextlib.contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of the block's writes, or none."""
    connection.execute("begin transaction")
    try:
        yield
    except BaseException:
        with contextlib.suppress(duckdb.Error):
            connection.execute("rollback")
        raise
    connection.execute("commit")


def quoted(name: str) -> str:
    """A name as a quoted SQL identifier (vendors name columns user, start, end)."""
    return '"' + name.replace('"', '""') + '"'


def prepare(settings: Settings) -> None:
    """Create the audit tables and every raw table, configured or not, so that what stands above can build.

    Safe to repeat; a column that joined a contract since is added to its table.
    """
    from ingestion.sources import SOURCES

    with connect(settings) as connection, transaction(connection):
        connection.execute("create schema if not exists landing")
        for name, columns in AUDIT_TABLES.items():
            connection.execute(f"create table if not exists landing.{name} ({columns})")
            comment = TABLE_COMMENTS[name].replace("'", "''")
            connection.execute(f"comment on table landing.{name} is '{comment}'")
        present: dict[str, set[str]] = {}
        for schema, table, column in connection.execute(
            """
            select schema_name, table_name, column_name from duckdb_columns()
            where database_name = current_database()
            """
        ).fetchall():
            present.setdefault(f"{schema}.{table}", set()).add(column)
        for source in SOURCES.values():
            connection.execute(f"create schema if not exists raw_{source.name}")
            for entity in source.entities.values():
                columns = ", ".join(f"{quoted(column)} varchar" for column in entity.columns)
                connection.execute(f"create table if not exists {entity.table} ({columns}, {RAW_AUDIT_COLUMNS})")
                for column in entity.columns:
                    if entity.table in present and column not in present[entity.table]:
                        connection.execute(f"alter table {entity.table} add column {quoted(column)} varchar")
                comment = entity.description.replace("'", "''")
                connection.execute(f"comment on table {entity.table} is '{comment}'")


class Spool:
    """Pages of one extract on disk, out of sight of the warehouse. A context manager that removes itself.

    Each page is a Parquet file of (row number, record text, reason and bytes of a reject, the contract
    columns as text): the reader needs no quoting rules and gives back every character. Row numbers count
    every record received, from 1, rejects included.
    """

    def __init__(self, settings: Settings, entity: Entity) -> None:
        self.entity = entity
        self.folder = settings.spool_path / f"extract-{secrets.token_hex(8)}"
        self.received_count = 0
        self.page_count = 0
        self.total: int | None = None
        self.fields: set[str] = set()
        self.is_header_known = False
        self.is_typed = False
        self._digest = hashlib.sha256()
        self._page_digests: set[bytes] = set()
        self._schema = pa.schema(
            [("n", pa.int64()), ("record", pa.string()), ("reason", pa.string()), ("bytes", pa.binary())]
            + [(f"c{index}", pa.string()) for index in range(len(entity.columns))]
        )

    def __enter__(self) -> Spool:
        self.folder.mkdir(parents=True, mode=0o700)
        self._lock = _try_lock(self.folder)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock:
            self._lock.close()

    @property
    def content_sha256(self) -> str:
        """SHA-256 over the records in the order received, each with a line end, rejects included."""
        return self._digest.hexdigest()

    @property
    def pattern(self) -> str:
        """The glob of the whole pages."""
        return str(self.folder / "page-*.parquet")

    def add(self, page: Page) -> None:
        """Write one page. Raises InconsistentExtractError when an API gave the very same page before."""
        records = page.records
        first = self.received_count + 1
        self.received_count += len(records)
        content = b"".join([(record.raw if record.reason else record.text.encode()) + b"\n" for record in records])
        self._digest.update(content)
        reasons = [record.reason for record in records]
        texts = [None if record.reason else record.text for record in records]
        blobs = [record.raw if record.reason else None for record in records]
        if page.fields is None:
            # few shapes, many records: names are looked at once a shape
            for shape in {tuple(record.values) for record in records if record.values}:
                self.fields.update(shape)
        if page.fields is not None:
            self.is_header_known = True
            self.fields.update(page.fields)
        elif records:
            page_digest = hashlib.sha256(content).digest()
            if page_digest in self._page_digests:
                raise InconsistentExtractError(
                    f"page {self.page_count + 1} of {self.entity.name} repeats an earlier page",
                    f"{self.entity.source} {self.entity.endpoint}",
                    "run again; if it stays so, the system's paging is broken and records are being skipped",
                )
            self._page_digests.add(page_digest)
        self.total = page.total
        self.is_typed = self.is_typed or page.is_typed
        rows = [record.values or {} for record in records]
        if page.fields is not None:
            cells_by_column = [[row.get(column) for row in rows] for column in self.entity.columns]
        else:
            cells_by_column = [
                [cell if (cell := row.get(column)).__class__ is str or cell is None else to_text(cell) for row in rows]
                for column in self.entity.columns
            ]
        columns = [range(first, self.received_count + 1), texts, reasons, blobs, *cells_by_column]
        table = pa.table(
            [pa.array(cells, kind.type) for cells, kind in zip(columns, self._schema, strict=True)],
            schema=self._schema,
        )
        self.page_count += 1
        whole = self.folder / f"page-{self.page_count:06d}.parquet"
        part = whole.with_suffix(".part")
        pq.write_table(table, part, compression="snappy")
        part.rename(whole)

    def drift(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the fields that came say about the contract (see `drift`)."""
        return drift(self.entity, self.fields, is_header_known=self.is_header_known)


def drift(entity: Entity, fields: set[str], *, is_header_known: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(columns that came and the contract does not know, contract columns that did not come at all).

    Without records and without a header nothing can be said about columns.
    """
    unknown = tuple(sorted(fields - set(entity.columns) - entity.known_fields))
    if not fields and not is_header_known:
        return unknown, ()
    return unknown, tuple(c for c in entity.columns if c not in fields and c not in entity.optional)


def _try_lock(folder: Path) -> IO[str] | None:
    """Hold a spool folder for as long as this process lives; None when another process holds it."""
    handle = (folder / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return handle


def clean_spool(settings: Settings) -> int:
    """Remove the spool folders of extracts that died, not those of the living; returns how many."""
    removed = 0
    for folder in settings.spool_path.glob("extract-*"):
        with contextlib.suppress(FileNotFoundError):
            lock = _try_lock(folder)
            if lock:
                shutil.rmtree(folder, ignore_errors=True)
                lock.close()
                removed += 1
    return removed


def disk_error(settings: Settings, error: OSError | duckdb.Error) -> SourceError | None:
    """What a failed write means where the disk is full (or a quota or a limit of file sizes reached); else None.

    DuckDB and Arrow pass the words of the operating system on, DuckDB without its number.
    """
    full = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]
    if not any(words in str(error) for words in full):
        return None
    return SourceError(
        f"the disk is full: {str(error).splitlines()[0][:200]}",
        f"{settings.spool_path} or {settings.warehouse_path.parent}",
        "free some space (pages in the spool take about as much as what lands of them) and run again; the extract "
        "that did not end has landed nothing",
    )


def utc_now() -> datetime:
    """Now, in UTC, without a zone: what a TIMESTAMP column holds."""
    return datetime.now(UTC).replace(tzinfo=None)


def _naive(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC).replace(tzinfo=None) if instant else None


def touch_if_unchanged(
    settings: Settings, source: Source, entity: Entity, window: Window, content_sha256: str
) -> LandResult | None:
    """The standing batch when the partition's content is what it holds (then only marked as checked)."""
    with connect(settings) as connection, transaction(connection):
        return _touch_if_unchanged(connection, source, entity, window, content_sha256)


def _touch_if_unchanged(
    connection: duckdb.DuckDBPyConnection, source: Source, entity: Entity, window: Window, content_sha256: str
) -> LandResult | None:
    try:
        row = connection.execute(
            """
            select
                b.batch_id, b.received_count, b.row_count, b.rejected_count,
                b.unknown_columns, b.missing_columns
            from landing.extract_state as s
            inner join landing.extract_batch as b on b.batch_id = s.current_batch_id
            where s.source = ? and s.entity = ? and s.partition_key = ?
              and b.content_sha256 = ? and b.connector_version = ?
            """,
            [source.name, entity.name, window.partition_key, content_sha256, source.version()],
        ).fetchone()
    except duckdb.CatalogException:
        raise SourceError(
            "the landing tables are not there", "schema landing", "call ingestion.landing.prepare first"
        ) from None
    if row is None:
        return None
    connection.execute(
        """
        update landing.extract_state set last_checked_at = ?
        where source = ? and entity = ? and partition_key = ?
        """,
        [utc_now(), source.name, entity.name, window.partition_key],
    )
    return LandResult(row[0], False, *row[1:4], tuple(json.loads(row[4])), tuple(json.loads(row[5])))


def land(
    settings: Settings,
    source: Source,
    entity: Entity,
    window: Window,
    spool: Spool,
    *,
    run_id: str,
    started_at: datetime,
    content_sha256: str | None = None,
    clock: SourceClock | None = None,
) -> LandResult:
    """Bring a spool into the warehouse, wholly or not at all.

    Content equal to the partition's standing batch adds nothing. A record that repeats another of this
    extract to the last character goes to landing_reject ('duplicate_in_extract'); records that share a key
    but differ are all landed. `started_at` is UTC without a zone; what `clock` heard of the source's clock is
    kept whether the content is new or not. Raises InconsistentExtractError when the
    number of different records is not what the source promised, or stamps lie outside the window.
    """
    content = content_sha256 or spool.content_sha256
    with connect(settings) as connection, sparing(connection), transaction(connection):
        if entity.partitioning == "snapshot" and not spool.received_count:
            _refuse_emptied_list(connection, source, entity)
        # Rows carry their number: without the promise of physical order they need not be kept until all are there.
        connection.execute("set preserve_insertion_order = false")
        standing = _touch_if_unchanged(connection, source, entity, window, content)
        rejected, repeated, high_water = _examine(connection, source, entity, window, spool)
        if clock is not None and clock.reading_count:
            connection.execute(
                "insert into landing.source_clock values (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    source.name,
                    entity.name,
                    window.partition_key,
                    run_id,
                    utc_now(),
                    clock.reading_count,
                    round(clock.offset_low_seconds, 3),
                    round(clock.offset_high_seconds, 3),
                ],
            )
        if standing:
            return standing
        identity = new_batch(source, entity, started_at)
        batch_id = identity["batch_id"]
        relation = _spool_relation(spool, with_repeats=repeated > 0)
        connection.execute(
            f"""
            insert into landing.landing_reject
            select $batch_id, $source, $entity, n, coalesce(reason, 'duplicate_in_extract'),
                   coalesce(bytes, encode(record)), $now
            from {relation} where reason is not null or repeat_number > 1 order by n
            """,
            {**{k: identity[k] for k in ("batch_id", "source", "entity")}, "now": utc_now()},
        )
        names = ", ".join(quoted(column) for column in entity.columns)
        cells = ", ".join(f"c{index}" for index in range(len(entity.columns)))
        record, row_hash = _kept(entity, spool)
        connection.execute(
            f"""
            insert into {entity.table} ({names}, _record, _batch_id, _row_number, _extracted_at, _row_hash)
            select {cells}, {record}, $batch_id, n, $started_at, {row_hash}
            from {relation} where reason is null and repeat_number = 1
            """,
            {"batch_id": batch_id, "started_at": started_at},
        )
        return record_batch(
            connection,
            source,
            entity,
            window,
            identity,
            content_sha256=content,
            source_count=spool.total,
            received_count=spool.received_count,
            rejected_count=rejected + repeated,
            page_count=spool.page_count,
            high_water=high_water,
            drift=spool.drift(),
            run_id=run_id,
        )


def _refuse_emptied_list(connection: duckdb.DuckDBPyConnection, source: Source, entity: Entity) -> None:
    """A list that had records and has none now takes everybody out: rather an account that lost its rights."""
    standing = connection.execute(
        """
        select b.row_count from landing.extract_state as s
        inner join landing.extract_batch as b on s.current_batch_id = b.batch_id
        where s.source = ? and s.entity = ?
        """,
        [source.name, entity.name],
    ).fetchone()
    if standing and standing[0] >= EMPTIED_FROM_RECORDS and not deletions_are_believed():
        raise SourceError(
            f"the list is empty now and had {standing[0]} records",
            f"{source.name} {entity.name}",
            f"see what the account may read; where it really is empty, run once with {BELIEVE_VARIABLE}=true",
        )


def new_batch(source: Source, entity: Entity, started_at: datetime) -> dict[str, object]:
    """The columns of landing.extract_batch that name a batch."""
    return {
        "batch_id": f"{source.name}.{entity.name}.{started_at:%Y%m%dT%H%M%S}.{secrets.token_hex(4)}",
        "source": source.name,
        "entity": entity.name,
        "started_at": started_at,
    }


def record_batch(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    entity: Entity,
    window: Window,
    identity: dict[str, object],
    *,
    content_sha256: str,
    source_count: int | None,
    received_count: int,
    rejected_count: int,
    page_count: int,
    high_water: datetime | None,
    drift: tuple[tuple[str, ...], tuple[str, ...]],
    run_id: str,
) -> LandResult:
    """Write what became of a batch, and let it stand for its partition; the last step of its transaction."""
    batch_id = identity["batch_id"]
    high_water_before = connection.execute(
        "select max(high_water_after) from landing.extract_batch where source = ? and entity = ?",
        [source.name, entity.name],
    ).fetchone()[0]
    unknown, missing = drift
    row_count = received_count - rejected_count
    batch = {
        **identity,
        "partition_key": window.partition_key,
        "window_start_at": _naive(window.start_at),
        "window_end_at": _naive(window.end_at),
        "finished_at": utc_now(),
        "source_count": source_count,
        "received_count": received_count,
        "row_count": row_count,
        "rejected_count": rejected_count,
        "page_count": page_count,
        "content_sha256": content_sha256,
        "high_water_before": high_water_before,
        "high_water_after": max(filter(None, (high_water_before, high_water)), default=None),
        "connector_version": source.version(),
        "status": "landed",
        "unknown_columns": json.dumps(unknown),
        "missing_columns": json.dumps(missing),
        "run_id": run_id,
    }
    places = ", ".join(f"${name}" for name in batch)
    connection.execute(f"insert into landing.extract_batch ({', '.join(batch)}) values ({places})", batch)
    connection.execute(
        """
        insert into landing.extract_state values (?, ?, ?, ?, ?)
        on conflict (source, entity, partition_key) do update
        set current_batch_id = excluded.current_batch_id, last_checked_at = excluded.last_checked_at
        """,
        [source.name, entity.name, window.partition_key, batch_id, utc_now()],
    )
    return LandResult(batch_id, True, received_count, row_count, rejected_count, unknown, missing)


def _kept(entity: Entity, spool: Spool) -> tuple[str, str]:
    """SQL for `_record` and `_row_hash` of a spooled record (see Entity.keeps_record)."""
    if entity.keeps_record == "whole" or spool.is_typed:
        return "record", "md5(record)"
    rest = sorted(spool.fields - set(entity.columns))
    pairs = ", ".join(
        f"{text_literal(name)}, json_extract_string(record, {text_literal(json_pointer(name))})" for name in rest
    )
    record = f"json_object({pairs})::varchar" if rest else "'{}'"
    return record, row_hash_of_cells([f"c{index}" for index in range(len(entity.columns))], record)


def row_hash_of_cells(cells: Sequence[str], record: str) -> str:
    """SQL for the fingerprint of a row whose record stands in its columns and the rest of it in `_record`."""
    return f"md5(concat_ws(chr(31), {', '.join(cells)}, {record}))"


def stamp_sql(entity: Entity, cell: str) -> str:
    """SQL for the instant a cell of the entity's stamp holds; NULL where the entity has none."""
    if not entity.stamp:
        return "null::timestamp"
    formats = ", ".join(text_literal(text) for text in entity.stamp_formats)
    stamp = f"try_strptime({cell}, [{formats}])"
    return f"({stamp}) at time zone 'UTC'" if "%z" in formats else stamp


def text_literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def json_pointer(field: str) -> str:
    """The JSON pointer of a top-level field, whatever its name."""
    return "/" + field.replace("~", "~0").replace("/", "~1")


def _spool_relation(spool: Spool, *, with_repeats: bool) -> str:
    files = "read_parquet('" + spool.pattern.replace("'", "''") + "')"
    if not with_repeats:
        return f"(select *, 1 as repeat_number from {files}) as spool"
    number = """case when reason is null
        then row_number() over (partition by reason, md5(record) order by n) else 1 end"""
    return f"(select *, {number} as repeat_number from {files}) as spool"


def _examine(
    connection: duckdb.DuckDBPyConnection, source: Source, entity: Entity, window: Window, spool: Spool
) -> tuple[int, int, datetime | None]:
    """(records rejected while reading, repeated records, latest stamp) of a spool that keeps its promises."""
    stamp = stamp_sql(entity, f"c{entity.columns.index(entity.stamp)}" if entity.stamp else "")
    relation = _spool_relation(spool, with_repeats=False)
    count, rejected, distinct, earliest, latest = connection.execute(
        f"""
        select count(*), count(reason), count(distinct hash(record)) filter (where record is not null),
            min({stamp}), max({stamp})
        from {relation}
        """
    ).fetchone()
    assert count == spool.received_count, "the spool does not hold what was written to it"
    if distinct < count - rejected:
        # two records may share a short fingerprint by chance: the long ones, in three times the memory, decide
        (distinct,) = connection.execute(f"select count(distinct md5(record)) from {relation}").fetchone()
    repeated = count - rejected - distinct
    where = f"{source.name} {entity.name} {window.partition_key}"
    if spool.total is not None and count - repeated != spool.total:
        raise InconsistentExtractError(
            f"{count} records came ({repeated} of them repeats), the source promised {spool.total}",
            where,
            "run again; if it stays so, the system's paging is broken and records are being skipped",
        )
    if window.start_at and entity.stamp and earliest is not None:
        start, end = _naive(window.start_at), _naive(window.end_at)
        if earliest < start or latest > end:
            raise InconsistentExtractError(
                f"records lie outside the window asked for: {entity.stamp} from {earliest} to {latest}, "
                f"asked for {start} to {end} (UTC)",
                where,
                "give the integration user the time zone GMT, and see that the source knows the field it filters by",
            )
    return rejected, repeated, latest

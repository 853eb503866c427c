"""Landing a large CSV file as a set: DuckDB reads it straight into the raw table, in one transaction.

What comes out is what the careful path (`file_drop`, line by line, then the spool) would land, to the character, or
nothing: the reading must account for every byte of the file. Texts, separators and header together have to make up
all bytes that are neither quotes nor line ends; no key may be missing, no record may repeat another, none may go over
more lines than the careful path allows. Whatever fails, or whatever DuckDB's strict reader refuses, is rolled back,
and the file is read carefully instead: malformed lines, wrong numbers of fields and repeats find their reject there.

The order of the file is kept while it is written: repeated texts stand together, which makes the table smaller and
the writing quicker than two cores writing out of order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import duckdb

from ingestion import landing
from ingestion.contracts import BulkFile, Entity, Source, Window
from ingestion.landing import LandResult, quoted
from ingestion.settings import Settings
from ingestion.sources.file_drop import MAX_LINES_PER_RECORD


class NotWholeError(Exception):
    """The set-based reading does not account for all of the file: it has to be read line by line."""


def land_file(
    settings: Settings,
    source: Source,
    entity: Entity,
    window: Window,
    file: BulkFile,
    *,
    run_id: str,
    started_at: datetime,
    content_sha256: str,
    is_unchanged: Callable[[], bool],
) -> LandResult | None:
    """Land a file wholly; None, with the warehouse as before, when it needs the careful path.

    `started_at` is UTC without a zone; `is_unchanged` says, after the reading, whether the file is what it was before.
    """
    try:
        with (
            landing.connect(settings) as connection,
            landing.sparing(connection) as lift,
            landing.transaction(connection),
        ):
            connection.execute("set preserve_insertion_order = true")
            identity = landing.new_batch(source, entity, started_at)
            _insert(connection, entity, file, identity["batch_id"], started_at)
            lift()
            row_count, high_water = _account(connection, entity, file, identity["batch_id"])
            if not is_unchanged():
                raise NotWholeError("the file changed while it was read")
            return landing.record_batch(
                connection,
                source,
                entity,
                window,
                identity,
                content_sha256=content_sha256,
                source_count=None,
                received_count=row_count,
                rejected_count=0,
                page_count=1,
                high_water=high_water,
                drift=landing.drift(entity, set(file.fields), is_header_known=True),
                run_id=run_id,
            )
    except (NotWholeError, duckdb.InvalidInputException, duckdb.ConversionException):
        return None


def reader(file: BulkFile) -> str:
    """DuckDB's reading of the file, strict, every field a text: f0, f1, ... in the order of the header."""
    names = [f"f{index}" for index in range(len(file.fields))]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    path = str(file.path).replace("'", "''")
    compression = "gzip" if file.path.suffix == ".gz" else "none"
    return f"""read_csv(
        '{path}', columns = {{{columns}}}, header = true, auto_detect = false, strict_mode = true, delim = ',',
        quote = '"', escape = '"', comment = '', force_not_null = [{", ".join(f"'{name}'" for name in names)}],
        null_padding = false, ignore_errors = false, compression = '{compression}')"""


def _insert(
    connection: duckdb.DuckDBPyConnection, entity: Entity, file: BulkFile, batch_id: str, started_at: datetime
) -> None:
    names = ", ".join(quoted(column) for column in entity.columns)
    cells = [f"f{file.fields.index(column)}" if column in file.fields else "null::varchar" for column in entity.columns]
    if entity.keeps_record == "whole":
        record = _object(file.fields, range(len(file.fields)))
        row_hash = "md5(record)"
    else:
        rest = sorted(set(file.fields) - set(entity.columns))
        record = _object(rest, [file.fields.index(name) for name in rest])
        row_hash = landing.row_hash_of_cells([f"c{index}" for index in range(len(cells))], "record")
    selected = ", ".join(f"{cell} as c{index}" for index, cell in enumerate(cells))
    placed = ", ".join(f"c{index}" for index in range(len(cells)))
    connection.execute(
        f"""
        insert into {entity.table} ({names}, _record, _batch_id, _row_number, _extracted_at, _row_hash)
        select {placed}, record, $batch_id, row_number() over (), $started_at, {row_hash}
        from (select {selected}, {record} as record from {reader(file)})
        """,
        {"batch_id": batch_id, "started_at": started_at},
    )


def _object(fields: Sequence[str], positions: Sequence[int]) -> str:
    """SQL for the JSON text of these fields, as the careful path writes it."""
    if not fields:
        return "'{}'"
    pairs = ", ".join(f"{landing.text_literal(name)}, f{position}" for name, position in zip(fields, positions))  # noqa: B905
    return f"json_object({pairs})::varchar"


def _account(
    connection: duckdb.DuckDBPyConnection, entity: Entity, file: BulkFile, batch_id: str
) -> tuple[int, datetime | None]:
    """(records, latest stamp) of a batch that accounts for the whole file. Raises NotWholeError for another."""
    cells = _landed_cells(entity, file.fields)
    batch = f"from {entity.table} where _batch_id = $batch_id"
    keys = " or ".join(f"coalesce({quoted(column)}, '') = ''" for column in entity.key)
    stamp = landing.stamp_sql(entity, quoted(entity.stamp) if entity.stamp else "")
    row_count, keyless, fingerprints, high_water = connection.execute(
        f"""
        select count(*), count(*) filter (where {keys}), count(distinct hash(_row_hash)), max({stamp}) {batch}
        """,
        {"batch_id": batch_id},
    ).fetchone()
    if keyless or fingerprints != row_count:
        raise NotWholeError("a record has no key or repeats another")
    if row_count + 1 == file.line_count:
        plain, breaks = "replace({}, '\"', '')", "0"
    else:
        plain = "translate({}, chr(34) || chr(10) || chr(13), '')"
        breaks = " + ".join(f"coalesce(strlen({cell}) - strlen(replace({cell}, chr(10), '')), 0)" for cell in cells)
    # a sum for each column: the texts of a dictionary are measured once each
    sums = ", ".join(f"sum(strlen({plain.format(cell)}))" for cell in cells)
    line_breaks, *plain_byte_counts = connection.execute(
        f"select max({breaks}), {sums} {batch}", {"batch_id": batch_id}
    ).fetchone()
    separators = row_count * (len(file.fields) - 1)
    landed = file.header_plain_byte_count + sum(map(int, filter(None, plain_byte_counts))) + separators
    if landed != file.plain_byte_count:
        raise NotWholeError("bytes of the file are in no record")
    if (line_breaks or 0) >= MAX_LINES_PER_RECORD:
        raise NotWholeError("a record goes over too many lines")
    return row_count, high_water


def _landed_cells(entity: Entity, fields: Sequence[str]) -> list[str]:
    """SQL for every field's text, from the landed row: its column, or its place in `_record`."""
    return [
        quoted(field)
        if field in entity.columns
        else f"json_extract_string(_record, {landing.text_literal(landing.json_pointer(field))})"
        for field in fields
    ]

"""ServiceNow tables as files the instance exported, for those who may not call its API.

A folder (SERVICENOW_TABLE_EXPORT_PATH) with one file or several for each table, named after it:
`<table>.csv`, `<table>.json`, or `<table>_YYYY-MM.*` for the month of the table's stamp; each may be gzipped.
- JSON is what the JSON export and the JSON web service give, {"records": [...]}, with stored values.
- CSV has the column names of the table as its header. An instance writes *display values* into CSV, in the zone
  and format of whoever exports: have stored values exported (references as sys_id), by a user with the zone GMT
  and the format yyyy-MM-dd HH:mm:ss. A file whose stamps are all written otherwise is refused.
SERVICENOW_TABLE_EXPORT_ENCODING declares an encoding of the CSV other than UTF-8 (see `file_drop`).

A table that is read by windows takes from its files the records whose stamp lies in the window; only files that
may hold such are opened. A line that cannot be read, or whose stamp cannot, has no window of its own: it goes, as
a reject, to the window of the nearest line before it that can be read (of the first one after it, at the
beginning), so that it is rejected once. A table without a file is an error: one without records is exported as its
header alone, or as {"records": []}.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ingestion.contracts import Entity, Page, Record, SourceError, Window
from ingestion.http import required
from ingestion.json_records import parse_page
from ingestion.sources.file_drop import CsvSource

EXPORT_VARIABLE = "SERVICENOW_TABLE_EXPORT_PATH"
ENCODING_VARIABLE = "SERVICENOW_TABLE_EXPORT_ENCODING"
EXPORT_VERSION = "servicenow-table-export/1"
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
TEXT_OF_STAMP = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class _ExportedCsv(CsvSource):
    """One exported CSV file."""

    file: Path = Path()

    def path_of(self, window: Window) -> Path:
        """The file, whatever the window: it is chosen by then."""
        return self.file


def exported_pages(
    entity: Entity, window: Window, notify: Callable[[str], None], wanted: Mapping[str, tuple[str, ...]]
) -> Iterator[Page]:
    """The records of a window from the files of a table; `wanted` holds the values a column may have.

    Raises SourceError when the table has no file, or a file is not what it should be.
    """
    for path in _files_of(entity, window):
        pages = _json_pages(path, entity) if ".json" in path.suffixes else _csv_pages(path, entity, window, notify)
        yield from _inside(pages, entity, window, wanted, path)


def _files_of(entity: Entity, window: Window) -> list[Path]:
    folder = Path(required(EXPORT_VARIABLE))
    if not folder.is_dir():
        raise SourceError(
            "the folder is not there", str(folder), f"create it or set {EXPORT_VARIABLE} to the folder of exports"
        )
    pattern = re.compile(re.escape(entity.name) + r"(?:_(\d{4}-(?:0[1-9]|1[0-2])))?\.(?:csv|json)(?:\.gz)?")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        match = pattern.fullmatch(path.name)
        if not match or not path.is_file():
            continue
        month = match[1] or ""
        if month in found:
            raise SourceError(
                f"two files claim {month or 'the whole'} of {entity.name}: {found[month].name} and {path.name}",
                str(folder),
                "leave the right one in the folder",
            )
        found[month] = path
    if not found:
        raise SourceError(
            f"there is no exported file of {entity.name}",
            str(folder / f"{entity.name}.csv"),
            "export the table (its header alone, or an empty list of records, when it has no rows)",
        )
    return [path for month, path in sorted(found.items()) if not month or _may_hold(month, entity, window)]


def _may_hold(month: str, entity: Entity, window: Window) -> bool:
    if not entity.stamp or window.start_at is None or window.end_at is None:
        return True
    of_month = Window.of_month(date.fromisoformat(f"{month}-01"))
    return of_month.start_at < window.end_at and window.start_at < of_month.end_at


def _csv_pages(path: Path, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
    file = _ExportedCsv(
        name=entity.source,
        description=entity.description,
        connector_version=EXPORT_VERSION,
        path_variable=EXPORT_VARIABLE,
        encoding_variable=ENCODING_VARIABLE,
        file=path,
    )
    yield from file.pages(entity, window, notify)


def _json_pages(path: Path, entity: Entity) -> Iterator[Page]:
    try:
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        records, _ = parse_page(body, replace(entity, record_key="records"))
    except (ValueError, json.JSONDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(
            f"the file is no JSON export of {entity.name}: {error}",
            str(path),
            'export the table again, whole; it must read {"records": [...]}',
        ) from None
    yield Page(records)


def _inside(
    pages: Iterator[Page], entity: Entity, window: Window, wanted: Mapping[str, tuple[str, ...]], path: Path
) -> Iterator[Page]:
    """The pages with what belongs to the window."""
    start = end = ""
    if entity.stamp and window.start_at and window.end_at:
        start, end = window.start_at.strftime(TEXT_OF_STAMP), window.end_at.strftime(TEXT_OF_STAMP)
    is_inside: bool | None = None if start else True
    waiting: list[Record] = []
    for page in pages:
        chosen: list[Record] = []
        for record in page.records:
            stamp = str((record.values or {}).get(entity.stamp or "") or "")
            is_readable = record.reason is None and (not start or STAMP.fullmatch(stamp) is not None)
            if is_readable:
                is_inside = not start or start <= stamp < end
                if is_inside:
                    chosen += waiting
                    if all(record.values.get(column) in values for column, values in wanted.items()):
                        chosen.append(record)
                waiting = []
                continue
            rejected = record if record.reason else _without_stamp(record, entity, stamp)
            if is_inside is None:
                waiting.append(rejected)
            elif is_inside:
                chosen.append(rejected)
        yield replace(page, records=chosen)
    if waiting:
        raise SourceError(
            f"no record of {entity.name} can be placed in time; the first: {waiting[0].reason}",
            str(path),
            f"export {entity.stamp} as it is stored, YYYY-MM-DD HH:MM:SS in GMT",
        )


def _without_stamp(record: Record, entity: Entity, stamp: str) -> Record:
    return Record(
        values=record.values,
        reason=f"unreadable_stamp: {entity.stamp} is {stamp!r}",
        raw=(record.text or "").encode("utf-8", "surrogateescape"),
    )

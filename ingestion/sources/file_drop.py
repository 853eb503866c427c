"""Files that others drop in a folder: read to the byte, nothing lost, nothing silently altered.

The name says what a file is: .csv, .jsonl (or .ndjson), .parquet; the first two also with .gz behind.

Encoding. A byte order mark decides (UTF-8, UTF-16). Without one, what the source's *_ENCODING variable
declares; without that, UTF-8. A file whose non-ASCII lines are none of them UTF-8 (two at least) was written
in another encoding: it is refused whole, with the likely encoding, because guessing would alter names and
texts silently and turning the lines away would tear vouchers apart. A line that is not UTF-8 in a file that
otherwise is, or in an encoding that was declared, is damage: it goes to landing_reject with its bytes.

Lines. Comma, double quotes, RFC 4180, any line end; an empty line is no record. A row with too few or too
many fields, or with broken quotes, is rejected by its first line, and reading goes on at the next one, so a
quote that is never closed cannot swallow the rest of the file.

JSON lines. One object a line, kept as it came, with its nesting and the digits of its numbers; its columns are texts.
A line that is no JSON object is rejected with its bytes. A line left empty is no record.

Parquet. A record is kept as JSON: decimals, dates and instants as texts (ISO 8601), bytes in hexadecimal, nesting as
it is. There are no lines to reject: a damaged file is refused whole.

Speed. A large CSV file that looks whole (UTF-8, no control characters, its lines ended alike) is landed as a set by
`ingestion.bulk`; where that cannot account for every byte, the file is read here, line by line.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import json
import os
import re
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock_time
from json.encoder import encode_basestring
from pathlib import Path
from typing import BinaryIO

from ingestion.contracts import BulkFile, Entity, Page, Record, Source, SourceError, Window
from ingestion.http import required
from ingestion.json_records import build_record, missing_key, parse_value, to_text

RECORDS_PER_PAGE = 10_000
MAX_LINES_PER_RECORD = 200
BULK_FROM_BYTES = 4_000_000
CHUNK_BYTES = 1 << 18  # stays in the processor's cache while it is hashed and counted
# A file changed this recently may change again without its times showing it.
SETTLED_SECONDS = 2.0
CONTROL_CHARACTERS = bytes([*range(9), 11, 12, *range(14, 32), 127])
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

Line = tuple[bytes, str, bool]


@dataclass(frozen=True)
class Inspection:
    """What one pass over the bytes of a file (decompressed) says: their SHA-256, the encoding to read with, and
    of a file that looks fit to be landed as a set (else None) its size, plain bytes and lines.
    """

    sha256: str
    encoding: str
    bulk_counts: tuple[int, int, int] | None = None


_inspected: dict[tuple[object, ...], Inspection] = {}


@dataclass(frozen=True)
class CsvSource(Source):
    """A source whose entity comes as CSV; `path_variable` and `encoding_variable` name its environment."""

    path_variable: str = ""
    encoding_variable: str = ""

    def is_configured(self) -> tuple[bool, str]:
        """Configured when its path is set."""
        if os.environ.get(self.path_variable):
            return True, f"{self.path_variable} is set"
        return False, f"{self.path_variable} is not set"

    def version(self) -> str:
        """The connector's version and the declared encoding: mending it lands the file again."""
        declared = os.environ.get(self.encoding_variable)
        return f"{self.connector_version} encoding={declared}" if declared else self.connector_version

    def path_of(self, window: Window) -> Path:
        """The file of a window. Raises SourceError when it is not there."""
        raise NotImplementedError

    def content_sha256(self, entity: Entity, window: Window) -> str | None:
        """SHA-256 of the file's bytes (decompressed)."""
        return self._inspect(self.path_of(window)).sha256

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """The file's rows in chunks. Raises SourceError for a file that is not what it should be."""
        path = self.path_of(window)
        match _kind(path):
            case "csv":
                yield from _pages(path, self._inspect(path).encoding, entity)
            case "parquet":
                yield from _parquet_pages(path, entity)
            case _:
                yield from _json_pages(path, self._inspect(path).encoding, entity)

    def bulk_file(self, entity: Entity, window: Window) -> BulkFile | None:
        """The file, when it is large and looks fit. Raises SourceError for one that is not what it should be."""
        path = self.path_of(window)
        if _kind(path) != "csv":
            return None
        counts = self._inspect(path).bulk_counts
        if counts is None or counts[0] < BULK_FROM_BYTES or set("*?[") & set(str(path)):
            return None  # too small to gain by it, or the reader would take the name for a pattern
        raw_header: list[bytes] = []
        header = _header(_lines(path, "utf-8"), path, entity, raw_header)
        if len(header) < 2 or not all(header):
            return None  # an empty line is no record, and in one column nothing would tell them apart
        first = raw_header[0].removeprefix(codecs.BOM_UTF8)
        return BulkFile(path, header, len(first.translate(None, b'"\r\n')), *counts[1:])

    def _inspect(self, path: Path) -> Inspection:
        declared = os.environ.get(self.encoding_variable) or None
        key = (str(path), declared, *_identity(path))
        if key not in _inspected:
            began = time.time()
            inspection = inspect_file(path, declared, self.encoding_variable)
            is_settled = (
                path.stat().st_mtime < began - SETTLED_SECONDS and path.stat().st_ctime < began - SETTLED_SECONDS
            )
            if not is_settled or key[2:] != _identity(path):
                return inspection
            if len(_inspected) > 99:
                _inspected.clear()
            _inspected[key] = inspection
        return _inspected[key]


@dataclass(frozen=True)
class SingleFile(CsvSource):
    """One file, named by its path; its partition is the file's name."""

    def partition_keys(self, entity: Entity) -> list[str]:
        """The file's name."""
        return [Path(required(self.path_variable)).name]

    def distinct_texts(self, entity: Entity, window: Window, column: str) -> set[str]:
        """The different texts of one column over the rows that can be read; empty without it."""
        path = self.path_of(window)
        if _kind(path) != "csv":
            records = (record for page in self.pages(entity, window, str) for record in page.records)
            values = (record.values.get(column) for record in records if record.reason is None and record.values)
            return {value for value in values if value is not None}
        lines = _lines(path, self._inspect(path).encoding)
        header = _header(lines, path, entity)
        if column not in header:
            return set()
        position = header.index(column)
        return {fields[position] for _, fields, reason in _rows(lines, len(header)) if reason is None}

    def path_of(self, window: Window) -> Path:
        """The configured file."""
        path = Path(required(self.path_variable))
        if not path.is_file():
            raise SourceError(
                "the file is not there",
                str(path),
                f"set {self.path_variable} to a file that exists (.csv, .jsonl, .parquet; .gz behind the first two)",
            )
        if path.name != window.partition_key:
            raise SourceError(
                f"partition {window.partition_key!r} was asked for; the file is {path.name!r}",
                str(path),
                f"point {self.path_variable} at the file that is to be extracted again",
            )
        return path


@dataclass(frozen=True)
class MonthlyFiles(CsvSource):
    """A folder with one file a month, <file_stem>_YYYY-MM.csv, .csv.gz, .jsonl, .jsonl.gz or .parquet."""

    file_stem: str = ""

    def _files(self) -> dict[str, Path]:
        folder = Path(required(self.path_variable))
        if not folder.is_dir():
            raise SourceError(
                "the folder is not there",
                str(folder),
                f"create it or set {self.path_variable} to the drop folder",
            )
        pattern = re.compile(
            re.escape(self.file_stem) + r"_(\d{4}-(?:0[1-9]|1[0-2]))\.(?:(?:csv|jsonl|ndjson)(?:\.gz)?|parquet)"
        )
        found: dict[str, Path] = {}
        for path in sorted(folder.iterdir()):
            match = pattern.fullmatch(path.name)
            if not match or not path.is_file():
                continue
            if match[1] in found:
                raise SourceError(
                    f"two files claim {match[1]}: {found[match[1]].name} and {path.name}",
                    str(folder),
                    "leave the right one in the folder",
                )
            found[match[1]] = path
        return found

    def partition_keys(self, entity: Entity) -> list[str]:
        """The months that have a file, oldest first."""
        return sorted(self._files())

    def path_of(self, window: Window) -> Path:
        """The file of a month."""
        path = self._files().get(window.partition_key)
        if path is None:
            raise SourceError(
                f"there is no file for {window.partition_key}",
                str(Path(required(self.path_variable)) / f"{self.file_stem}_{window.partition_key}.csv"),
                "drop the file of that month, or extract a month that has one",
            )
        return path


def month_of(partition_key: str) -> date:
    """'YYYY-MM' to the first day of that month."""
    return date.fromisoformat(f"{partition_key}-01")


def _open(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def inspect_file(path: Path, declared: str | None, encoding_variable: str) -> Inspection:
    """One pass over the bytes: hash them and settle the encoding (see the module's text for the rule)."""
    if declared:
        try:
            codecs.lookup(declared)
        except LookupError:
            raise SourceError(
                f"{encoding_variable} is {declared!r}, which is no known encoding",
                str(path),
                "write utf-8, cp1252, latin-1 or utf-16",
            ) from None
    try:
        sha256, first, counts = _count(path)
        if _kind(path) == "parquet":
            return Inspection(sha256, "binary")
        if counts is None:
            first, not_utf8, utf8, first_bad = _count_lines(path)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(
            f"the compressed file is cut or damaged ({type(error).__name__})",
            str(path),
            "fetch the file again, whole",
        ) from None
    for mark, encoding in BYTE_ORDER_MARKS:
        if first.startswith(mark):
            return Inspection(sha256, encoding, counts if encoding == "utf-8" else None)
    if declared:
        encoding = codecs.lookup(declared).name
        return Inspection(sha256, encoding, counts if encoding == "utf-8" else None)
    if counts is not None:
        return Inspection(sha256, "utf-8", counts)
    if b"\0" in first:
        raise SourceError(
            "the file is not UTF-8: it looks like UTF-16 without a byte order mark",
            str(path),
            f"export it in UTF-8, or declare it: {encoding_variable}=utf-16-le",
        )
    if not_utf8 > 1 and not utf8:
        raise SourceError(
            f"the file is not UTF-8: {not_utf8} lines have other bytes (line {first_bad[0]}: "
            f"{first_bad[1]!r});"
            "it looks like cp1252. Nothing of it was landed",
            str(path),
            f"export it in UTF-8, or declare what it is: {encoding_variable}=cp1252",
        )
    return Inspection(sha256, "utf-8")


def _identity(path: Path) -> tuple[int, ...]:
    """What changes when a file is written or replaced."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _count(path: Path) -> tuple[str, bytes, tuple[int, int, int] | None]:
    """(SHA-256, the first bytes, (size, plain bytes, lines)); no counts for a file to be looked at line by line.

    That is one with bytes that are no UTF-8, control characters, or carriage returns that end no line.
    """
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = plain = lines = 0
    first, last, is_fit = b"", b"", True
    with _open(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            while chunk.endswith(b"\r") and (more := file.read(1)):
                chunk += more
            digest.update(chunk)
            first, last = first or chunk[:200], chunk[-1:]
            if not is_fit:
                continue
            size += len(chunk)
            line_feeds = chunk.count(b"\n")
            carriage_returns = chunk.count(b"\r") if b"\r" in chunk else 0
            lines += line_feeds
            plain += len(chunk) - line_feeds - carriage_returns - chunk.count(b'"')
            try:
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
            except UnicodeDecodeError:
                is_fit = False
            is_fit = (
                is_fit
                and (not carriage_returns or carriage_returns == chunk.count(b"\r\n"))
                and len(chunk) == len(chunk.translate(None, CONTROL_CHARACTERS))
            )
    if not is_fit or decoder.getstate()[0]:
        return digest.hexdigest(), first, None
    if first.startswith(codecs.BOM_UTF8):
        plain -= len(codecs.BOM_UTF8)
    return digest.hexdigest(), first, (size, plain, lines + (last not in (b"", b"\n")))


def _count_lines(path: Path) -> tuple[bytes, int, int, tuple[int, bytes]]:
    """(first line, lines that are not UTF-8, lines that are and not ASCII, (number, bytes) of the first bad one)."""
    first, not_utf8, utf8, first_bad = b"", 0, 0, (0, b"")
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            first = first or line
            if line.isascii():
                continue
            try:
                line.decode()
                utf8 += 1
            except UnicodeDecodeError as error:
                not_utf8 += 1
                if not first_bad[0]:
                    first_bad = (number, line[max(0, error.start - 20) : error.start + 20])
    return first, not_utf8, utf8, first_bad


def _lines(path: Path, encoding: str) -> Iterator[Line]:
    """(bytes, text, whether the bytes are text in this encoding) of each physical line."""
    with _open(path) as file:
        if encoding.startswith(("utf-16", "utf-32")):
            wide = (
                "utf-16" if encoding.startswith("utf-16") and file.read(2) in (b"\xff\xfe", b"\xfe\xff") else encoding
            )
            file.seek(0)
            try:
                for text in io.TextIOWrapper(file, encoding=wide, newline=""):
                    yield text.encode(encoding), text, True
            except UnicodeError as error:
                raise SourceError(
                    f"the file is damaged: not {encoding} ({error})",
                    str(path),
                    "fetch the file again, or export it in UTF-8",
                ) from None
            return
        mark = codecs.BOM_UTF8
        for number, raw in enumerate(file):
            body = raw.removeprefix(mark) if not number else raw
            try:
                yield raw, body.decode(encoding), True
            except UnicodeDecodeError:
                yield raw, body.decode(encoding, "surrogateescape"), False


class _TooLongError(Exception):
    """A record goes over more lines than any honest one: a quote was not closed."""


def _rows(lines: Iterator[Line], width: int | None) -> Iterator[tuple[bytes, list[str], str | None]]:
    """(bytes, fields, reason to reject or None) of each record; `width` is the number of fields it must have.

    A bad record of several lines is rejected by its first line and the others are read again.
    """
    waiting: deque[Line] = deque()
    taken: list[Line] = []

    def feed() -> Iterator[str]:
        while True:
            line = waiting.popleft() if waiting else next(lines, None)
            if line is None:
                return
            taken.append(line)
            if len(taken) > MAX_LINES_PER_RECORD:
                raise _TooLongError
            yield line[1]

    reader = csv.reader(feed(), strict=True)
    while True:
        taken.clear()
        fields: list[str] = []
        reason = None
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = f"malformed_csv: {error}"
        except _TooLongError:
            reason = f"malformed_csv: a quoted field goes over more than {MAX_LINES_PER_RECORD} lines"
        if reason is None and not fields:
            continue
        if reason is None and width is not None and len(fields) != width:
            reason = f"wrong_column_count: {len(fields)} instead of {width}"
        if reason is None and not all(line[2] for line in taken):
            reason = "undecodable_bytes: not text in the file's encoding"
        elif reason is not None and len(taken) > 1:
            waiting.extendleft(reversed(taken[1:]))
            del taken[1:]
            reader = csv.reader(feed(), strict=True)
        yield b"".join(line[0] for line in taken), fields, reason


def _pages(path: Path, encoding: str, entity: Entity) -> Iterator[Page]:
    lines = _lines(path, encoding)
    header = _header(lines, path, entity)
    names = [encode_basestring(name) for name in header]
    records: list[Record] = []
    for raw, fields, reason in _rows(lines, len(header)):
        values = None
        if reason is None:
            values = dict(zip(header, fields, strict=True))
            reason = missing_key(values, entity)
        if reason is None:
            records.append(Record(text=_object(names, fields), values=values))
        else:
            records.append(Record(values=values, reason=reason, raw=raw))
        if len(records) == RECORDS_PER_PAGE:
            yield Page(records, fields=header)
            records = []
    yield Page(records, fields=header)


def _kind(path: Path) -> str:
    """csv, jsonl, ndjson or parquet; what has another name is read as CSV."""
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    return suffix[1:].lower() if suffix.lower() in (".jsonl", ".ndjson", ".parquet") else "csv"


def _json_pages(path: Path, encoding: str, entity: Entity) -> Iterator[Page]:
    records: list[Record] = []
    for number, (raw, text, is_text) in enumerate(_lines(path, encoding)):
        line = (text.removeprefix("\ufeff") if not number else text).strip(" \t\r\n")
        if line:
            records.append(_json_record(raw, line, is_text, entity))
        if len(records) == RECORDS_PER_PAGE:
            yield _typed_page(records)
            records = []
    yield _typed_page(records)


def _json_record(raw: bytes, line: str, is_text: bool, entity: Entity) -> Record:
    if not is_text:
        return Record(reason="undecodable_bytes: not text in the file's encoding", raw=raw)
    try:
        value = parse_value(line)
    except (ValueError, RecursionError) as error:
        return Record(reason=f"malformed_json: {error}", raw=raw)
    record = build_record(line, value, entity)
    values = {name: to_text(cell) for name, cell in record.values.items()} if record.values is not None else None
    return record._replace(values=values, raw=raw if record.reason else None)


def _typed_page(records: list[Record]) -> Page:
    """A page of records that each brought their own fields; none of them says nothing about columns."""
    fields = {name: None for record in records for name in record.values or ()}
    return Page(records, fields=tuple(fields) if fields else None, is_typed=True)


def _parquet_pages(path: Path, entity: Entity) -> Iterator[Page]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            for batch in file.iter_batches(RECORDS_PER_PAGE):
                records = []
                for row in batch.to_pylist():
                    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_parquet_text)
                    record = _json_record(text.encode("utf-8", "surrogateescape"), text, True, entity)
                    records.append(record)
                yield Page(records, fields=names, is_typed=True)
            yield Page([], fields=names, is_typed=True)
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise SourceError(
            f"the file is no whole Parquet file ({str(error)[:120]})", str(path), "fetch the file again, whole"
        ) from None


def _parquet_text(value: object) -> str:
    """What JSON has no form for, as text: decimals with all their digits, dates and instants in ISO 8601."""
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date | datetime | clock_time) else str(value)


def _object(names: list[str], fields: list[str]) -> str:
    """The JSON text of a row of texts; `names` are JSON strings already (twice as fast as json.dumps)."""
    return "{" + ",".join([f"{name}:{encode_basestring(text)}" for name, text in zip(names, fields)]) + "}"  # noqa: B905


def _header(
    lines: Iterator[Line], path: Path, entity: Entity, raw_header: list[bytes] | None = None
) -> tuple[str, ...]:
    """The names of the columns; () for an empty file. Raises SourceError when they cannot be the header.

    `raw_header` is given the bytes they stood in.
    """
    row = next(_rows(lines, None), None)
    if row is None:
        return ()
    raw, fields, reason = row
    if raw_header is not None:
        raw_header.append(raw)
    names = tuple(name.strip() for name in fields)
    if reason:
        raise SourceError(f"the header cannot be read ({reason})", str(path), "export the file again")
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise SourceError(
            f"the columns are not separated by commas: {raw[:80]!r}", str(path), "export the file with commas"
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SourceError(
            f"the header names a column twice: {', '.join(repeated)}", str(path), "export each column once"
        )
    if not set(names) & set(entity.columns):
        raise SourceError(
            f"the first line is no header of {entity.name}: {raw[:120]!r}",
            str(path),
            f"the file must begin with the columns {', '.join(entity.columns)}",
        )
    return names

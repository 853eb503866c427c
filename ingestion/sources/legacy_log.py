"""Web and application logs of systems nobody instruments: lines of rotated files in LEGACY_LOG_DROP_PATH.

Files are copies, dropped whole: `<log>.log`, rotated `<log>.log.1`, `<log>.log.2.gz`, dated `<log>-2025-12-01.log.gz`
or `<log>.log.2025-12-01`. What a line means is governed: seeds/services/log_pattern.csv (or the file that
LEGACY_LOG_PATTERN_FILE names) gives for each log the regular expressions that are tried in order, the layout of
the stamp, and the zone of stamps that name none. Changed patterns land every file again.

A file is known by its first line that is no comment (as log shippers do), not by its name: rotation renames it, and
compressing it changes its bytes, and neither makes its lines new. The same beginning under two names is the
same log twice, of which the longer one is read; if they go on differently, they are refused.

Lines that continue another (a stack trace: indented, or `Caused by:`) belong to the record before them. A line no
pattern fits, one whose stamp is no instant, or whose bytes are not UTF-8 goes to landing_reject with its
bytes and the reason. A last line without its end is left for the next copy while the file may still grow: the one
without day and number, or where there is none that of the latest day.

Stamps: `logged_at` is ISO 8601 with its offset. Of a reading that the end of daylight saving repeats, the first.

Delivers: SVC-3.3
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingestion.contracts import Entity, Page, Record, Source, SourceError, Window, words
from ingestion.http import required

PATH_VARIABLE, PATTERN_VARIABLE = "LEGACY_LOG_DROP_PATH", "LEGACY_LOG_PATTERN_FILE"
PATTERN_FILE = Path(__file__).resolve().parents[2] / "seeds" / "services" / "log_pattern.csv"
RECORDS_PER_PAGE = 10_000
MAX_LINES_PER_RECORD = 500
FIELDS = words("method path status response_ms level logger message")
# What a pattern may name: the fields, the stamp, and microseconds where a server writes those.
GROUPS = frozenset((*FIELDS, "stamp", "response_us"))
DATED = r"\d{4}-?\d{2}-?\d{2}"
FILE_NAME = re.compile(
    rf"(?P<log>[A-Za-z0-9_.-]+?)(?:[-.](?P<day>{DATED}))?\.log"
    rf"(?P<rotation>\.(?:\d{{1,4}}|(?P<rotated_day>{DATED})))?(?P<packed>\.gz)?"
)
CONTINUES = re.compile(r"[ \t]+\S|Caused by:|\.\.\. \d+ more")

LOG_LINE = Entity(
    source="legacy_log",
    name="log_line",
    partitioning="file",
    columns=("log_name", "log_file", "line_number", "line_kind", "logged_at", *FIELDS, "line"),
    key=("log_name", "log_file", "line_number"),
    description="One line of a log, with the lines that continue it; access (a request) or application (a message).",
    optional=frozenset(FIELDS),
)


@dataclass(frozen=True)
class Pattern:
    """One way a line of a log may be written."""

    line_kind: str
    expression: re.Pattern[str]
    stamp_format: str
    zone: ZoneInfo | None


@dataclass(frozen=True)
class LogFile:
    """A file of the folder: whose log it is, and whether it is still being written to."""

    path: Path
    log_name: str
    is_current: bool


@dataclass(frozen=True)
class LegacyLogs(Source):
    """The folder of logs; a partition is a log's file by its first line."""

    def is_configured(self) -> tuple[bool, str]:
        """Configured when LEGACY_LOG_DROP_PATH is set."""
        if os.environ.get(PATH_VARIABLE):
            return True, f"{PATH_VARIABLE} is set"
        return False, f"{PATH_VARIABLE} is not set"

    def version(self) -> str:
        """The connector's version and the patterns': new patterns read every line again."""
        path = pattern_file()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "none"
        return f"{self.connector_version} patterns={digest}"

    def partition_keys(self, entity: Entity) -> list[str]:
        """<log>@<the beginning's fingerprint> of every file that has a first line, in order."""
        return sorted(self._files())

    def content_sha256(self, entity: Entity, window: Window) -> str | None:
        """SHA-256 of the file's bytes (decompressed)."""
        digest = hashlib.sha256()
        for line in _raw_lines(self._file_of(window).path):
            digest.update(line)
        return digest.hexdigest()

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """The file's lines as records. Raises SourceError when no pattern is given for its log."""
        file = self._file_of(window)
        patterns = read_patterns(pattern_file()).get(file.log_name)
        if not patterns:
            raise SourceError(
                f"no pattern says how a line of the log {file.log_name} is read",
                str(file.path),
                f"enter the log in {pattern_file()}, or take its files out of the folder",
            )
        records: list[Record] = []
        for record in _records(file, window.partition_key.rpartition("@")[2], patterns):
            records.append(record)
            if len(records) == RECORDS_PER_PAGE:
                yield Page(records)
                records = []
        yield Page(records)

    def _file_of(self, window: Window) -> LogFile:
        file = self._files().get(window.partition_key)
        if file is None:
            raise SourceError(
                f"no file of the folder begins as {window.partition_key} did",
                required(PATH_VARIABLE),
                "drop the log again, or extract one that is there",
            )
        return file

    def _files(self) -> dict[str, LogFile]:
        folder = Path(required(PATH_VARIABLE))
        if not folder.is_dir():
            raise SourceError("the folder is not there", str(folder), f"create it or set {PATH_VARIABLE}")
        named = [
            (path, match)
            for path in sorted(folder.iterdir())
            if (match := FILE_NAME.fullmatch(path.name)) and path.is_file()
        ]
        # nothing sorts after the file without a day: where there is one, those with a day are done
        latest: dict[str, str] = {}
        for _, match in named:
            latest[match["log"]] = max(latest.get(match["log"], ""), _day_of(match))
        found: dict[str, LogFile] = {}
        for path, match in named:
            first = _first_line(path)
            if first is None:
                continue
            day = _day_of(match)
            may_grow = day != "" and day == latest[match["log"]] and not match["packed"]
            file = LogFile(path, match["log"], may_grow)
            key = f"{file.log_name}@{hashlib.sha256(first).hexdigest()[:16]}"
            found[key] = _longer(found[key], file) if key in found else file
        return found


def _day_of(match: re.Match[str]) -> str:
    """What orders a log's files by age: their day; numbered ones before all, the plain one after all."""
    day = match["day"] or match["rotated_day"]
    if day:
        return day.replace("-", "")
    return "" if match["rotation"] else "plain"


def pattern_file() -> Path:
    """Where the patterns stand."""
    return Path(os.environ.get(PATTERN_VARIABLE) or PATTERN_FILE)


def read_patterns(path: Path) -> dict[str, list[Pattern]]:
    """The patterns of each log in the order they are tried. Raises SourceError naming the row that is wrong."""
    if not path.is_file():
        raise SourceError("the patterns are not there", str(path), f"set {PATTERN_VARIABLE} to the file that has them")
    found: dict[str, list[tuple[int, Pattern]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                expression = re.compile(row["pattern"])
                strange = set(expression.groupindex) - GROUPS
                if strange or "stamp" not in expression.groupindex:
                    raise ValueError(f"groups are {sorted(expression.groupindex)}, allowed {sorted(GROUPS)} with stamp")
                zone = ZoneInfo(row["time_zone"]) if row["time_zone"] else None
                if zone is None and "%z" not in row["stamp_format"]:
                    raise ValueError("neither the stamp nor time_zone tells the zone")
                pattern = Pattern(row["line_kind"], expression, row["stamp_format"], zone)
                found.setdefault(row["log_name"], []).append((int(row["pattern_number"]), pattern))
            except (KeyError, TypeError, ValueError, re.error, ZoneInfoNotFoundError) as error:
                raise SourceError(
                    f"row {number} of the patterns cannot be used: {error}", str(path), "mend the row"
                ) from None
    return {name: [pattern for _, pattern in sorted(rows, key=lambda row: row[0])] for name, rows in found.items()}


def _open(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _raw_lines(path: Path) -> Iterator[bytes]:
    try:
        with _open(path) as file:
            yield from file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(
            f"the compressed file is cut or damaged ({type(error).__name__})", str(path), "drop the file again, whole"
        ) from None


def _first_line(path: Path) -> bytes | None:
    """The first whole line that is neither empty nor a comment; None while there is none."""
    for line in _raw_lines(path):
        if line.strip() and not line.startswith(b"#"):
            return line.rstrip(b"\r\n") if line.endswith(b"\n") else None
    return None


def _longer(one: LogFile, other: LogFile) -> LogFile:
    """Of two files that begin alike the longer one. Raises SourceError when they go on differently."""
    ended_one = ended_other = False
    first, second = _raw_lines(one.path), _raw_lines(other.path)
    while not (ended_one or ended_other):
        left, right = next(first, None), next(second, None)
        ended_one, ended_other = left is None, right is None
        if left is not None and right is not None and left != right:
            # the shorter copy may end within a line
            if right.startswith(left) and next(first, None) is None:
                return other
            if left.startswith(right) and next(second, None) is None:
                return one
            raise SourceError(
                f"{one.path.name} and {other.path.name} begin alike and go on differently",
                str(one.path.parent),
                "leave the right one in the folder",
            )
    return one if ended_other else other


def _records(file: LogFile, fingerprint: str, patterns: list[Pattern]) -> Iterator[Record]:
    """A record per line and what continues it; comments and empty lines are none."""
    held: dict[str, str | None] | None = None
    continued = 0
    for number, raw in enumerate(_raw_lines(file.path), start=1):
        if not raw.strip() or raw.startswith(b"#"):
            continue
        if file.is_current and not raw.endswith(b"\n"):
            break
        try:
            text = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            if held:
                yield _good(held)
                held = None
            yield Record(reason="undecodable_bytes: not UTF-8 text", raw=raw)
            continue
        if held and CONTINUES.match(text) and continued < MAX_LINES_PER_RECORD:
            held["line"] = f"{held['line']}\n{text}"
            continued += 1
            continue
        if held:
            yield _good(held)
        held, continued = None, 0
        values, reason = _read(text, patterns)
        if values is None:
            yield Record(reason=reason, raw=raw)
        else:
            held = {
                "log_name": file.log_name,
                "log_file": fingerprint,
                "line_number": str(number),
                **values,
                "line": text,
            }
    if held:
        yield _good(held)


def _good(values: dict[str, str | None]) -> Record:
    return Record(text=json.dumps(values, ensure_ascii=False, separators=(",", ":")), values=values)


def _read(text: str, patterns: list[Pattern]) -> tuple[dict[str, str | None] | None, str]:
    """(the line's fields, '') or (None, why it cannot be read)."""
    reason = "unknown_line: no pattern of the log fits"
    for pattern in patterns:
        match = pattern.expression.fullmatch(text)
        if not match:
            continue
        groups = match.groupdict()
        try:
            moment = datetime.strptime(groups.pop("stamp"), pattern.stamp_format)  # noqa: DTZ007 (the zone follows)
        except (TypeError, ValueError):
            reason = "unreadable_stamp: the line's stamp is no instant"
            continue
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=pattern.zone)
        microseconds = groups.pop("response_us", None)
        if microseconds:
            groups["response_ms"] = str(int(microseconds) // 1000)
        given = {name: value for name, value in groups.items() if value not in (None, "-")}
        return {"line_kind": pattern.line_kind, "logged_at": moment.isoformat(), **given}, ""
    return None, reason


LEGACY_LOG = LegacyLogs(
    name="legacy_log",
    description="Access and application logs of systems without monitoring, by governed patterns.",
    connector_version="legacy-log/1",
    entities={LOG_LINE.name: LOG_LINE},
)

"""What a source, an entity, a window and a page are: the shapes every source module and the landing share.

A source module declares its entities (columns, key, stamp) and how to page through them; it knows nothing of
DuckDB. The landing knows nothing of any vendor. Nothing here opens a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

Partitioning = Literal["daily", "monthly", "snapshot", "file"]
MAX_RANGE_DAYS = 31


class SourceError(RuntimeError):
    """A source could not be read. Says what happened, where (no credentials in it) and how to mend it."""

    def __init__(self, what: str, where: str, how_to_mend: str) -> None:
        self.what, self.where, self.how_to_mend = what, where, how_to_mend
        super().__init__(f"{what}\n  where: {where}\n  to mend: {how_to_mend}")


class InconsistentExtractError(SourceError):
    """The pages of one extract contradict each other; the window is read again, a bounded number of times."""


@dataclass(frozen=True)
class Window:
    """One partition to extract: its key and the half-open UTC interval [start_at, end_at) it stands for.

    Snapshots and files have no interval (both None).
    """

    partition_key: str
    start_at: datetime | None = None
    end_at: datetime | None = None

    @classmethod
    def of_days(cls, first: date, last: date) -> Window:
        """Whole UTC days, both inclusive: key 'YYYY-MM-DD' or 'YYYY-MM-DD/YYYY-MM-DD'."""
        key = first.isoformat() if first == last else f"{first.isoformat()}/{last.isoformat()}"
        return cls(key, _midnight(first), _midnight(last + timedelta(days=1)))

    @classmethod
    def of_month(cls, first: date) -> Window:
        """A whole UTC month: key 'YYYY-MM'."""
        following = (first.replace(day=1) + timedelta(days=31)).replace(day=1)
        return cls(first.strftime("%Y-%m"), _midnight(first.replace(day=1)), _midnight(following))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True)
class Entity:
    """One raw table: grain is one record as the source gave it, per batch.

    `columns` are the contract columns, `key` the columns that name a record, `stamp` the column the source
    moves when it changes a record (with `stamp_formats`, strptime, UTC). `optional` columns may be absent
    from a whole extract without counting as missing; `known_fields` are fields of the vendor that are kept in
    `_record` only and are no drift. `flatten` turns a nested record into {field: value}; `endpoint` and
    `record_key` say where an API keeps the records; with `is_single_record` one object stands there, no list.
    `keeps_record` says what `_record` holds: the 'whole' record, or the 'rest' of it, the fields that have no column.
    The columns of a CSV file are its texts as received, so columns and rest are the whole record, in a seventh of the
    room; `_row_hash` then covers both.
    """

    source: str
    name: str
    partitioning: Partitioning
    columns: tuple[str, ...]
    key: tuple[str, ...]
    description: str
    stamp: str | None = None
    stamp_formats: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    known_fields: frozenset[str] = frozenset()
    endpoint: str = ""
    record_key: str | None = None
    flatten: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    is_single_record: bool = False
    keeps_record: Literal["whole", "rest"] = "whole"

    @property
    def table(self) -> str:
        """Qualified name of the raw table."""
        return f"raw_{self.source}.{self.name}"


class Record(NamedTuple):
    """One record as received: its exact text, its values by field, or the reason it cannot be landed.

    A good record has `text` and `values`; a rejected one `reason` and `raw` (its bytes), and `values` if it
    could be read at all (they tell which columns came, and are not landed).
    """

    text: str | None = None
    values: Mapping[str, Any] | None = None
    reason: str | None = None
    raw: bytes | None = None


@dataclass(frozen=True)
class Page:
    """Records that arrived together, and what the source said about the whole.

    `total` is the number of records the source promised for the window (None: it does not say);
    `fields` the field names when they are known apart from the records (a CSV header), else None; with them the
    values are texts already. `is_typed` records hold more than their texts say (numbers, nesting): `_record` keeps
    them whole whatever the entity says.
    """

    records: list[Record]
    total: int | None = None
    fields: tuple[str, ...] | None = None
    is_typed: bool = False


@dataclass(frozen=True)
class BulkFile:
    """A file that may be landed as a set: what its reader must be told, and what its reading must account for.

    `fields` are the field names in order; `header_plain_bytes`, `plain_byte_count` (bytes that are neither quotes
    nor line ends) and `line_count` were counted over the bytes of the whole file.
    """

    path: Path
    fields: tuple[str, ...]
    header_plain_byte_count: int
    plain_byte_count: int
    line_count: int


@dataclass(frozen=True)
class Progress:
    """What a callback is told while an extract goes on; `phase` says what has just happened."""

    source: str
    entity: str
    partition_key: str
    phase: Literal["extracting", "retrying", "restarted", "landed", "unchanged", "reconciled"]
    row_count: int = 0
    page_count: int = 0
    total: int | None = None
    elapsed_seconds: float = 0.0
    message: str = ""


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class Source:
    """A source system. Subclasses say when it is configured and how to page through an entity."""

    name: str
    description: str
    connector_version: str
    entities: dict[str, Entity] = field(default_factory=dict)

    def is_configured(self) -> tuple[bool, str]:
        """(whether the environment names this source, the reason in words). Never raises, never calls out."""
        raise NotImplementedError

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """Yield the pages of a window in order; `notify` is told of retries in words.

        Raises SourceError, or InconsistentExtractError when the pages contradict each other.
        """
        raise NotImplementedError

    def version(self) -> str:
        """The connector's version; content that another version landed is landed again."""
        return self.connector_version

    def content_sha256(self, entity: Entity, window: Window) -> str | None:
        """SHA-256 of what would be extracted, where that is cheap to know beforehand (files); else None."""
        return None

    def may_come_again(self, entity: Entity) -> bool:
        """Whether a landed window may hold other records later without a word (files): then it is always owed."""
        return False

    def count(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> int | None:
        """How many records the source has in a window now; None where it cannot count cheaply."""
        return None

    def keys(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> set[str]:
        """The record keys the source has in a window now. For sources that can count."""
        raise NotImplementedError

    def existing_keys(self, entity: Entity, keys: Collection[str], notify: Callable[[str], None]) -> set[str]:
        """Those of some record keys the source still has, in whatever window. For sources that can count."""
        raise NotImplementedError

    def bulk_file(self, entity: Entity, window: Window) -> BulkFile | None:
        """The file of a window when it is worth landing as a set and looks fit for it; None: read its pages."""
        return None

    def partition_keys(self, entity: Entity) -> list[str]:
        """The partitions the source itself offers (files, months); [] for entities read by stamp."""
        return []


def words(text: str) -> tuple[str, ...]:
    """Names written in one text, parted by blanks: long column lists stay readable."""
    return tuple(text.split())

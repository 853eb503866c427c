"""Whether the configured sources can be read, and what they owe, before anything is extracted.

Both ask the sources by their own `pages()`, so what is tried is what an extract does; a source needs nothing more.
Neither writes to the warehouse; the check does not even open it. A request that would be tried again is given up
after its first attempt: a person is waiting.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import duckdb

from ingestion import landing
from ingestion.contracts import MAX_RANGE_DAYS, Entity, Page, Source, SourceError, Window
from ingestion.extract import due_windows, window_for_partition
from ingestion.settings import Settings

Verdict = Literal["readable", "columns missing", "nothing seen", "unreadable"]


@dataclass(frozen=True)
class EntityCheck:
    """What the first page of an entity showed; `trouble` and `how_to_mend` are empty where there is none."""

    source: str
    entity: str
    verdict: Verdict
    asked_for: str
    record_count: int = 0
    rejected_count: int = 0
    missing_columns: tuple[str, ...] = ()
    trouble: str = ""
    how_to_mend: str = ""

    @property
    def is_readable(self) -> bool:
        """Whether an extract could begin."""
        return self.verdict in ("readable", "nothing seen")


@dataclass(frozen=True)
class OwedEntity:
    """What an extract of an entity would ask for: `source_count` is None where the source does not tell."""

    source: str
    entity: str
    windows: tuple[Window, ...]
    first_count: int
    again_count: int
    unchanged_count: int
    source_count: int | None
    trouble: str = ""

    @property
    def span(self) -> str:
        """From and to, both inclusive, in words."""
        if not self.windows:
            return ""
        first, last = self.windows[0].partition_key, self.windows[-1].partition_key
        first, last = first.partition("/")[0], last.rpartition("/")[2]
        return first if first == last else f"{first} to {last}"


class _GivenUpError(Exception):
    """A request that would be tried again, and is not."""


def check_source(source: Source, as_of: datetime) -> list[EntityCheck]:
    """Read the first page of every entity of a configured source. Never raises for what the source does."""
    return [_check_entity(source, entity, as_of) for entity in source.entities.values()]


def _check_entity(source: Source, entity: Entity, as_of: datetime) -> EntityCheck:
    asked_for = ""
    page: Page | None = None
    try:
        for window in _short_windows(source, entity, as_of):
            asked_for = window.partition_key
            page = _first_page(source, entity, window)
            if page is not None and page.records:
                break
    except _GivenUpError as error:
        return EntityCheck(
            source.name,
            entity.name,
            "unreadable",
            asked_for,
            trouble=_in_words(str(error)),
            how_to_mend="see that it is up and can be reached from here (address, network, proxy), then check again",
        )
    except SourceError as error:
        return EntityCheck(
            source.name,
            entity.name,
            "unreadable",
            asked_for,
            trouble=_in_words(error.what),
            how_to_mend=error.how_to_mend,
        )
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return EntityCheck(
            source.name,
            entity.name,
            "unreadable",
            asked_for,
            trouble=f"the file cannot be read ({error.strerror or type(error).__name__}{where})",
            how_to_mend="let the account that runs this read the folder and its files",
        )
    if page is None or (page.fields is None and not page.records):
        return EntityCheck(source.name, entity.name, "nothing seen", asked_for)
    fields = set(page.fields or ())
    for record in page.records if page.fields is None else ():
        fields.update(record.values or {})
    missing = tuple(column for column in entity.columns if column not in fields and column not in entity.optional)
    return EntityCheck(
        source.name,
        entity.name,
        "columns missing" if missing else "readable",
        asked_for,
        sum(record.reason is None for record in page.records),
        sum(record.reason is not None for record in page.records),
        missing,
        f"{', '.join(missing)} did not come" if missing else "",
        "let the account read these columns, or see whether the vendor renamed them" if missing else "",
    )


def _short_windows(source: Source, entity: Entity, as_of: datetime) -> list[Window]:
    """The windows to look into until one shows a record: the last whole day, then the last month of days."""
    if entity.partitioning == "snapshot":
        return [Window("snapshot")]
    if entity.partitioning == "daily":
        last_day = as_of.astimezone(UTC).date() - timedelta(days=1)
        return [Window.of_days(last_day - timedelta(days=days), last_day) for days in (0, MAX_RANGE_DAYS - 1)]
    keys = source.partition_keys(entity)
    if not keys:
        raise SourceError("there is no file yet", entity.source, f"drop the first file of {entity.name}")
    return [window_for_partition(entity, keys[-1])]


# What a source is told of that is no trouble: it waits for its own budget, or fetches another token.
PASSING = ("the budget of requests", "the system refused the token", "SLO ", "synthetic test ")


def _first_page(source: Source, entity: Entity, window: Window) -> Page | None:
    def give_up(message: str) -> None:
        if message.startswith(PASSING):
            return
        raise _GivenUpError(message.partition(";")[0])

    with contextlib.closing(source.pages(entity, window, give_up)) as pages:
        return next(pages, None)


def _in_words(what: str) -> str:
    """What a source answered, for a person: what the number of the answer means before the answer."""
    for code, meaning in (
        ("401", "reached, but not let in: the credentials are wrong or expired"),
        ("403", "let in, but not allowed to read this"),
        ("404", "reached, but this table or list is not there"),
        ("429", "reached, but its rate limit is used up"),
        ("5", "reached, but it fails with an error of its own"),
    ):
        if what.startswith(f"the system answered {code}"):
            return f"{meaning}; {what}"
    if what.startswith("the connection broke"):
        meaning = "took too long to answer" if "imeout" in what else "cannot be reached"
        return f"{meaning}; {what}"
    return what


def owed(settings: Settings, source: Source, as_of: datetime) -> list[OwedEntity]:
    """What an extract up to `as_of` would ask each entity of a source for, with the source's own count of it.

    One request per unbroken span of windows. Raises SourceError where the warehouse cannot be read.
    """
    return [_owed_entity(settings, source, entity, as_of) for entity in source.entities.values()]


def _owed_entity(settings: Settings, source: Source, entity: Entity, as_of: datetime) -> OwedEntity:
    try:
        windows = due_windows(settings, source, entity, as_of)
    except SourceError as error:
        return OwedEntity(source.name, entity.name, (), 0, 0, 0, None, f"{error.what}: {error.how_to_mend}")
    landed = _landed_content(settings, source, entity)
    covered = [key.partition("/") for key in landed]
    again = [window for window in windows if _is_covered(entity, window, landed, covered)]
    unchanged = 0
    count: int | None = None
    trouble = ""
    try:
        if entity.partitioning in ("monthly", "file"):
            unchanged = sum(
                landed.get(window.partition_key) == (source.content_sha256(entity, window), source.version())
                for window in again
            )
        elif windows:
            totals = [_total(source, entity, span) for span in _spans(windows)]
            count = sum(totals) if None not in totals else None
    except _GivenUpError as error:
        trouble = _in_words(str(error))
    except SourceError as error:
        trouble = _in_words(error.what)
    return OwedEntity(
        source.name,
        entity.name,
        tuple(windows),
        len(windows) - len(again),
        len(again) - unchanged,
        unchanged,
        count,
        trouble,
    )


def _total(source: Source, entity: Entity, window: Window) -> int | None:
    page = _first_page(source, entity, window)
    return page.total if page else None


def _is_covered(
    entity: Entity, window: Window, landed: dict[str, tuple[str, str]], covered: Sequence[tuple[str, str, str]]
) -> bool:
    """Whether what a window asks for has landed before, under its own key or inside a wider one."""
    if window.partition_key in landed:
        return True
    if entity.partitioning != "daily":
        return False
    first, _, last = window.partition_key.partition("/")
    return any(start <= first and (last or first) <= (end or start) for start, _, end in covered)


def _spans(windows: Sequence[Window]) -> list[Window]:
    """Windows that follow one another without a gap as one, for counting; each record is counted once."""
    spans: list[Window] = []
    for window in windows:
        if spans and window.start_at and spans[-1].end_at and window.start_at <= spans[-1].end_at:
            end_at = max(spans[-1].end_at, window.end_at)
            spans[-1] = Window.of_days(spans[-1].start_at.date(), (end_at - timedelta(days=1)).date())
        else:
            spans.append(window)
    return spans


def _landed_content(settings: Settings, source: Source, entity: Entity) -> dict[str, tuple[str, str]]:
    """{partition: (content, connector version)} of what stands; nothing where there is no warehouse yet."""
    if not settings.warehouse_path.exists():
        return {}
    with landing.connect(settings, read_only=True) as connection:
        try:
            rows = connection.execute(
                """
                select s.partition_key, b.content_sha256, b.connector_version
                from landing.extract_state as s
                inner join landing.extract_batch as b on b.batch_id = s.current_batch_id
                where s.source = ? and s.entity = ?
                """,
                [source.name, entity.name],
            ).fetchall()
        except duckdb.CatalogException:
            return {}
    return {key: (content, version) for key, content, version in rows}

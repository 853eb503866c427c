"""Folders in which several kinds of CSV file lie side by side, each kind an entity of its own.

What belongs here: which file belongs to which entity. How a file is read to the byte stands in `file_drop`.

A kind is told by how its files' names begin. Monthly kinds are `MonthlyFiles` of `file_drop`; `NamedFiles` are
files that come when they come (a chart of accounts, a year of rates, one survey wave): each file is a partition,
called by its name, and dropping a name again replaces what it held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.contracts import BulkFile, Entity, Page, Source, SourceError, Window
from ingestion.http import required
from ingestion.sources.file_drop import CsvSource


@dataclass(frozen=True)
class NamedFiles(CsvSource):
    """Files <file_stem>.csv and <file_stem>_<anything>.csv (or .csv.gz) of a folder, one partition each."""

    file_stem: str = ""

    def _files(self) -> dict[str, Path]:
        folder = Path(required(self.path_variable))
        if not folder.is_dir():
            raise SourceError(
                "the folder is not there", str(folder), f"create it or set {self.path_variable} to the drop folder"
            )
        pattern = re.compile(re.escape(self.file_stem) + r"(_[\w.-]+)?\.csv(\.gz)?")
        return {path.name: path for path in folder.iterdir() if pattern.fullmatch(path.name) and path.is_file()}

    def partition_keys(self, entity: Entity) -> list[str]:
        """The names of the files there are, in their order."""
        return sorted(self._files())

    def path_of(self, window: Window) -> Path:
        """The file of that name."""
        path = self._files().get(window.partition_key)
        if path is None:
            raise SourceError(
                f"there is no file {window.partition_key}",
                str(Path(required(self.path_variable)) / window.partition_key),
                f"drop it again, or extract a file that is there: {self.file_stem}_<name>.csv",
            )
        return path


@dataclass(frozen=True)
class DropFolder(Source):
    """One source whose entities come as files of different kinds; `kinds` are their readers by entity name.

    The readers share the variables of path and encoding; a kind nobody drops has no partition and owes nothing.
    """

    kinds: Mapping[str, CsvSource] = field(default_factory=dict)

    def is_configured(self) -> tuple[bool, str]:
        """Configured when the folder is named."""
        return self._any().is_configured()

    def version(self) -> str:
        """The connector's version and the declared encoding."""
        return self._any().version()

    def partition_keys(self, entity: Entity) -> list[str]:
        """The partitions that files of this kind offer."""
        return self.kinds[entity.name].partition_keys(entity)

    def content_sha256(self, entity: Entity, window: Window) -> str | None:
        """SHA-256 of the file's bytes."""
        return self.kinds[entity.name].content_sha256(entity, window)

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """The rows of the window's file."""
        return self.kinds[entity.name].pages(entity, window, notify)

    def bulk_file(self, entity: Entity, window: Window) -> BulkFile | None:
        """The window's file, when it is worth landing as a set."""
        return self.kinds[entity.name].bulk_file(entity, window)

    def _any(self) -> CsvSource:
        return next(iter(self.kinds.values()))


def drop_folder(
    name: str,
    description: str,
    connector_version: str,
    variables: tuple[str, str],
    kinds: list[tuple[type[CsvSource], str, Entity]],
) -> DropFolder:
    """A folder's source from (reader, how its files' names begin, entity); variables are path and encoding."""
    path_variable, encoding_variable = variables
    readers = {
        entity.name: reader(
            name=name,
            description=entity.description,
            connector_version=connector_version,
            entities={entity.name: entity},
            path_variable=path_variable,
            encoding_variable=encoding_variable,
            file_stem=file_stem,  # type: ignore[call-arg]
        )
        for reader, file_stem, entity in kinds
    }
    return DropFolder(
        name=name,
        description=description,
        connector_version=connector_version,
        entities={entity.name: entity for _, _, entity in kinds},
        kinds=readers,
    )

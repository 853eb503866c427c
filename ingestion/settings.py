"""Where things stand on this machine, read once from the environment.

Only paths and dates live here. Addresses and credentials of the source systems are read by the source that
needs them, at the moment it needs them, so that no object that is printed, logged or stored ever holds one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

DEFAULT_EXTRACT_FROM = date(2024, 7, 1)


class SettingsError(ValueError):
    """A setting cannot be read: the message names the variable, its value and a value that would do."""


@dataclass(frozen=True)
class Settings:
    """Paths and dates of one warehouse.

    `extract_from` is the first UTC day the windowed entities are asked for; `as_of` (aware, UTC) is the
    instant the whole run pretends to be at, or None for the policy of `ingestion.extract.write_run_context`.
    """

    warehouse_path: Path
    publish_path: Path
    spool_path: Path
    extract_from: date = DEFAULT_EXTRACT_FROM
    as_of: datetime | None = None
    archive_path: Path = Path("data/archive")
    payroll_export_path: Path = Path("data/payroll_export")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the paths, EXTRACT_FROM and AS_OF; empty counts as unset.

        The paths: WAREHOUSE_PATH, PUBLISH_PATH, SPOOL_PATH, ARCHIVE_PATH, PAYROLL_EXPORT_PATH.

        Relative paths are relative to the current folder. Raises SettingsError for a date that is none, and for an
        AS_OF that is still to come.
        """
        env = os.environ if environ is None else environ
        warehouse = Path(env.get("WAREHOUSE_PATH") or "data/warehouse.duckdb")
        return cls(
            warehouse_path=warehouse,
            publish_path=Path(env.get("PUBLISH_PATH") or "data/published"),
            spool_path=Path(env.get("SPOOL_PATH") or warehouse.parent / "spool"),
            extract_from=_parse_date(env.get("EXTRACT_FROM")),
            as_of=passed_instant(parse_instant(env["AS_OF"], "AS_OF"), "AS_OF") if env.get("AS_OF") else None,
            # beside the warehouse: the periods of one must never be taken for those of another
            archive_path=Path(env.get("ARCHIVE_PATH") or warehouse.parent / "archive"),
            payroll_export_path=Path(env.get("PAYROLL_EXPORT_PATH") or warehouse.parent / "payroll_export"),
        )


def _parse_date(text: str | None) -> date:
    if not text:
        return DEFAULT_EXTRACT_FROM
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"EXTRACT_FROM is {text!r}; write a UTC day such as 2024-07-01") from error


def parse_instant(text: str, name: str) -> datetime:
    """ISO 8601 text to an aware UTC instant; text without a zone is taken as UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}; write an instant such as 2026-01-05T00:00:00Z") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def passed_instant(instant: datetime, name: str) -> datetime:
    """The instant, if it has passed: under one to come the logs of what was known would take every real run until
    then for a look back, and write nothing.
    """
    now = datetime.now(UTC)
    if instant > now:
        raise SettingsError(
            f"{name} is {instant:%Y-%m-%dT%H:%M:%SZ}, still to come (the clock says {now:%Y-%m-%dT%H:%M:%SZ}): "
            "nothing can be known as of then; set AS_OF to an instant that has passed, leave it empty for now, or mend "
            "the clock"
        )
    return instant

"""What the promises of the sources are held against: the entities there are, what is built of them, every check.

`landing.extract_state` knows the last check of a partition only, and a snapshot that did not change makes no batch:
without a row per run nobody could say afterwards whether an unchanged list had been asked for.

Delivers: LTI-7.6
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from ingestion import landing
from ingestion.contracts import Source
from ingestion.settings import Settings
from ingestion.sources import SOURCES

PROMISES_PATH = Path(__file__).resolve().parent.parent / "seeds" / "governance" / "source_sla.csv"
EVERY_ENTITY = "*"


@dataclass(frozen=True)
class Promise:
    """One row of the seed source_sla; `promised_hours` None says that nothing is promised."""

    source_name: str
    entity_name: str
    promised_hours: int | None
    calendar_code: str
    severity: str
    effective_from: date
    effective_to: date | None


def read_promises(path: Path = PROMISES_PATH) -> list[Promise]:
    """The rows of the seed, in its order."""
    with path.open(newline="", encoding="utf-8") as lines:
        return [
            Promise(
                row["source_name"],
                row["entity_name"],
                int(row["promised_hours"]) if row["promised_hours"] else None,
                row["calendar_code"],
                row["severity"],
                date.fromisoformat(row["effective_from"]),
                date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
            )
            for row in csv.DictReader(lines)
        ]


def promise_of(promises: Iterable[Promise], source: str, entity: str, on: date) -> Promise | None:
    """The promise in force for an entity on a day: its own, else the source's; None where none is governed."""
    in_force = {
        promise.entity_name: promise
        for promise in promises
        if promise.source_name == source
        and promise.entity_name in (entity, EVERY_ENTITY)
        and promise.effective_from <= on <= (promise.effective_to or date.max)
    }
    return in_force.get(entity) or in_force.get(EVERY_ENTITY)


def write_entities(settings: Settings, dependents: Iterable[tuple[str, str, str, str]]) -> None:
    """Replace landing.source_entity by the contracts and landing.entity_dependent by (source, entity, schema, table).

    Dependents of an entity no connector knows are left out.
    """
    known = [(s.name, e.name, e.partitioning) for s in SOURCES.values() for e in s.entities.values()]
    pairs = {(source, entity) for source, entity, _ in known}
    wanted = sorted({row for row in dependents if row[:2] in pairs})
    tables = {
        "source_entity": (("source", "entity", "partitioning"), known),
        "entity_dependent": (("source", "entity", "schema_name", "table_name"), wanted),
    }
    with landing.connect(settings) as connection:
        connection.execute("begin transaction")
        for table, (names, rows) in tables.items():
            incoming = pa.table({name: pa.array([row[n] for row in rows], pa.string()) for n, name in enumerate(names)})
            connection.register("incoming_rows", incoming)
            connection.execute(f"delete from landing.{table}")
            connection.execute(f"insert into landing.{table} by name select * from incoming_rows")
            connection.unregister("incoming_rows")
        connection.execute("commit")


def record_checks(settings: Settings, source: Source, run_id: str) -> None:
    """Append one row per entity of a source that has been asked: the last answer, and how far the data reach (UTC)."""
    with landing.connect(settings) as connection:
        connection.execute(
            """
            insert into landing.entity_check
            select $run_id, s.source, s.entity, max(s.last_checked_at), max(b.window_end_at), max(b.high_water_after)
            from landing.extract_state as s
            inner join landing.extract_batch as b on b.batch_id = s.current_batch_id
            where s.source = $source
            group by s.source, s.entity
            """,
            {"run_id": run_id, "source": source.name},
        )

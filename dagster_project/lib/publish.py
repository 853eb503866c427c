"""Publication: one read-only DuckDB file per audience, holding only what that audience may see.

A file is built from scratch in a temporary file beside the old one (rows deleted from a copy would stay in its
bytes), under umask 077, and put in its place by one rename: whoever reads keeps the old file without an error,
whoever opens next gets the new one. Nothing here knows Dagster.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

CLASSIFICATIONS = ("public", "personal", "pay")
# The classifications of columns an audience may see, of the marts that are meant for it.
AUDIENCES: dict[str, frozenset[str]] = {
    "bi": frozenset(("public",)),
    "finance": frozenset(CLASSIFICATIONS),
}
ABOUT_SCHEMA = "published"
ABOUT_COLUMNS = {
    "about": {
        "audience": "Whom the file is for.",
        "publishing_run_id": "Run that wrote this file.",
        "warehouse_run_id": "Latest run that built the warehouse it was copied from.",
        "as_of_at": "Instant (UTC) that run took as now.",
        "published_at": "Instant (UTC) the file was written.",
        "batch_count": "Extract batches landed in the warehouse so far.",
        "landed_row_count": "Rows landed in those batches.",
        "rejected_row_count": "Records received in those batches and turned away.",
        "table_count": "Tables published here.",
        "row_count": "Rows in those tables.",
    },
    "table_list": {
        "schema_name": "Schema of the table in this file.",
        "table_name": "Name of the table.",
        "row_count": "Rows in the table.",
        "description": "What one row is.",
    },
}


class PublishError(RuntimeError):
    """A file was not published; the earlier one stands. Says what is wrong and how to mend it."""


@dataclass(frozen=True)
class PublishedTable:
    """One table of an audience: its columns in the mart's order, and its descriptions."""

    schema: str
    name: str
    columns: tuple[str, ...]
    description: str
    column_descriptions: tuple[str, ...]


@dataclass(frozen=True)
class Published:
    """A file as published: rows per table ('schema.name'), size in bytes."""

    audience: str
    path: Path
    row_counts: dict[str, int]
    size_bytes: int


def tables_for(manifest: Mapping[str, Any], audience: str) -> list[PublishedTable]:
    """The marts whose meta.audiences holds the audience, with the columns whose classification it may see.

    Raises PublishError for a mart column without a known classification, a mart that would have no column, or an
    unknown audience.
    """
    if audience not in AUDIENCES:
        raise PublishError(f"no audience {audience!r}; there are {', '.join(AUDIENCES)}")
    tables = []
    for node in sorted(marts(manifest), key=lambda node: (node["schema"], node["alias"])):
        if audience not in _meta(node).get("audiences", ()):
            continue
        chosen = []
        for column in node["columns"].values():
            classification = _meta(column).get("classification")
            if classification not in CLASSIFICATIONS:
                raise PublishError(
                    f"column {node['name']}.{column['name']} has classification {classification!r}: set "
                    f"meta.classification to one of {', '.join(CLASSIFICATIONS)} in {node['patch_path'] or 'its yml'}"
                )
            if classification in AUDIENCES[audience]:
                chosen.append(column)
        if not chosen:
            raise PublishError(
                f"{node['name']} is meant for {audience}, but none of its columns is "
                f"{' or '.join(sorted(AUDIENCES[audience]))}: change meta.audiences or the classifications"
            )
        tables.append(
            PublishedTable(
                schema=node["schema"],
                name=node["alias"],
                columns=tuple(column["name"] for column in chosen),
                description=node.get("description") or "",
                column_descriptions=tuple(column.get("description") or "" for column in chosen),
            )
        )
    return tables


def marts(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The models with the tag marts."""
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model" and "marts" in node["tags"]]


def publish(
    warehouse_path: Path, publish_path: Path, manifest: Mapping[str, Any], audience: str, run_id: str
) -> Published:
    """Build `<publish_path>/<audience>.duckdb` anew and put it in place of the earlier one.

    Raises PublishError (no table for the audience, a table missing in the warehouse, rows lost on the way); then
    the earlier file stands and nothing is left behind.
    """
    tables = tables_for(manifest, audience)
    if not tables:
        raise PublishError(f"no mart is meant for {audience}: set meta.audiences on one")
    if not publish_path.exists():
        publish_path.mkdir(parents=True)
        publish_path.chmod(0o750)
    target = publish_path / f"{audience}.duckdb"
    for stale in publish_path.glob(f".{audience}.*.tmp*"):
        stale.unlink()  # of a publication that was killed; the run lock lets no other one be under way
    building = publish_path / f".{audience}.{secrets.token_hex(8)}.tmp"
    try:
        with _private_files():
            row_counts = _build(building, warehouse_path, tables, audience, run_id)
        _sync(building)
        building.chmod(0o440)
        building.replace(target)
        _sync(publish_path)
    finally:
        building.unlink(missing_ok=True)
        building.with_name(building.name + ".wal").unlink(missing_ok=True)
    return Published(audience, target, row_counts, target.stat().st_size)


@contextmanager
def _private_files() -> Iterator[None]:
    """Files created inside are the owner's alone: half-built ones are nobody's business."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _build(
    building: Path, warehouse_path: Path, tables: list[PublishedTable], audience: str, run_id: str
) -> dict[str, int]:
    connection = duckdb.connect()
    try:
        connection.execute(f"attach {_literal(str(building))} as target_file")
        connection.execute(f"attach {_literal(str(warehouse_path))} as warehouse (read_only)")
        row_counts = {}
        for table in tables:
            row_counts[f"{table.schema}.{table.name}"] = _copy(connection, table, audience)
        _write_about(connection, tables, row_counts, audience, run_id)
        connection.execute("checkpoint target_file")
        connection.execute("detach target_file")
        return row_counts
    except duckdb.Error as error:
        raise PublishError(f"{audience} was not published: {error}") from error
    finally:
        connection.close()


def schema_in_file(schema: str, audience: str) -> str:
    """The schema a mart gets in the audience's file.

    A file finance.duckdb opens as the database `finance`; were there a schema `finance` in it, DuckDB would
    refuse `finance.<table>` as ambiguous. Its tables stand in `main`, where that very name finds them.
    """
    return "main" if schema == audience else schema


def _copy(connection: duckdb.DuckDBPyConnection, table: PublishedTable, audience: str) -> int:
    """Copy one table with its comments; returns its rows."""
    schema = f"target_file.{_quoted(schema_in_file(table.schema, audience))}"
    name, original = f"{schema}.{_quoted(table.name)}", f"{_quoted(table.schema)}.{_quoted(table.name)}"
    connection.execute(f"create schema if not exists {schema}")
    columns = ", ".join(_quoted(column) for column in table.columns)
    connection.execute(f"create table {name} as select {columns} from warehouse.{original}")
    connection.execute(f"comment on table {name} is {_literal(table.description)}")
    for column, description in zip(table.columns, table.column_descriptions, strict=True):
        connection.execute(f"comment on column {name}.{_quoted(column)} is {_literal(description)}")
    counts = connection.execute(
        f"select (select count(*) from {name}), (select count(*) from warehouse.{original})"
    ).fetchone()
    if counts is None or counts[0] != counts[1]:
        raise PublishError(f"{table.schema}.{table.name}: {counts} rows copied and present; run again")
    return int(counts[0])


def _write_about(
    connection: duckdb.DuckDBPyConnection,
    tables: list[PublishedTable],
    row_counts: Mapping[str, int],
    audience: str,
    run_id: str,
) -> None:
    about = f"target_file.{ABOUT_SCHEMA}"
    connection.execute(f"create schema {about}")
    connection.execute(
        f"""
        create table {about}.about as
        select
            cast(? as varchar) as audience, cast(? as varchar) as publishing_run_id,
            context.run_id as warehouse_run_id, context.as_of_at, cast(? as timestamp) as published_at,
            batches.batch_count, batches.landed_row_count, batches.rejected_row_count,
            cast(? as bigint) as table_count, cast(? as bigint) as row_count
        from (select run_id, as_of_at from warehouse.landing.run_context order by started_at desc limit 1) as context
        cross join (
            select
                count(*) as batch_count, cast(coalesce(sum(row_count), 0) as bigint) as landed_row_count,
                cast(coalesce(sum(rejected_count), 0) as bigint) as rejected_row_count
            from warehouse.landing.extract_batch
        ) as batches
        """,
        [
            audience,
            run_id,
            datetime.now(UTC).replace(tzinfo=None, microsecond=0),
            len(row_counts),
            sum(row_counts.values()),
        ],
    )
    connection.execute(
        f"comment on table {about}.about is "
        "'One row: which run built this file, as of which instant (UTC), and from how much it was built.'"
    )
    connection.execute(
        f"create table {about}.table_list "
        "(schema_name varchar, table_name varchar, row_count bigint, description varchar)"
    )
    connection.executemany(
        f"insert into {about}.table_list values (?, ?, ?, ?)",
        [
            (schema_in_file(t.schema, audience), t.name, row_counts[f"{t.schema}.{t.name}"], t.description)
            for t in tables
        ],
    )
    connection.execute(
        f"comment on table {about}.table_list is 'One row per published table: its rows and description.'"
    )
    for table, comments in ABOUT_COLUMNS.items():
        for column, description in comments.items():
            connection.execute(f"comment on column {about}.{table}.{column} is {_literal(description)}")


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Meta as dbt keeps it: in config, and on the node itself for older spellings."""
    return {**(node.get("meta") or {}), **(node.get("config", {}).get("meta") or {})}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""Row counts and columns of many tables of the warehouse, in one short read-only visit.

dagster-dbt's own fetch_row_counts and fetch_column_metadata leave a read-only connection open in the process,
on which the next writer fails, and ask table by table. Here the connection is closed before anything returns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class TableFacts:
    """`row_count` rows; `columns` as (name, DuckDB type, comment or None), in the table's order."""

    row_count: int
    columns: tuple[tuple[str, str, str | None], ...]


def read_table_facts(warehouse_path: Path, tables: Iterable[tuple[str, str]]) -> dict[tuple[str, str], TableFacts]:
    """Facts of each (schema, name) that exists; tables that do not exist are left out."""
    if not warehouse_path.exists():
        return {}
    wanted = set(tables)
    connection = duckdb.connect(str(warehouse_path), read_only=True)
    try:
        columns: dict[tuple[str, str], list[tuple[str, str, str | None]]] = {}
        for schema, table, name, data_type, comment in connection.execute(
            "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() "
            "where not internal and database_name = current_database() order by column_index"
        ).fetchall():
            if (schema, table) in wanted:
                columns.setdefault((schema, table), []).append((name, data_type, comment))
        if not columns:
            return {}
        counted = " union all ".join(
            f"select '{schema}', '{table}', count(*) from \"{schema}\".\"{table}\"" for schema, table in columns
        )
        return {
            (schema, table): TableFacts(count, tuple(columns[schema, table]))
            for schema, table, count in connection.execute(counted).fetchall()
        }
    finally:
        connection.close()


def total_rows(facts: Iterable[TableFacts]) -> int:
    """Sum of the row counts."""
    return sum(fact.row_count for fact in facts)

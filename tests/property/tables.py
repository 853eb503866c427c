"""Tables an oracle's test fills for the SQL under test."""

from __future__ import annotations

import random
from typing import Any

import duckdb


def fill_shuffled(
    connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]], shuffled: random.Random
) -> None:
    """The table with these rows and no other, in an order of its own: no result may depend on it."""
    connection.execute(f"delete from {table}")
    shuffled.shuffle(rows)
    if rows:
        connection.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)

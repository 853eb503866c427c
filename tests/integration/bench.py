"""A copy of the built warehouse on which gates are tried: a defect is made in one table, judged, and undone."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import duckdb_engine
import sqlalchemy

from expectations.checks import CheckSpec
from expectations.outcomes import GateResult, Outcome, describe
from expectations.runner import run_gate


@dataclass(frozen=True)
class Bench:
    """The copy under test.

    is_held: the file stays open in this process from its first use until the bench is gone, for it takes longer to open
    than most defects to judge. Not for tests that hand the path to somebody else.
    """

    path: Path
    is_held: bool = True

    @classmethod
    def of(cls, warehouse_path: Path, folder: Path, is_held: bool = True) -> Bench:
        """A copy of a warehouse in a folder."""
        return cls(Path(shutil.copy(warehouse_path, folder / "warehouse.duckdb")), is_held)

    @cached_property
    def holder(self) -> duckdb.DuckDBPyConnection:
        """A connection with the settings of the gates': DuckDB shares an open file only among equal ones."""
        agent = f"duckdb_engine/{duckdb_engine.__version__}(sqlalchemy/{sqlalchemy.__version__})"
        return duckdb.connect(str(self.path), config={"custom_user_agent": agent})

    @contextmanager
    def connection(self, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        if self.is_held:
            with self.holder.cursor() as connection:
                yield connection
        else:
            with duckdb.connect(str(self.path), read_only=read_only) as connection:
                yield connection

    def sql(self, *statements: str) -> None:
        with self.connection() as connection:
            for statement in statements:
                connection.execute(statement)

    def value(self, query: str) -> Any:
        with self.connection(read_only=True) as connection:
            return connection.execute(query).fetchone()[0]

    def run_gate(
        self, gate: str, specs: Iterable[CheckSpec] | None = None, models_path: Path | None = None
    ) -> GateResult:
        return run_gate(
            gate,
            self.path,
            models_path=models_path,
            specs=None if specs is None else list(specs),
            read_only=not self.is_held,
        )

    def outcome(self, gate: str, spec: CheckSpec, models_path: Path | None = None) -> Outcome:
        """What one check says."""
        (outcome,) = self.run_gate(gate, [spec], models_path).outcomes
        return outcome

    @contextmanager
    def defect(self, table: str, *statements: str) -> Iterator[None]:
        """Within the block the table is as the statements make it ({t} names it), its constraints gone; afterwards
        its rows are as before.
        """
        self.sql(
            f"create table landing.kept as select * from {table}",
            f"create or replace table {table} as select * from landing.kept",
        )
        try:
            self.sql(*(statement.replace("{t}", table) for statement in statements))
            yield
        finally:
            self.sql(f"create or replace table {table} as select * from landing.kept", "drop table landing.kept")

    def assert_passes(self, gate: str, specs: Iterable[CheckSpec]) -> None:
        """Nothing blocks, warns or is skipped."""
        result = self.run_gate(gate, specs)
        assert result.is_open and not result.warnings and not result.skipped, [describe(o) for o in result.outcomes]

    def assert_refuses(
        self, spec: CheckSpec, table: str, *statements: str, gate: str = "marts", is_planted: bool = False
    ) -> Outcome:
        """The check sees the defect the statements make, and shows examples of it.

        is_planted: the demonstration company has such defects already, so that it must see more of them than before.
        """
        before = self.outcome(gate, spec).unexpected_count if is_planted else 0
        is_empty = not self.value(f"select count(*) from {table}")
        assert not is_empty or statements[0].startswith("insert"), f"{table} is empty: nothing is proved on it"
        with self.defect(table, *statements):
            outcome = self.outcome(gate, spec)
        assert not outcome.success and not outcome.error and not outcome.is_skipped, outcome
        assert outcome.examples, outcome
        assert not is_planted or outcome.unexpected_count > before, outcome
        return outcome

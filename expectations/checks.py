"""What a check is: plain data that `runner` translates into one expectation of Great Expectations.

Nothing here imports great_expectations: listing the checks must stay cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Gate = Literal["raw", "staging", "marts"]
Severity = Literal["block", "warn"]

# Expectation types whose examples are groups of equal keys rather than single rows.
UNIQUENESS = ("ExpectColumnValuesToBeUnique", "ExpectCompoundColumnsToBeUnique")


@dataclass(frozen=True)
class FromQuery:
    """An argument read from the warehouse when the gate runs: the first column of the query, nulls left out.

    So a set of allowed values stays where it is governed (the seeds) and is not written down twice.
    """

    query: str


@dataclass(frozen=True)
class FromModels:
    """A query written when the gate runs from the dbt models' properties below a folder; None: nothing to
    ask.
    """

    build: Callable[[Path], str | None]


@dataclass(frozen=True)
class CheckSpec:
    """One expectation on one table.

    check_name: unique within its gate, [a-z0-9_]. table: 'schema.name', the table the check stands on.
    expectation_type: class of great_expectations.expectations, or of duckdb_engine. arguments: its arguments;
    a value may be a FromQuery. For UnexpectedRowsExpectation, `failing_rows` is a SELECT that finds the bad
    rows, with `checked` standing for the rows under check, and key columns first; tolerated_share (0..1) of
    `tolerated_of` (an aggregate over the rows under check) may fail. rows: a SELECT that narrows the table to
    those rows (None: all of it). keys: columns that name a row in examples. sources: the source systems the
    check needs, all or any of them (needs); without them it is skipped. reads: other tables that must exist.
    requirements: ids of docs/requirements.psv that the check serves.
    """

    check_name: str
    table: str
    severity: Severity
    description: str
    how_to_mend: str
    expectation_type: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    failing_rows: str | FromModels | None = None
    tolerated_share: float = 0.0
    tolerated_of: str = "count(*)"
    rows: str | None = None
    keys: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    needs: Literal["all", "any"] = "all"
    reads: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()


def quoted(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text_list(values: Sequence[str]) -> str:
    """Texts as a SQL list: 'a', 'b'."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


@dataclass(frozen=True)
class On:
    """Builds the checks of one table with what they share: its name, rows, keys, sources, requirements."""

    table: str
    prefix: str
    keys: tuple[str, ...] = ()
    rows: str | None = None
    sources: tuple[str, ...] = ()
    needs: Literal["all", "any"] = "all"
    requirements: tuple[str, ...] = ()

    def check(
        self,
        name: str,
        expectation_type: str,
        description: str,
        how_to_mend: str,
        severity: Severity = "block",
        **more: Any,
    ) -> CheckSpec:
        """A check of this table; `more` are fields of CheckSpec that differ from what the table's checks
        share.
        """
        shared = {
            "rows": self.rows,
            "keys": self.keys,
            "sources": self.sources,
            "needs": self.needs,
            "requirements": self.requirements,
        }
        return CheckSpec(
            check_name=f"{self.prefix}_{name}",
            table=self.table,
            severity=severity,
            description=description,
            how_to_mend=how_to_mend,
            expectation_type=expectation_type,
            **{**shared, **more},
        )

    def no_rows(
        self,
        name: str,
        failing_rows: str | FromModels,
        description: str,
        how_to_mend: str,
        severity: Severity = "block",
        **more: Any,
    ) -> CheckSpec:
        """A check that a SELECT finds nothing, or no more rows than are tolerated."""
        return self.check(
            name,
            "ExpectFewUnexpectedRows" if more.get("tolerated_share") else "UnexpectedRowsExpectation",
            description,
            how_to_mend,
            severity,
            failing_rows=failing_rows,
            **more,
        )

    def known(
        self, column: str, how_to_mend: str, severity: Severity = "block", mostly: float = 1.0, **more: Any
    ) -> CheckSpec:
        """A check that a column has a value on each row (or on a share of at least `mostly`)."""
        arguments = {"column": column} | ({"mostly": mostly} if mostly < 1 else {})
        return self.check(
            f"{column.lower()}_is_given" + ("_mostly" if mostly < 1 else ""),
            "ExpectColumnValuesToNotBeNull",
            f"{self.table}.{column} has a value"
            + (f" on at least {mostly:.0%} of the rows." if mostly < 1 else " on every row."),
            how_to_mend,
            severity,
            arguments=arguments,
            **more,
        )

    def unique(
        self,
        columns: Sequence[str],
        description: str,
        how_to_mend: str,
        severity: Severity = "block",
        **more: Any,
    ) -> CheckSpec:
        """A check that a column, or several together, never repeat."""
        is_single = len(columns) == 1
        return self.check(
            more.pop("name", "key_is_unique"),
            UNIQUENESS[0] if is_single else UNIQUENESS[1],
            description,
            how_to_mend,
            severity,
            arguments={"column": columns[0]} if is_single else {"column_list": list(columns)},
            **more,
        )

    def in_set(
        self,
        column: str,
        value_set: Sequence[Any] | FromQuery,
        how_to_mend: str,
        severity: Severity = "block",
        mostly: float = 1.0,
        **more: Any,
    ) -> CheckSpec:
        """A check that the values of a column are in a set; nulls are not judged."""
        values = "the governed values" if isinstance(value_set, FromQuery) else ", ".join(map(str, value_set))
        arguments = {"column": column, "value_set": value_set} | ({"mostly": mostly} if mostly < 1 else {})
        return self.check(
            f"{column.lower()}_is_known" + ("_mostly" if mostly < 1 else ""),
            "ExpectColumnValuesToBeInSet",
            f"{self.table}.{column} is one of {values}"
            + (f" on at least {mostly:.0%} of the rows." if mostly < 1 else "."),
            how_to_mend,
            severity,
            arguments=arguments,
            **more,
        )

    def matches(
        self,
        column: str,
        regex: str,
        description: str,
        how_to_mend: str,
        severity: Severity = "block",
        **more: Any,
    ) -> CheckSpec:
        """A check that the values of a column match a regular expression; nulls are not judged."""
        return self.check(
            f"{column.lower()}_is_well_formed",
            "ExpectColumnValuesToMatchRegex",
            description,
            how_to_mend,
            severity,
            arguments={"column": column, "regex": regex},
            **more,
        )

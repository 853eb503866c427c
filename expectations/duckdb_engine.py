"""Great Expectations on DuckDB: everything that upstream lacks, in this one file.

Importing it imports great_expectations (seconds), so only `runner` does, and only when a gate runs. It adds
`context.data_sources.add_duckdb(name, connection_string=..., kwargs=...)`. Written against great_expectations
1.24 and duckdb-engine 0.17; tests/unit/test_expectations_duckdb_engine.py holds one test per piece, and each
says what fails without it, so that a piece can go when upstream has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar, Literal

import duckdb_engine
import sqlalchemy as sa
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.core import UnexpectedRowsExpectation
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration


@cache
def _type_named(name: str) -> type:
    """A class that stands for a DuckDB type, e.g. DECIMAL(18,2): equal names give the same class."""
    return type(name, (), {})


class _DuckDBDialectModule:
    """What upstream imports as the module of a dialect it knows; DuckDB has none there.

    `dialect` makes LIKE expectations recognise a PostgreSQL-like engine; any other attribute is a type by its
    DuckDB name, so that type expectations can compare DECIMAL(18,2) with precision and scale.
    """

    __name__ = "duckdb"
    dialect = duckdb_engine.Dialect

    def __getattr__(self, name: str) -> type:
        return _type_named(name)


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """One connection, kept open until close().

    Upstream closes (and rolls back) the connection before it fetches, and DuckDB drops a pending result then:
    'No open result set' on every expectation that reads rows.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dialect_module = _DuckDBDialectModule()

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        """The one open connection; it is opened at first use.

        The transaction of the statement before is ended here and not sooner, when its rows have been fetched;
        left open, one statement that fails would abort every later one.
        """
        if self._connection is None:
            self._connection = self.engine.connect()
        elif self._connection.in_transaction():
            self._connection.rollback()
        yield self._connection

    def close(self) -> None:
        """Close the connection and the pool, so that another process or configuration can open the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self.engine.dispose()


class DuckDBDatasource(SQLDatasource):
    """Registers `add_duckdb`; upstream has no datasource for DuckDB."""

    type: Literal["duckdb"] = "duckdb"

    @property
    def execution_engine_type(self) -> type[SqlAlchemyExecutionEngine]:
        """The engine above."""
        return DuckDBExecutionEngine


class DuckDBColumnTypes(TableMetricProvider):
    """Names and types of a table's or query's columns, by DESCRIBE.

    Upstream reflects through PostgreSQL's catalogue: for a query it finds no types, for a table it loses the
    precision and scale of decimals.
    """

    metric_name = "table.column_types"
    value_keys = ("include_nested",)

    @metric_value(engine=DuckDBExecutionEngine)
    def _duckdb(  # noqa: ANN202
        cls,
        execution_engine: DuckDBExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        **_: Any,
    ):
        batch = execution_engine.batch_manager.batch_data_cache[metric_domain_kwargs["batch_id"]]
        selectable = batch.selectable
        if isinstance(selectable, sa.TextClause):
            relation = f"({selectable.text})"
        else:
            compiled = selectable.compile(dialect=execution_engine.dialect, compile_kwargs={"literal_binds": True})
            relation = str(compiled) if isinstance(selectable, sa.Table) else f"({compiled})"
        query = sa.text(escape_binds(f"describe select * from {relation}"))
        described = execution_engine.execute_query(query).fetchall()
        return [{"name": name, "type": _type_named(kind)()} for name, kind, *_ in described]


def escape_binds(query: str) -> str:
    """SQL text with its colons escaped where SQLAlchemy would take a word after them for a bind parameter."""
    return re.sub(r"(?<![:\\]):(?=\w)", r"\\:", query)


def _matches(column: sa.ColumnClause, regex: str) -> sa.ColumnElement[bool]:
    return sa.func.regexp_matches(column, sa.literal(regex))


class DuckDBMatchRegex(ColumnMapMetricProvider):
    """Upstream knows no regular expressions of DuckDB, whose `~` (PostgreSQL's) matches whole values only."""

    condition_metric_name = "column_values.match_regex"
    condition_value_keys = ("regex",)

    @column_condition_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column: sa.ColumnClause, regex: str, **_: Any):  # noqa: ANN202
        return _matches(column, regex)


class DuckDBNotMatchRegex(ColumnMapMetricProvider):
    """The negative of the above."""

    condition_metric_name = "column_values.not_match_regex"
    condition_value_keys = ("regex",)

    @column_condition_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column: sa.ColumnClause, regex: str, **_: Any):  # noqa: ANN202
        return sa.not_(_matches(column, regex))


class DuckDBMatchRegexList(ColumnMapMetricProvider):
    """Any or all of several regular expressions."""

    condition_metric_name = "column_values.match_regex_list"
    condition_value_keys = ("regex_list", "match_on")
    default_kwarg_values: ClassVar[dict[str, Any]] = {"match_on": "any"}

    @column_condition_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column: sa.ColumnClause, regex_list: Sequence[str], match_on: str, **_: Any):  # noqa: ANN202
        join = sa.or_ if match_on == "any" else sa.and_
        return join(*(_matches(column, regex) for regex in regex_list))


class DuckDBUnexpectedRows(QueryMetricProvider):
    """The failing rows of a query, fetched only when it found some.

    Upstream runs the query for its rows beside the one for its count, so that a check that passes costs
    twice.
    """

    metric_name = "unexpected_rows_query.table"
    value_keys = ("unexpected_rows_query",)
    query_param_name = "unexpected_rows_query"

    @metric_value(engine=DuckDBExecutionEngine)
    def _duckdb(  # noqa: ANN202
        cls,
        execution_engine: DuckDBExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        **_: Any,
    ):
        if metrics["unexpected_rows_query.row_count"] == 0:
            return []
        domain, _accessor, _none = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type="table")
        query = cls._get_substituted_batch_subquery_from_query_and_batch_selectable(
            query=cls._get_query_from_metric_value_kwargs(metric_value_kwargs),
            batch_selectable=domain,
            execution_engine=execution_engine,
        )
        return cls._get_sqlalchemy_records_from_substituted_batch_subquery(query, execution_engine)

    @classmethod
    def _get_evaluation_dependencies(
        cls, metric: MetricConfiguration, *args: Any, **kwargs: Any
    ) -> dict[str, MetricConfiguration]:
        count = "unexpected_rows_query.row_count"
        domain, value = metric.metric_domain_kwargs, metric.metric_value_kwargs
        return {
            **super()._get_evaluation_dependencies(metric, *args, **kwargs),
            count: MetricConfiguration(count, metric_domain_kwargs=domain, metric_value_kwargs=value),
        }


class ExpectFewUnexpectedRows(UnexpectedRowsExpectation):
    """As UnexpectedRowsExpectation, and tolerates a number of rows: upstream has no `mostly` for queries.

    Both share the metric, so that the same query asked with and without a tolerance runs once.
    """

    tolerated_count: int = 0
    success_keys = ("unexpected_rows_query", "tolerated_count")

    def _validate(self, metrics: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        result = super()._validate(metrics, *args, **kwargs)
        result["success"] = metrics["unexpected_rows_query.row_count"] <= self.tolerated_count
        return result


CASTS = {
    # the expressions by which the staging models cast (dbt_project/macros/engine/time.sql), as try_ variants
    "timestamp": "try_strptime({column}, '%Y-%m-%d %H:%M:%S') is not null",
    "iso8601": "try_cast({column} as timestamptz) is not null",
    "day_first_minute": "try_strptime({column}, '%d/%m/%Y %H:%M') is not null",
    "date": "{column} = '0000-00-00' or try_cast({column} as date) is not null",
    "boolean": "try_cast({column} as boolean) is not null",
}


class DuckDBCastable(ColumnMapMetricProvider):
    """The text gives a value when staging casts it. Upstream's strftime expectation has no SQL at all."""

    condition_metric_name = "column_values.castable"
    condition_value_keys = ("kind",)

    @column_condition_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column: sa.ColumnClause, kind: str, **_: Any):  # noqa: ANN202
        quoted = '"' + column.name.replace('"', '""') + '"'
        return sa.literal_column(f"({CASTS[kind].format(column=quoted)})", sa.Boolean)


class ExpectColumnValuesToBeCastable(ColumnMapExpectation):
    """Expect the text values of a column to cast to a kind of CASTS without loss; nulls are not judged."""

    kind: str
    map_metric = "column_values.castable"
    success_keys = ("kind", "mostly")
    args_keys = ("column", "kind")

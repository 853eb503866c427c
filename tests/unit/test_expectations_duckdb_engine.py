"""The adapter of Great Expectations to DuckDB, piece by piece.

The tests named `upstream_*` hold what upstream lacks: when one fails, its piece of the adapter can go.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import great_expectations.expectations as gxe
import sqlalchemy as sa
from great_expectations.data_context.types.base import ProgressBarsConfig

from expectations import duckdb_engine
from expectations.duckdb_engine import (
    DuckDBExecutionEngine,
    ExpectColumnValuesToBeCastable,
    ExpectFewUnexpectedRows,
    escape_binds,
)

TABLE = """
    create schema shop;
    create table shop.sale as
    select * from (values
        (1, 'INC0001', '2025-03-30 01:00:00', '2025-02-28', 'true', cast(1.50 as decimal(18, 2)), 'a:b'),
        (2, 'xINC0002', '2025-03-30T01:00:00', '2025-02-30', 'yes', 2.25, '{c}'),
        (2, null, null, '0000-00-00', 'maybe', 3.00, null)
    ) as v (id, number, "end", "hireDate", flag, amount, note);
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("engine") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLE)
    return path


def new_context() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


@pytest.fixture
def datasource(warehouse: Path) -> Iterator[Any]:
    source = new_context().data_sources.add_duckdb(
        "shop", connection_string=f"duckdb:///{warehouse}", kwargs={"connect_args": {"read_only": True}}
    )
    yield source
    source.get_execution_engine().close()
    source.get_engine().dispose()


@pytest.fixture(params=["table", "query"])
def judge(datasource: Any, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Judge one expectation on the table itself, or on a query of it."""
    if request.param == "table":
        asset = datasource.add_table_asset("sale", table_name="sale", schema_name="shop")
    else:
        asset = datasource.add_query_asset("sale", query="select * from shop.sale where ':x' <> '{y}'")
    batch = asset.get_batch(asset.build_batch_request())

    def judged(expectation: Any, **form: Any) -> Any:
        result = batch.validate(
            expectation, result_format={"result_format": "SUMMARY", "partial_unexpected_count": 20, **form}
        )
        info = result.exception_info or {}
        raised = [i for i in ([info] if "raised_exception" in info else info.values()) if i["raised_exception"]]
        assert not raised, raised
        return result

    return judged


def test_rows_are_read_on_one_open_connection(judge: Callable[..., Any]) -> None:
    result = judge(gxe.ExpectColumnValuesToNotBeNull(column="number"), unexpected_index_column_names=["id"])
    assert not result.success
    assert result.result["partial_unexpected_index_list"] == [{"id": 2, "number": None}]


@pytest.mark.filterwarnings("ignore:You are using a generic")
def test_upstream_loses_the_rows(warehouse: Path) -> None:
    """Without DuckDBExecutionEngine: the connection is closed before its result is fetched."""
    source = new_context().data_sources.add_sql(
        "shop", connection_string=f"duckdb:///{warehouse}", kwargs={"connect_args": {"read_only": True}}
    )
    asset = source.add_query_asset("sale", query="select * from shop.sale")
    batch = asset.get_batch(asset.build_batch_request())
    result = batch.validate(gxe.ExpectColumnValuesToNotBeNull(column="number"))
    source.get_execution_engine().engine.dispose()
    source.get_engine().dispose()
    assert "raised_exception': True" in str(result.exception_info)


def test_a_statement_that_fails_spares_the_next(datasource: Any) -> None:
    engine = datasource.get_execution_engine()
    with engine.get_connection() as connection:
        connection.exec_driver_sql("set TimeZone = 'Asia/Kolkata'")
    with pytest.raises(sa.exc.DBAPIError, match="stop here"):
        engine.execute_query(sa.text("select error('stop here')")).fetchall()
    zone = engine.execute_query(sa.text("select current_setting('TimeZone')")).fetchall()
    assert zone == [("Asia/Kolkata",)]


def test_closing_lets_a_writer_in(warehouse: Path) -> None:
    source = new_context().data_sources.add_duckdb(
        "shop", connection_string=f"duckdb:///{warehouse}", kwargs={"connect_args": {"read_only": True}}
    )
    engine = source.get_execution_engine()
    assert isinstance(engine, DuckDBExecutionEngine)
    engine.execute_query(sa.text("select 1")).fetchall()
    writer = f"import duckdb; duckdb.connect({str(warehouse)!r}).close()"
    assert subprocess.run([sys.executable, "-c", writer], capture_output=True).returncode != 0
    engine.close()
    source.get_engine().dispose()
    subprocess.run([sys.executable, "-c", writer], check=True)
    duckdb.connect(str(warehouse)).close()  # the same process, another configuration


def test_the_connection_cannot_write(datasource: Any) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="read-only"):
        datasource.get_execution_engine().execute_query(sa.text("create table shop.x (i int)"))


def test_types_have_precision_and_scale(judge: Callable[..., Any]) -> None:
    result = judge(gxe.ExpectColumnValuesToBeOfType(column="amount", type_="DECIMAL(18,2)"))
    assert result.success and result.result["observed_value"] == "DECIMAL(18,2)"
    assert not judge(gxe.ExpectColumnValuesToBeOfType(column="amount", type_="DECIMAL(18,3)")).success
    assert judge(gxe.ExpectColumnValuesToBeInTypeList(column="id", type_list=["BIGINT", "INTEGER"])).success


def test_columns_keep_their_names(judge: Callable[..., Any]) -> None:
    assert judge(gxe.ExpectTableColumnsToMatchSet(column_set=["end", "hireDate"], exact_match=False)).success
    result = judge(gxe.ExpectTableColumnsToMatchSet(column_set=["end", "gone"], exact_match=False))
    assert result.result["details"]["mismatched"]["missing"] == ["gone"]


def test_a_regex_is_searched_not_matched_whole(judge: Callable[..., Any]) -> None:
    assert judge(gxe.ExpectColumnValuesToMatchRegex(column="number", regex="INC[0-9]{4}$")).success
    result = judge(gxe.ExpectColumnValuesToMatchRegex(column="number", regex="^INC"))
    assert result.result["partial_unexpected_list"] == ["xINC0002"]
    assert not judge(gxe.ExpectColumnValuesToNotMatchRegex(column="number", regex="^x")).success
    assert judge(gxe.ExpectColumnValuesToNotMatchRegex(column="number", regex="^y")).success


@pytest.mark.parametrize(("match_on", "success"), [("any", True), ("all", False)])
def test_regex_lists(judge: Callable[..., Any], match_on: str, success: bool) -> None:
    expectation = gxe.ExpectColumnValuesToMatchRegexList(column="number", regex_list=["^INC", "^x"], match_on=match_on)
    assert judge(expectation).success is success


def test_like_patterns(judge: Callable[..., Any]) -> None:
    result = judge(gxe.ExpectColumnValuesToMatchLikePattern(column="number", like_pattern="INC%"))
    assert result.result["partial_unexpected_list"] == ["xINC0002"]


@pytest.mark.parametrize(
    ("column", "kind", "unexpected"),
    [
        ("end", "timestamp", ["2025-03-30T01:00:00"]),
        ("end", "iso8601", []),
        ("hireDate", "date", ["2025-02-30"]),
        ("flag", "boolean", ["maybe"]),
    ],
)
def test_castable_finds_what_a_cast_would_stumble_over(
    judge: Callable[..., Any], column: str, kind: str, unexpected: list[str]
) -> None:
    result = judge(ExpectColumnValuesToBeCastable(column=column, kind=kind))
    assert result.success is not bool(unexpected)
    assert result.result["partial_unexpected_list"] == unexpected


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("timestamp", "2025-03-30 01:00:00", "2025-02-29 01:00:00"),
        ("iso8601", "2025-03-30T01:00:00.123Z", "soon"),
        ("day_first_minute", "29/2/2016 01:16", "2/29/2016 01:16"),
        ("date", "0000-00-00", "30.03.2025"),
        ("boolean", "false", "unknown"),
    ],
)
def test_each_cast_tells_good_from_bad(kind: str, good: str, bad: str) -> None:
    for text, expected in ((good, True), (bad, False)):
        query = f"select {duckdb_engine.CASTS[kind].format(column='c')} from (select '{text}' as c)"
        assert duckdb.sql(query).fetchone()[0] is expected


@pytest.mark.parametrize(("tolerated", "success"), [(0, False), (1, False), (2, True)])
def test_a_number_of_rows_can_be_tolerated(judge: Callable[..., Any], tolerated: int, success: bool) -> None:
    expectation = ExpectFewUnexpectedRows(
        unexpected_rows_query="with checked as (select * from {batch}) select id from checked where id = 2",
        tolerated_count=tolerated,
    )
    result = judge(expectation)
    assert result.success is success and result.result["observed_value"] == 2


def test_a_query_that_finds_nothing_runs_once(datasource: Any) -> None:
    engine = datasource.get_execution_engine()
    asset = datasource.add_table_asset("sale", table_name="sale", schema_name="shop")
    batch = asset.get_batch(asset.build_batch_request())
    statements: list[str] = []
    sa.event.listen(engine.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    query = "with checked as (select * from {batch}) select id from checked where id = "
    suite = gx.ExpectationSuite(
        name="s",
        expectations=[
            gxe.UnexpectedRowsExpectation(unexpected_rows_query=query + "7"),
            ExpectFewUnexpectedRows(unexpected_rows_query=query + "7", tolerated_count=3),
        ],
    )
    assert batch.validate(suite).success
    assert len([text for text in statements if "id = 7" in text]) == 1
    result = batch.validate(gxe.UnexpectedRowsExpectation(unexpected_rows_query=query + "1"), result_format="COMPLETE")
    assert result.result["details"]["unexpected_rows"] == [{"id": 1}]


@pytest.mark.parametrize(
    "text", ["select ':a'", "select 1::int", "select '%H:%M:%S'", "select 'a:b', ' :c'", r"select '\:d'"]
)
def test_colons_are_no_parameters(text: str) -> None:
    compiled = str(sa.text(escape_binds(text)).compile(dialect=sa.create_engine("duckdb://").dialect))
    assert compiled.replace("\\", "") == text.replace("\\", "")

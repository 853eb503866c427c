"""Judge a gate: translate its checks into expectations and run them all on one read-only connection.

great_expectations is imported inside `run_gate` (it costs seconds and 250 MB); listing the checks is free.
The connection is closed before `run_gate` returns, so that the next writer can open the file.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.checks import UNIQUENESS, CheckSpec, FromModels, FromQuery, Gate, quoted
from expectations.outcomes import EXAMPLE_LIMIT, GateResult, Outcome, plain
from expectations.suites import marts, raw, staging

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.interfaces import Batch

    from expectations.duckdb_engine import DuckDBDatasource

__all__ = ["GATES", "CheckSpec", "GateError", "GateResult", "Outcome", "list_checks", "run_gate"]

SUITES: dict[str, Callable[[], list[CheckSpec]]] = {
    "raw": raw.checks,
    "staging": staging.checks,
    "marts": marts.checks,
}
GATES = tuple(SUITES)
MODELS_PATH = Path(__file__).resolve().parent.parent / "dbt_project" / "models" / "marts"
SEVERITIES = {"block": "critical", "warn": "warning"}
ERROR_LENGTH = 600


class GateError(RuntimeError):
    """A gate could not be judged at all: says what, where and how to mend it."""


def list_checks(gate: Gate) -> list[CheckSpec]:
    """The checks of a gate, without importing great_expectations. Raises GateError for an unknown gate."""
    if gate not in SUITES:
        raise GateError(f"there is no gate {gate!r}; the gates are {', '.join(GATES)}")
    return SUITES[gate]()


def run_gate(
    gate: Gate,
    warehouse_path: str | os.PathLike[str],
    *,
    models_path: str | os.PathLike[str] | None = None,
    specs: Sequence[CheckSpec] | None = None,
    read_only: bool = True,
) -> GateResult:
    """Judge every check of a gate; the outcomes stand in the order of `list_checks`.

    models_path: folder of the marts' dbt properties, by default that of this repository. specs: judge these
    checks instead of the gate's own. read_only: False within a process that has the file open for writing, because
    DuckDB opens it again only alike; a gate writes nothing either way. A check that raises is a failed outcome with
    the message; so is one whose table is missing. Raises GateError when the warehouse cannot be opened.
    """
    started = time.monotonic()
    specs = list_checks(gate) if specs is None else list(specs)
    if not Path(warehouse_path).is_file():
        raise GateError(
            f"gate {gate}: there is no warehouse at {warehouse_path}; run the extracts first, or set WAREHOUSE_PATH"
        )
    models = Path(models_path) if models_path is not None else MODELS_PATH
    with _open(gate, warehouse_path, read_only) as datasource:
        warehouse = _Warehouse(datasource)
        outcomes: dict[str, Outcome] = {}
        groups: dict[tuple[str, str | None], list[CheckSpec]] = {}
        for spec in specs:
            reason = warehouse.skip_reason(spec)
            missing = warehouse.missing_tables(spec)
            if reason:
                outcomes[spec.check_name] = _skipped(spec, reason)
            elif missing:
                tables = ", ".join(missing)
                outcomes[spec.check_name] = _failed(spec, f"there is no table {tables}: build it before this gate")
            else:
                groups.setdefault((spec.table, spec.rows), []).append(spec)
        for (table, rows), group in groups.items():
            outcomes |= _judge(warehouse, table, rows, group, models)
    ordered = [
        outcomes.get(spec.check_name, _failed(spec, "Great Expectations gave no result for this check"))
        for spec in specs
    ]
    return GateResult(gate, ordered, round(time.monotonic() - started, 3))


@contextmanager
def _open(gate: str, warehouse_path: str | os.PathLike[str], read_only: bool) -> Iterator[DuckDBDatasource]:
    """A datasource of an ephemeral context, its one connection open; closed with the block."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read once, at import: nothing may leave this machine
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    import expectations.duckdb_engine  # noqa: F401 (registers the datasource and its metrics)

    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=stores,
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        ),
    )
    path = Path(warehouse_path).resolve()
    datasource = engine = None
    try:
        try:
            datasource = context.data_sources.add_duckdb(
                "warehouse",
                connection_string=f"duckdb:///{path}",
                kwargs={"connect_args": {"read_only": True} if read_only else {}},
            )
            engine = datasource.get_execution_engine()
            with engine.get_connection() as connection:
                connection.exec_driver_sql("set TimeZone = 'UTC'")
        except Exception as error:
            raise GateError(
                f"gate {gate}: the warehouse {path} cannot be opened: {_first_line(error)}; end the process "
                "that holds it (a writer excludes every reader)"
            ) from error
        yield datasource
    finally:
        if engine is not None:
            engine.close()
        if datasource is not None:
            datasource.get_engine().dispose()


@dataclass
class _Warehouse:
    """What the checks need to know of the warehouse beyond their own table."""

    datasource: DuckDBDatasource

    def __post_init__(self) -> None:
        self.tables = {
            name
            for (name,) in self.query(
                "select schema_name || '.' || table_name from duckdb_tables() where database_name = "
                "current_database() "
                "union all select schema_name || '.' || view_name from duckdb_views() "
                "where database_name = current_database()"
            )
        }
        self.absent = self._absent_sources()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query on the gate's own connection."""
        with self.datasource.get_execution_engine().get_connection() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql).fetchall()]

    def records(self, sql: str) -> list[dict[str, Any]]:
        """All rows of a query as plain {column: value}."""
        with self.datasource.get_execution_engine().get_connection() as connection:
            result = connection.exec_driver_sql(sql)
            names = list(result.keys())
            return [plain(dict(zip(names, row, strict=True))) for row in result.fetchall()]

    def _absent_sources(self) -> dict[str, str]:
        """Sources that are not configured and have never landed anything, with the recorded reason."""
        if not {"landing.source_status", "landing.extract_state"} <= self.tables:
            return {}
        return dict(
            self.query(
                "select s.source, any_value(s.reason) from landing.source_status as s where not "
                "s.is_configured "
                "and s.source not in (select e.source from landing.extract_state as e) group by s.source"
            )
        )

    def skip_reason(self, spec: CheckSpec) -> str | None:
        """Why a check is not judged: the sources it needs that are absent; None when it can be."""
        absent = [source for source in spec.sources if source in self.absent]
        if not absent or (spec.needs == "any" and len(absent) < len(spec.sources)):
            return None
        return "; ".join(f"{source} is absent: {self.absent[source]}" for source in absent)

    def missing_tables(self, spec: CheckSpec) -> list[str]:
        """Tables the check reads that are not there."""
        return [table for table in dict.fromkeys((spec.table, *spec.reads)) if table not in self.tables]


def _judge(
    warehouse: _Warehouse, table: str, rows: str | None, specs: Sequence[CheckSpec], models: Path
) -> dict[str, Outcome]:
    """The outcomes of checks that share the rows under check, by check name."""
    outcomes: dict[str, Outcome] = {}
    try:
        batch = _batch(warehouse.datasource, table, rows, specs[0].check_name)
        source = f"({rows})" if rows else _relation(table)
        row_count = warehouse.query(f"select count(*) from {source} as rows_under_check")[0][0]
    except Exception as error:
        return {spec.check_name: _failed(spec, _first_line(error)) for spec in specs}
    translated: dict[str, Any] = {}
    queries: dict[str, str | None] = {}
    by_name = {spec.check_name: spec for spec in specs}
    for spec in specs:
        try:
            failing = spec.failing_rows
            if isinstance(failing, FromModels):
                failing = failing.build(models)
                if failing is None:
                    reason = "the models' properties give nothing to look for"
                    outcomes[spec.check_name] = _skipped(spec, reason)
                    continue
            translated[spec.check_name] = _translate(spec, failing, source, warehouse)
            queries[spec.check_name] = failing
        except Exception as error:
            outcomes[spec.check_name] = _failed(spec, _first_line(error))
    for name, result in _validate(batch, translated.values(), "BASIC", ()).items():
        spec = by_name[name]
        error = _error_of(result)
        if error:
            outcomes[name] = _failed(spec, error)
            continue
        examples: list[dict[str, Any]] = []
        if not result["success"]:
            try:
                examples = _examples(warehouse, batch, spec, translated[name], queries[name], source)
            except Exception as failure:
                examples = [{"examples_unavailable": _first_line(failure)}]
        outcomes[name] = _judged(spec, result, row_count, examples)
    return outcomes


def _batch(datasource: DuckDBDatasource, table: str, rows: str | None, name: str) -> Batch:
    if rows is None:
        schema, _, table_name = table.partition(".")
        asset = datasource.add_table_asset(name, table_name=table_name, schema_name=schema)
    else:
        asset = datasource.add_query_asset(name, query=rows)
    return asset.get_batch(asset.build_batch_request())


def _relation(table: str) -> str:
    return ".".join(quoted(part) for part in table.split(".", 1))


def _translate(spec: CheckSpec, failing: str | None, source: str, warehouse: _Warehouse) -> Any:
    """The expectation of a check; `failing` is its query as it stands, `source` the rows checked, in SQL."""
    import great_expectations.expectations as gxe

    from expectations import duckdb_engine

    arguments = dict(spec.arguments)
    for name, value in arguments.items():
        if isinstance(value, FromQuery):
            arguments[name] = [row[0] for row in warehouse.query(value.query) if row[0] is not None]
            if not arguments[name]:
                raise GateError(f"no value is allowed, because this gave none: {value.query}")
    if failing is not None:
        # Great Expectations formats the text ({batch}) and SQLAlchemy looks for :binds in it
        escaped = duckdb_engine.escape_binds(failing.replace("{", "{{").replace("}", "}}"))
        arguments["unexpected_rows_query"] = (
            "with checked as (select * from {batch}) select * from (" + escaped + ") as failing_rows"
        )
    if spec.tolerated_share:
        of = warehouse.query(f"select {spec.tolerated_of} from {source} as checked")[0][0]
        arguments["tolerated_count"] = math.floor(spec.tolerated_share * of)
    kind = getattr(duckdb_engine, spec.expectation_type, None) or getattr(gxe, spec.expectation_type)
    return kind(
        **arguments,
        description=spec.description,
        severity=SEVERITIES[spec.severity],
        meta={"check_name": spec.check_name},
    )


def _validate(
    batch: Batch, expectations: Iterable[Any], result_format: str, keys: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    """Results by check name: {success, result, exception_info}."""
    from great_expectations import ExpectationSuite

    suite = ExpectationSuite(name="gate", expectations=list(expectations))
    if not suite.expectations:
        return {}
    form: dict[str, Any] = {"result_format": result_format, "partial_unexpected_count": EXAMPLE_LIMIT}
    if keys:
        # the query that finds the rows is rendered by replacing '?', which may stand in its own text
        form |= {"unexpected_index_column_names": list(keys), "return_unexpected_index_query": False}
    return {
        item.expectation_config.meta["check_name"]: {
            "success": bool(item.success),
            "result": item.result or {},
            "exception_info": item.exception_info or {},
        }
        for item in batch.validate(suite, result_format=form).results
    }


def _examples(
    warehouse: _Warehouse, batch: Batch, spec: CheckSpec, expectation: Any, failing: str | None, source: str
) -> list[dict[str, Any]]:
    """Up to EXAMPLE_LIMIT failing rows: key columns and what is wrong. Asked for only after a failure."""
    if failing is not None:
        return warehouse.records(
            f"with checked as (select * from {source}) select * from ({failing}) as failing_rows limit {EXAMPLE_LIMIT}"
        )
    if spec.expectation_type in UNIQUENESS:
        columns = spec.arguments.get("column_list") or [spec.arguments["column"]]
        names = ", ".join(quoted(column) for column in columns)
        return warehouse.records(
            f"select {names}, count(*) as row_count from {source} as rows_under_check "
            f"where {' and '.join(f'{quoted(c)} is not null' for c in columns)} "
            f"group by {names} having count(*) > 1 order by row_count desc, {names} limit {EXAMPLE_LIMIT}"
        )
    keys = [key for key in spec.keys if key != spec.arguments.get("column")]
    found = _validate(batch, [expectation], "SUMMARY", keys)[spec.check_name]
    error = _error_of(found)
    if error:
        raise GateError(error)
    result = found["result"]
    rows = result.get("partial_unexpected_index_list") or []
    if not rows and result.get("partial_unexpected_list"):
        rows = [{str(spec.arguments.get("column")): v} for v in result["partial_unexpected_list"]]
    if not rows and result.get("details"):
        rows = [result["details"]]
    return [plain(row) for row in rows[:EXAMPLE_LIMIT]]


def _error_of(result: Mapping[str, Any]) -> str | None:
    """The message of an expectation that raised; None when it was judged.

    A failure without any figure is an error as well: whatever happened, the rows were not looked at.
    """
    info = result["exception_info"]
    entries = [info] if "raised_exception" in info else [e for e in info.values() if isinstance(e, Mapping)]
    for entry in entries:
        if entry.get("raised_exception"):
            return _first_line(entry.get("exception_message") or "the expectation raised without a message")
    if not result["success"] and not result["result"]:
        return "the expectation failed without a figure"
    return None


def _judged(spec: CheckSpec, result: Mapping[str, Any], row_count: int, examples: list[dict[str, Any]]) -> Outcome:
    figures = result["result"]
    unexpected = figures.get("unexpected_count")
    if spec.failing_rows is not None:
        unexpected = figures.get("observed_value")
        observed: Any = f"{unexpected} failing rows"
    elif unexpected is not None:
        judged = figures.get("element_count", row_count) - (figures.get("missing_count") or 0)
        share = f" ({unexpected / judged:.2%})" if judged and unexpected else ""
        observed = f"{unexpected} of {judged} values{share}"
    else:
        observed = plain(figures.get("observed_value"))
    return _outcome(
        spec,
        success=result["success"],
        observed=observed,
        element_count=row_count,
        unexpected_count=None if unexpected is None else int(unexpected),
        examples=examples,
    )


def _outcome(spec: CheckSpec, **figures: Any) -> Outcome:
    blank = {
        "is_skipped": False,
        "skip_reason": None,
        "observed": None,
        "element_count": None,
        "unexpected_count": None,
        "examples": [],
    }
    return Outcome(
        check_name=spec.check_name,
        table=spec.table,
        expectation_type=spec.expectation_type,
        severity=spec.severity,
        description=spec.description,
        how_to_mend=spec.how_to_mend,
        requirements=spec.requirements,
        **{**blank, **figures},
    )


def _skipped(spec: CheckSpec, reason: str) -> Outcome:
    return _outcome(spec, success=True, is_skipped=True, skip_reason=reason, observed=f"skipped: {reason}")


def _failed(spec: CheckSpec, error: str) -> Outcome:
    return _outcome(spec, success=False, observed=f"not judged: {error}", error=error)


def _first_line(error: object) -> str:
    """An error's message on one line, without the SQL and the links its libraries add."""
    text = str(error) or type(error).__name__
    text = re.split(r"\n\[SQL:|\n\(Background on this error", text)[0]
    return " ".join(text.split())[:ERROR_LENGTH]

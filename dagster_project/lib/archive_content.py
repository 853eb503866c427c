"""What a closed quarter consists of: its tables as Parquet, the SQL that computed them, and the proof that both agree.

A quarter's payout lines are archived with everything they were computed from, and with the compiled SQL of the models
that computed them. `recompute` runs that SQL over the Parquet files alone, in a database in memory that can reach
nothing else, and holds what comes out against the archived lines, to the cent. A close that could not be recomputed is
refused, so every archived quarter can be.

Delivers: OPS-2.6, SVC-5.6
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib.archive import ArchiveError, Link, checked_file, read_manifest
from dagster_project.lib.environment import SEEDS_DIR

# Computed anew from the archive, in this order: each reads archived tables and those before it.
RECOMPUTED = (
    ("metrics", "fct_score_adjustment_effect"),
    ("incentives", "fct_incentive_payout"),
    ("incentives", "fct_payout_trace"),
)
PAYOUTS = "incentives.fct_incentive_payout"
DEFINITION_SQL = "archive.definition_sql"
_TIED = ("metrics.fct_metric_result", "metrics.fct_metric_evidence")
# Seeds that hold a definition wherever they are named: every table of these folders goes with the period.
DEFINITION_FOLDERS = ("metrics", "plans")

_OF_THE_PERIOD = "earned_quarter = '{period}'"
_PAID_RESULTS = """
    select result.metric_result_key from metrics.fct_metric_result as result
    where result.period_grain = 'quarter' and result.period_start_on = date '{start}'
"""
_LINES = "select payout_line_id from incentives.fct_incentive_payout where earned_quarter = '{period}'"
_STARTS_WITHIN = "period_start_on >= date '{start}' and period_start_on < date '{end}'"
# what a component that runs over several quarters has counted before
_WITHIN_OR_EARLIER_QUARTER = f"period_start_on < date '{{end}}' and ({_STARTS_WITHIN} or period_grain = 'quarter')"
_BATCHES = """
    select payout.employee_batch_id from incentives.fct_incentive_payout as payout
        where payout.earned_quarter = '{period}'
    union select payout.job_info_batch_id from incentives.fct_incentive_payout as payout
        where payout.earned_quarter = '{period}'
    union select payout.incentive_target_batch_id from incentives.fct_incentive_payout as payout
        where payout.earned_quarter = '{period}'
    union select evidence.batch_id from metrics.fct_metric_evidence as evidence
        where evidence.metric_result_key in ({paid_results})
"""
# Table -> the rows that belong to the quarter; None: all of them.
ARCHIVED: dict[str, str | None] = {
    PAYOUTS: _OF_THE_PERIOD,
    "incentives.fct_payout_trace": f"payout_line_id in ({_LINES})",
    "metrics.fct_metric_result": f"period_end_on <= date '{{end}}' and ({_STARTS_WITHIN} or period_grain = 'quarter')",
    # of the quarter's own results: those of its months rest on the same observations
    "metrics.fct_metric_evidence": "metric_result_key in ({paid_results})",
    "metrics.fct_score_adjustment_effect": _WITHIN_OR_EARLIER_QUARTER,
    "metrics.dim_metric_definition": None,
    "core.int_metric_definition": None,
    "core.int_score_adjustment": _WITHIN_OR_EARLIER_QUARTER,
    "core.int_incentive_period": "period_end_on <= date '{end}'",
    "core.int_component_weight": _OF_THE_PERIOD,
    "core.int_lifecycle_weight": _OF_THE_PERIOD,
    "core.int_work_share": "from_on < date '{end}' and to_on > date '{start}'",
    "incentives.fct_eligibility": _OF_THE_PERIOD,
    "core.int_plan_activation": None,
    # the stretches of employment the lines rest on
    "core.int_employee_assignment": """
        is_in_incentive_plan and assigned_from_on < date '{end}'
        and (assigned_to_on is null or assigned_to_on > date '{start}')
    """,
    "core.int_run_context": None,
    "core.int_period_approval": "period_code = '{period}'",
    "reference.team": None,
    "finance.rec_payout_to_payroll": _OF_THE_PERIOD,
    "finance.rec_payout_to_gl": _OF_THE_PERIOD,
    "finance.rpt_close_difference": "earned_quarter = '{period}' or earned_quarter is null",
    "finance.rpt_close_readiness": "period_code = '{period}'",
    # whatever else was earned in the quarter, what limits and findings took off, and the entries of the ledger
    "finance.fct_earning_line": _OF_THE_PERIOD,
    "finance.fct_cap_application": _OF_THE_PERIOD,
    "finance.fct_clawback": _OF_THE_PERIOD,
    "finance.fct_payout_ledger": _OF_THE_PERIOD,
    "landing.extract_batch": "batch_id in ({batches})",
    "landing.gate_outcome": "run_id = (select run_id from landing.run_context order by started_at desc limit 1)",
}


@dataclass(frozen=True)
class Period:
    """A quarter: its code and the days [start_on, end_on)."""

    code: str
    start_on: date
    end_on: date

    @classmethod
    def of(cls, code: str) -> Period:
        """'2025-Q3' as 2025-07-01 to 2025-10-01. Raises ArchiveError for anything else."""
        match = re.fullmatch(r"(\d{4})-Q([1-4])", code)
        if match is None or not 1 <= int(match[1]) < 9999:
            raise ArchiveError(f"{code!r} is no period: write a quarter such as 2025-Q3")
        year, quarter = int(match[1]), int(match[2])
        following = date(year + 1, 1, 1) if quarter == 4 else date(year, 3 * quarter + 1, 1)
        return cls(code, date(year, 3 * quarter - 2, 1), following)

    def fill(self, condition: str) -> str:
        """A condition of ARCHIVED with this period's literals."""
        values = {"period": self.code, "start": self.start_on.isoformat(), "end": self.end_on.isoformat()}
        paid_results = _PAID_RESULTS.format(**values)
        batches = _BATCHES.format(**values, paid_results=paid_results)
        return condition.format(**values, paid_results=paid_results, batches=batches)


@dataclass
class Recomputation:
    """What came of computing a period anew. differences: what does not agree, in words; empty when all does."""

    period: str
    line_count: int = 0
    totals: dict[str, Decimal] = field(default_factory=dict)
    result_count: int = 0
    differences: list[str] = field(default_factory=list)


def file_name(table: str) -> str:
    """The file a table stands in."""
    return f"{table}.parquet"


def definition_tables() -> list[str]:
    """The tables of the seeds that hold definitions."""
    return [
        f"reference.{path.stem}" for folder in DEFINITION_FOLDERS for path in sorted(SEEDS_DIR.glob(f"{folder}/*.csv"))
    ]


def compiled_models(compiled_path: Path, name: str) -> list[Path]:
    """Where dbt left the compiled SQL of a model; what it made of the given rows of unit tests is left out."""
    found = sorted(compiled_path.glob(f"*/models/**/{name}.sql"))
    return [path for path in found if not {parent.suffix for parent in path.parents} & {".yml", ".yaml"}]


def read_definitions(compiled_path: Path, database: str) -> dict[str, str]:
    """The compiled SQL of each recomputed model, its tables named without the database they stood in.

    compiled_path: dbt's folder of compiled models. Raises ArchiveError where one is not there, or two are.
    """
    found = {}
    for schema, name in RECOMPUTED:
        paths = compiled_models(compiled_path, name)
        if len(paths) != 1:
            raise ArchiveError(f"{compiled_path} holds {len(paths)} compiled models {name} where one was to be")
        sql = paths[0].read_text(encoding="utf-8").replace(f'"{database}".', "").strip() + "\n"
        found[f"{schema}.{name}"] = sql
    return found


def definitions_of(period: Period, definitions: Mapping[str, str]) -> dict[str, str]:
    """The SQL that computes one period's lines: what earlier quarters counted is read, their lines are left out."""
    lines = f"select * from (\n{definitions[PAYOUTS]}) as computed\nwhere {period.fill(_OF_THE_PERIOD)}\n"
    return {**definitions, PAYOUTS: lines}


def tables_read(sql: str) -> list[str]:
    """The tables a compiled model names, 'schema.name', in the order of first mention."""
    return list(dict.fromkeys(f"{schema}.{name}" for schema, name in re.findall(r'"(\w+)"\."(\w+)"', sql)))


def tables_of_period(definitions: Mapping[str, str]) -> dict[str, str | None]:
    """Every table of an archive with its condition: those listed, every definition, and whatever else the SQL reads."""
    read = [table for sql in definitions.values() for table in tables_read(sql)]
    return {**dict.fromkeys([*definition_tables(), *read]), **ARCHIVED}


def write_tables(
    connection: duckdb.DuckDBPyConnection, folder: Path, period: Period, definitions: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Write every table of the period, each in a total order of its rows: the same data give the same bytes.

    connection: the warehouse; it is put to one thread, since several share row groups out as they come. Returns per
    file its table, columns with their types, rows, and the total of each amount by currency.
    """
    connection.execute("set threads = 1")
    described = {}
    for table, condition in sorted(tables_of_period(definitions).items()):
        try:
            columns = _columns(connection, table)
        except duckdb.CatalogException as error:
            raise ArchiveError(
                f"the warehouse has no {table}, which a closed period holds: run `sltw run` first ({error})"
            ) from error
        where = f" where {period.fill(condition)}" if condition else ""
        _write(connection, f"select * from {table}{where}", columns, folder / file_name(table))
        described[file_name(table)] = _described(connection, table, columns, folder / file_name(table))
    connection.register("definition_rows", _as_table(definitions))
    query = "select * from definition_rows"
    columns = [(row[0], row[1]) for row in connection.execute(f"describe {query}").fetchall()]
    _write(connection, query, columns, folder / file_name(DEFINITION_SQL))
    connection.unregister("definition_rows")
    described[file_name(DEFINITION_SQL)] = _described(
        connection, DEFINITION_SQL, columns, folder / file_name(DEFINITION_SQL)
    )
    return described


def _as_table(definitions: Mapping[str, str]) -> Any:
    import pyarrow as pa

    return pa.table(
        {
            "step_number": pa.array(range(1, len(definitions) + 1), pa.int64()),
            "table_name": pa.array(definitions.keys(), pa.string()),
            "sql_text": pa.array(definitions.values(), pa.string()),
            "sql_sha256": pa.array([hashlib.sha256(sql.encode()).hexdigest() for sql in definitions.values()]),
        }
    )


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(f"describe {table}").fetchall()]


def _write(connection: duckdb.DuckDBPyConnection, query: str, columns: Sequence[tuple[str, str]], path: Path) -> None:
    """Write a query as Parquet. Whole numbers wider than Parquet's go as decimals, not as the doubles they would be."""
    chosen = ", ".join(
        f"cast({_quoted(name)} as decimal(38, 0)) as {_quoted(name)}" if kind in _WIDE else _quoted(name)
        for name, kind in columns
    )
    connection.execute(
        f"copy (select {chosen} from ({query}) order by all asc nulls first) to {_literal(str(path))} "
        "(format parquet, compression zstd)"
    )


_WIDE = ("HUGEINT", "UHUGEINT")


def _described(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[tuple[str, str]], path: Path
) -> dict[str, Any]:
    amounts = [name for name, kind in columns if kind.startswith("DECIMAL") and re.search(r"(^|_)amount$", name)]
    currency = next((name for name, _ in columns if name == "currency_code"), None)
    grouped = f"coalesce({currency}, '')" if currency else "''"
    sums = "".join(f", coalesce(sum({_quoted(name)}), 0)" for name in amounts)
    rows = connection.execute(
        f"select {grouped}, count(*){sums} from read_parquet({_literal(str(path))}) group by 1 order by 1"
    ).fetchall()
    return {
        "table": table,
        "columns": [[name, kind] for name, kind in columns],
        "row_count": sum(row[1] for row in rows),
        "control_totals": {
            name: {row[0]: str(row[2 + place]) for row in rows} for place, name in enumerate(amounts) if rows
        },
    }


def control_totals(folder: Path) -> dict[str, dict[str, Any]]:
    """Lines, people and amount of the archived payouts by currency."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select currency_code, count(*), count(distinct employee_number), sum(payout_amount) "
            f"from read_parquet({_literal(str(folder / file_name(PAYOUTS)))}) group by 1 order by 1"
        ).fetchall()
    return {
        currency: {"line_count": lines, "employee_count": people, "payout_amount": str(amount)}
        for currency, lines, people, amount in rows
    }


def batch_ids(folder: Path) -> list[str]:
    """The extract batches an archived period names."""
    with duckdb.connect() as connection:
        path = _literal(str(folder / file_name("landing.extract_batch")))
        return [
            row[0] for row in connection.execute(f"select batch_id from read_parquet({path}) order by 1").fetchall()
        ]


# --- reading back ---


def recompute_folder(folder: Path, period: str, files: Iterable[Mapping[str, Any]]) -> Recomputation:
    """Compute a period's results anew from its Parquet files and compare. files: as the manifest describes them."""
    done = Recomputation(period)
    with duckdb.connect() as connection:
        by_table = {str(entry["table"]): entry for entry in files}
        if DEFINITION_SQL not in by_table:
            done.differences.append(f"{DEFINITION_SQL}: the archive holds no SQL to compute anything by")
            return done
        _load(connection, folder, by_table[DEFINITION_SQL], DEFINITION_SQL)
        # what an archive computes is said by the archive: later code may compute more, or otherwise
        steps = connection.execute(
            "select table_name, sql_text, sql_sha256 from archive.definition_sql order by step_number"
        ).fetchall()
        outputs = [step[0] for step in steps]
        if PAYOUTS not in outputs:
            done.differences.append(f"{PAYOUTS}: the archive holds no SQL that computes it")
            return done
        for table in {*outputs, *_TIED, *(table for step in steps for table in tables_read(step[1]))}:
            if table not in by_table:
                done.differences.append(f"{table}: is read by the archived SQL and not archived")
                return done
            _load(connection, folder, by_table[table], "archived." + _quoted(table) if table in outputs else table)
        columns = {table: [name for name, _ in by_table[table]["columns"]] for table in outputs}
        # from here on nothing but what was loaded can be read
        connection.execute("set enable_external_access = false")
        for table, sql, sha256 in steps:
            if hashlib.sha256(sql.encode()).hexdigest() != sha256:
                done.differences.append(f"{table}: its archived SQL has not the sha256 it was archived with")
                return done
            try:
                connection.execute(f"create schema if not exists {table.partition('.')[0]}")
                connection.execute(f"create table {table} as {sql}")
            except duckdb.Error as error:
                done.differences.append(f"{table}: its archived SQL does not run: {str(error).splitlines()[0]}")
                return done
            done.differences += _differences(connection, table, columns[table])
        done.differences += _untied_results(connection)
        done.line_count, done.result_count = connection.execute(
            f"select count(*), count(distinct metric_result_key) from {PAYOUTS}"
        ).fetchone() or (0, 0)
        done.totals = dict(
            connection.execute(
                f"select currency_code, sum(payout_amount) from {PAYOUTS} group by 1 order by 1"
            ).fetchall()
        )
    return done


def recompute(archive_path: Path, link: Link) -> Recomputation:
    """Compute a closed period anew from its archive alone. Raises ArchiveError where a file is not as it was closed."""
    manifest = read_manifest(archive_path, link)
    for entry in manifest["files"]:
        checked_file(archive_path, link, manifest, entry["name"])
    return recompute_folder(archive_path / link.period, link.period, manifest["files"])


def _load(connection: duckdb.DuckDBPyConnection, folder: Path, entry: Mapping[str, Any], table: str) -> None:
    """A Parquet file as a table, its columns of the types they had in the warehouse."""
    connection.execute(f"create schema if not exists {table.partition('.')[0]}")
    chosen = ", ".join(f"cast({_quoted(name)} as {kind}) as {_quoted(name)}" for name, kind in entry["columns"])
    path = _literal(str(folder / str(entry["name"])))
    connection.execute(f"create table {table} as select {chosen} from read_parquet({path})")


def _differences(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> Iterator[str]:
    """What the archived rows of a table have that the computed ones have not, and the other way round."""
    chosen = ", ".join(_quoted(name) for name in columns)
    archived = f"archived.{_quoted(table)}"
    computed = [row[0] for row in connection.execute(f"describe {table}").fetchall()]
    if computed != list(columns):
        yield f"{table}: computed with the columns {', '.join(computed)}, archived with {', '.join(columns)}"
        return
    for what, left, right in (("archived", archived, table), ("computed", table, archived)):
        query = f"select {chosen} from {left} except all select {chosen} from {right}"
        (count,) = connection.execute(f"select count(*) from ({query})").fetchone() or (0,)
        if count:
            example = connection.execute(f"{query} order by all limit 1").fetchone() or ()
            shown = ", ".join(f"{name} {value}" for name, value in zip(columns[:6], example[:6], strict=True))
            other = "computed" if what == "archived" else "archived"
            yield f"{table}: {count:,} {what} rows were not {other}, such as {shown}"


def _untied_results(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Results that paid and whose archived evidence does not add up to their numerator and denominator."""
    rows = connection.execute(
        f"""
        with evidence as (
            select metric_result_key, sum(numerator_weight) as numerator, sum(evidence_weight) as denominator
            from metrics.fct_metric_evidence group by 1
        )
        select result.metric_code, result.entity_code, result.numerator, evidence.numerator, result.denominator,
            evidence.denominator
        from metrics.fct_metric_result as result
        left join evidence using (metric_result_key)
        where result.metric_result_key in (
            select payout.metric_result_key from archived.{_quoted(PAYOUTS)} as payout where payout.payout_amount <> 0
        )
        and result.freeze_status = 'none'
        and (
            coalesce(evidence.numerator, 0) <> result.numerator
            or coalesce(evidence.denominator, 0) <> result.denominator
        )
        order by all
        """
    ).fetchall()
    for metric, entity, numerator, found_numerator, denominator, found_denominator in rows:
        yield (
            f"metrics.fct_metric_result: {metric} of {entity} is {numerator} of {denominator}, its archived evidence "
            f"{found_numerator} of {found_denominator}"
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

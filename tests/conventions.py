"""The house rules as functions: each takes what it judges and returns its violations, one sentence each.

tests/test_conventions.py runs every rule on the tree and on a small bad example. Nothing here needs dbt, a
warehouse or the network: models are rendered by sqlfluff's jinja templater (see dbt_project/lint_context) and
read with sqlglot.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError

from dagster_project.lib.publish import AUDIENCES, CLASSIFICATIONS

ROOT = Path(__file__).resolve().parent.parent
DBT = ROOT / "dbt_project"

LAYERS = ("staging", "core", "marts")
# From upstream to downstream: a mart reads its own domain and those before it; controls look at all of them.
MART_DOMAINS = ("slt", "metrics", "incentives", "finance", "governance")
MART_PREFIXES = ("fct_", "dim_", "rec_", "rpt_", "mart_", "flag_", "chk_")

# Columns that lead to a person whatever mart they stand in.
PERSONAL_NAME = re.compile(
    r"(^|_)(employee_(number|id|assignment_key)|display_name|full_name|email|work_email|user_name|user_id"
    r"|requested_by|caller|caller_id|opened_by|resolved_by|assigned_to)$"
)

# Functions that mean the same on DuckDB and on Spark, spelled alike. Anything else belongs in a macro of
# dbt_project/macros with one implementation per engine.
PORTABLE_FUNCTIONS = frozenset(
    """
    abs any_value bool_and bool_or cast ceil coalesce concat concat_ws count cume_dist date_trunc
    decimal dense_rank exists extract filter first_value floor greatest in lag last_day last_value lead
    least left length lower lpad ltrim max max_by md5 min min_by mod month nth_value ntile nullif over
    percent_rank quarter rank repeat replace reverse right round row_number rpad rtrim sign split_part
    substr substring sum trim try_cast upper varchar year
    """.split()  # noqa: SIM905
)
# SQL that both engines parse and read differently, or that only DuckDB parses.
UNPORTABLE_NODES: tuple[tuple[type[exp.Expression], str], ...] = (
    (exp.Div, "`/` gives a DOUBLE of two decimals on DuckDB: use int_div or round_half_up_ratio"),
    (exp.IntDiv, "`//` is DuckDB's: use int_div"),
    (exp.Avg, "avg() is a DOUBLE on DuckDB: sum and count, then round_half_up_ratio"),
    (exp.Interval, "interval arithmetic: use add_days, add_months or add_seconds"),
    (exp.Array, "list literal: behind a macro"),
    (exp.Struct, "struct literal: behind a macro"),
    (exp.Lambda, "lambda: behind a macro"),
    (exp.Unnest, "unnest: behind a macro"),
    (exp.JSONExtract, "JSON access: use json_text"),
    (exp.JSONExtractScalar, "JSON access: use json_text"),
    (exp.Pivot, "pivot: write it as filtered aggregates"),
    (exp.Bracket, "subscript: behind a macro"),
    (exp.RegexpLike, "regular expression operator: behind a macro"),
    (exp.AtTimeZone, "time zone conversion: use local_to_utc or utc_to_local"),
)

# Numbers carry their unit as the last word of their name.
UNIT_SUFFIXES = (
    "seconds", "minutes", "days", "months", "amount", "share", "count", "number", "percent", "weight",
    "version", "sequence", "rank", "bytes", "factor", "value",
)  # fmt: skip
# Columns whose unit stands elsewhere, each with where.
UNITLESS_NUMBERS = {
    "priority": "1 (highest) to 5, an ordinal of the ITSM tool",
    "tier": "1 to 3, an ordinal of the team",
    "criticality": "1 (highest) to 4, an ordinal of the service",
    "weight": "a share of one, or points as the metric's weighting says",
    "numerator": "in the unit of the metric's measure: tickets, weight points or monitor-seconds",
    "denominator": "as numerator",
    "metric_value": "in dim_metric_definition.unit",
    "availability_raw": "a share of time: availability_adjusted stands beside it",
    "availability_adjusted": "a share of time, exclusions taken out",
    "lower_bound": "in the unit of the metric it is compared with",
}
# Truth values under the name their source gives them.
BOOLEANS_BY_ANOTHER_NAME = frozenset({"made_sla"})
NUMERIC_TYPE = re.compile(r"^(tinyint|smallint|integer|int|bigint|hugeint|decimal|numeric|double|float|real)\b")
FLOAT_TYPE = re.compile(r"^(double|float|real)\b")
# A date that names a month, and the seeds' pair of first and last day in force.
DATES_BY_ANOTHER_NAME = re.compile(r"(^|_)(month|effective_from|effective_to)$")


# --- reading the tree ---


@dataclass(frozen=True)
class Model:
    """One dbt model: its text, the same text rendered, and what its yml says.

    properties is the model's own entry of the yml, None where there is none; yml_models names every model the
    yml describes.
    """

    name: str
    layer: str
    topic: str
    sql: str
    rendered: str
    properties: dict[str, Any] | None
    yml_models: tuple[str, ...] = ()
    unit_tests: tuple[dict[str, Any], ...] = ()

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The columns the yml documents."""
        return list((self.properties or {}).get("columns") or [])

    @cached_property
    def tree(self) -> exp.Expression:
        """The rendered SQL, parsed as DuckDB reads it. Raises SqlglotError where it cannot be parsed."""
        return sqlglot.parse_one(self.rendered, read="duckdb")

    @property
    def refs(self) -> set[str]:
        """Models and seeds it selects from."""
        return set(re.findall(r"\bdbt_ref\.(\w+)", self.rendered))

    @property
    def sources(self) -> set[str]:
        """Source tables it selects from, as source__table."""
        return set(re.findall(r"\bdbt_source\.(\w+)", self.rendered))

    def ctes(self) -> list[exp.CTE]:
        """Its common table expressions in the order written."""
        with_clause = self.tree.args.get("with_") or self.tree.args.get("with")
        return list(with_clause.expressions) if with_clause else []


@dataclass(frozen=True)
class Project:
    """The dbt project as files: models by name, seeds, names of macros."""

    models: dict[str, Model]
    seeds: frozenset[str]
    macros: frozenset[str]
    property_files: dict[str, dict[str, Any]] = field(default_factory=dict)


def render(sql: str, name: str = "model.sql") -> str:
    """The model's text with its jinja rendered, as sqlfluff sees it; ValueError where it does not render."""
    config = FluffConfig.from_path(str(DBT / "models"))
    rendered = Linter(config=config).render_string(sql, name, config, "utf-8")
    if rendered.templater_violations:
        raise ValueError(f"{name}: {rendered.templater_violations[0]}")
    return str(rendered.templated_variants[0])


def make_model(
    name: str,
    sql: str,
    *,
    layer: str = "core",
    topic: str = "tickets",
    properties: dict[str, Any] | None = None,
) -> Model:
    """A model from its text and its yml entry, as the bad examples of the tests need it."""
    described = {"name": name, **properties} if properties is not None else None
    return Model(name, layer, topic, sql, render(sql), described, (name,) if described else ())


def load_project(dbt: Path = DBT, seeds: Path = ROOT / "seeds") -> Project:
    """Every model, seed and macro of the tree. Raises ValueError where a model does not render."""
    models: dict[str, Model] = {}
    for path in sorted((dbt / "models").rglob("*.sql")):
        layer, *topic = path.relative_to(dbt / "models").parts[:-1]
        beside = path.with_suffix(".yml")
        document = yaml.safe_load(beside.read_text()) or {} if beside.exists() else {}
        entries = document.get("models") or []
        models[path.stem] = Model(
            name=path.stem,
            layer=layer,
            topic=topic[0] if layer == "marts" and topic else "/".join(topic),
            sql=path.read_text(),
            rendered=render(path.read_text(), str(path)),
            properties=next((entry for entry in entries if entry.get("name") == path.stem), None),
            yml_models=tuple(entry.get("name", "") for entry in entries),
            unit_tests=tuple(document.get("unit_tests") or []),
        )
    macros = {
        macro
        for path in (dbt / "macros").rglob("*.sql")
        for macro in re.findall(r"\{%-?\s*macro\s+(\w+)", path.read_text())
    }
    property_files = {
        path.relative_to(folder.parent).as_posix(): yaml.safe_load(path.read_text()) or {}
        for folder in (dbt / "models", dbt / "tests", seeds)
        for path in sorted(folder.rglob("*.yml"))
    }
    return Project(models, frozenset(path.stem for path in seeds.rglob("*.csv")), frozenset(macros), property_files)


# --- names and layers ---


def parses(model: Model) -> list[str]:
    """The rendered SQL can be read at all; every other rule passes over a model that cannot."""
    try:
        model.tree  # noqa: B018
    except SqlglotError as error:
        where = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        near = f"{where.get('start_context', '')}{where.get('highlight', '')}".strip().rsplit("\n", 1)[-1].strip()
        what = where.get("description", str(error).splitlines()[0])
        return [f"{model.name}: cannot be parsed near line {where.get('line')} (`{near}`): {what}"]
    return []


def naming(model: Model) -> list[str]:
    """Folder and name agree: stg_<source>__<entities>, int_*, fct_|dim_|rec_|rpt_|mart_|flag_|chk_*."""
    found = []
    if model.layer not in LAYERS:
        return [f"{model.name}: {model.layer}/ is no layer; one of {', '.join(LAYERS)}"]
    if not model.topic:
        found.append(f"{model.name}: stands directly in {model.layer}/; put it in a folder of its source or topic")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", model.name):
        found.append(f"{model.name}: names are lower case letters, digits and _")
    if model.layer == "staging" and not re.fullmatch(rf"stg_{re.escape(model.topic)}__[a-z0-9_]+", model.name):
        found.append(f"{model.name}: a model of staging/{model.topic}/ is named stg_{model.topic}__<entities>")
    if model.layer == "core" and not model.name.startswith("int_"):
        found.append(f"{model.name}: a core model's name begins with int_")
    if model.layer == "marts":
        if not model.name.startswith(MART_PREFIXES):
            found.append(f"{model.name}: a mart's name begins with one of {', '.join(MART_PREFIXES)}")
        if model.topic not in MART_DOMAINS:
            found.append(f"{model.name}: marts/{model.topic}/ is no domain; one of {', '.join(MART_DOMAINS)}")
    return found


def layering(model: Model, project: Project) -> list[str]:
    """Staging reads sources; core reads staging, core and seeds; marts read core, marts and seeds.

    Two doors stand open: core may read `landing`, the warehouse's own audit of its extracts, and a
    reconciliation (rec_*) may read staging and sources, since its other side is the record as it came in.
    """
    found = []
    direct = {name for name in model.sources if not name.startswith("landing__")}
    is_reconciliation = model.layer == "marts" and model.name.startswith("rec_")
    closed = {"core": direct, "marts": set() if is_reconciliation else model.sources}.get(model.layer)
    if closed:
        found.append(f"{model.name}: {model.layer} reads a source directly ({', '.join(sorted(closed))})")
    if model.layer == "staging" and not direct:
        found.append(f"{model.name}: a staging model reads a source")
    allowed = {"staging": {"seed"}, "core": {"staging", "core", "seed"}, "marts": {"core", "marts", "seed"}}
    if is_reconciliation:
        allowed["marts"].add("staging")
    for name in sorted(model.refs):
        upstream = project.models.get(name)
        if upstream is None and name not in project.seeds:
            found.append(f"{model.name}: refers to {name}, which is neither a model nor a seed")
            continue
        kind = upstream.layer if upstream else "seed"
        if kind not in allowed.get(model.layer, set()):
            found.append(f"{model.name}: {model.layer} may not read {name} of {kind}")
        if (
            upstream
            and model.layer == upstream.layer == "marts"
            and {model.topic, upstream.topic} <= set(MART_DOMAINS)
            and MART_DOMAINS.index(upstream.topic) > MART_DOMAINS.index(model.topic)
        ):
            found.append(f"{model.name}: marts/{model.topic} may not read {name} of marts/{upstream.topic}, downstream")
    return found


def tables_by_reference(model: Model) -> list[str]:
    """Every table is a CTE, a ref() or a source(): a table named in the text has no lineage."""
    names = {cte.alias for cte in model.ctes()}
    return [
        f"{model.name}: reads {table.sql()} without ref() or source()"
        for table in model.tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier)
        and table.db not in ("dbt_ref", "dbt_source")
        and table.name != "this_model"
        and (table.db or table.name not in names)
        and table.name not in {cte.alias for cte in model.tree.find_all(exp.CTE)}
    ]


# --- shape of the SQL ---


# Models that name relations in place, each with why.
RELATIONS_IN_PLACE = {
    "int_slt_telescoped": "a CTE used twice is computed on its own: the joins lose sight of its dense keys",
    "int_slt_span": "as int_slt_telescoped",
    "int_slt_telescoped_breach": "as int_slt_telescoped",
    "int_slt_telescoped_interval": "as int_slt_telescoped",
    "int_slt_result": "as int_slt_telescoped, for its tickets by the million",
    "fct_slt_clock_segment": "a CTE used once a class would hold every stretch in memory",
}


def shape(model: Model) -> list[str]:
    """CTEs, imports first and one relation each, and a last line `select * from <last cte>`.

    An `order by` of its own line may follow: the order a table is written in is what a scan can skip by.
    """
    ctes = model.ctes()
    if not ctes:
        return [f"{model.name}: begins with its imports as CTEs"]
    found = []
    last_line = re.sub(r"\norder by [a-z_, ]+$", "", model.sql.rstrip()).rsplit("\n", 1)[-1].strip()
    if last_line != f"select * from {ctes[-1].alias}":
        found.append(f"{model.name}: ends with `{last_line}`, not with `select * from {ctes[-1].alias}`")
    logic_before = ""
    for cte in () if model.name in RELATIONS_IN_PLACE else ctes:
        outside = [table for table in cte.find_all(exp.Table) if table.db in ("dbt_ref", "dbt_source")]
        if not outside:
            logic_before = logic_before or cte.alias
            continue
        if logic_before:
            found.append(f"{model.name}: import {cte.alias} stands after {logic_before}; imports come first")
        joined = [table for table in outside if not table.find_ancestor(exp.Where)]
        if len(joined) > 1 or cte.find(exp.Join) or cte.find(exp.Group):
            found.append(f"{model.name}: import {cte.alias} does more than select from one relation")
    return found


def lower_case(model: Model) -> list[str]:
    """Keywords, names and functions are lower case; text, comments and quoted names are not judged."""
    bare = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", "", model.rendered, flags=re.DOTALL)
    words = sorted(set(re.findall(r"\b\w*[A-Z]\w*\b", bare)))
    return [f"{model.name}: not lower case: {', '.join(words)}"] if words else []


def portable(model: Model, project: Project) -> list[str]:
    """Spark reads it the same: only functions both engines know, everything else behind a macro."""
    bare = re.sub(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", "''", model.rendered, flags=re.DOTALL)
    called = {name.lower() for name in re.findall(r"\b([A-Za-z_]\w*)\(", bare)}
    found = [
        f"{model.name}: {name}() is not in every engine: put it behind a macro"
        for name in sorted(called - PORTABLE_FUNCTIONS - project.macros)
    ]
    found += [
        f"{model.name}: {why}: {node.sql('duckdb')}"
        for kind, why in UNPORTABLE_NODES
        for node in model.tree.find_all(kind)
    ]
    jinja_and_text = r"\{\{ config\(.*?\) \}\}\n|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|--[^\n]*|'(?:[^']|'')*'"
    if '"' in re.sub(jinja_and_text, "", model.sql, flags=re.DOTALL):
        found.append(f'{model.name}: "a quoted name" is a string on Spark: use adapter.quote')
    try:
        for statement in sqlglot.transpile(
            model.rendered, read="duckdb", write="spark", unsupported_level=ErrorLevel.RAISE
        ):
            sqlglot.parse_one(statement, read="spark")
    except SqlglotError as error:
        found.append(f"{model.name}: cannot be written for Spark: {error}")
    return found


def no_floats(model: Model) -> list[str]:
    """No double or float in a cast or a column: they do not add up to the cent or the second."""
    found = [
        f"{model.name}: casts to {cast.to.sql('duckdb').lower()}"
        for cast in model.tree.find_all(exp.Cast, exp.TryCast)
        if FLOAT_TYPE.match(cast.to.sql("duckdb").lower())
    ]
    return found + [
        f"{model.name}.{column['name']}: {column['data_type']}"
        for column in model.columns
        if FLOAT_TYPE.match(str(column.get("data_type", "")).lower())
    ]


# --- documentation ---


def documented(model: Model) -> list[str]:
    """One yml beside each model, for it alone, with a description and one for every column it gives."""
    if model.properties is None or model.yml_models != (model.name,):
        described = ", ".join(model.yml_models) or "nothing"
        return [f"{model.name}: {model.name}.yml beside it describes {described}, not exactly this model"]
    found = []
    if not str(model.properties.get("description", "")).strip():
        found.append(f"{model.name}: no description")
    if not model.columns:
        found.append(f"{model.name}: no column is documented")
    found += [
        f"{model.name}.{column.get('name')}: no description"
        for column in model.columns
        if not str(column.get("description", "")).strip()
    ]
    given = projected_columns(model)
    if given is not None:
        written = [column.get("name") for column in model.columns]
        found += [f"{model.name}.{name}: given by the SQL, not documented" for name in given if name not in written]
        found += [f"{model.name}.{name}: documented, not given by the SQL" for name in written if name not in given]
        found += [
            f"{model.name}.{name}: documented twice" for name in sorted({n for n in written if written.count(n) > 1})
        ]
    return found


def projected_columns(model: Model) -> list[str] | None:
    """Names of the columns the last CTE gives, followed through `select *` of CTEs.

    None where they come from another relation and the text alone cannot tell.
    """
    ctes = {cte.alias: cte.this for cte in model.ctes()}

    def names(query: exp.Expression) -> list[str] | None:
        while isinstance(query, (exp.SetOperation, exp.Subquery)):
            query = query.this
        if not isinstance(query, exp.Select):
            return None
        if any(isinstance(column, exp.Star) or column.is_star for column in query.expressions):
            source = query.args.get("from_") or query.args.get("from")
            table = source.this if source else None
            if len(query.expressions) > 1 or query.args.get("joins") or not isinstance(table, exp.Table):
                return None
            return names(ctes[table.name]) if not table.db and table.name in ctes else None
        return list(query.named_selects)

    return names(model.tree)


def explicit_columns(model: Model) -> list[str]:
    """A mart names its columns: what an upstream model adds must not slip into what is published."""
    if model.layer == "marts" and projected_columns(model) is None:
        return [f"{model.name}: a mart's last CTE lists its columns, without *"]
    return []


def mart_contract(model: Model) -> list[str]:
    """A mart says who may have it and, for each column, its type and how private it is."""
    if model.layer != "marts" or model.properties is None:
        return []
    found = []
    is_set_in_sql = re.search(r"\bconfig\([^)]*\bcontract\b", model.sql)
    if (_setting(model.properties, "contract") or {}).get("enforced") is False or is_set_in_sql:
        found.append(f"{model.name}: a mart's contract is enforced by its folder and not switched off")
    audiences = _meta(model.properties).get("audiences")
    if not isinstance(audiences, list) or not audiences or not set(audiences) <= set(AUDIENCES):
        found.append(f"{model.name}: meta.audiences is {audiences!r}; a list of {sorted(AUDIENCES)}")
    for column in model.columns:
        classification = _meta(column).get("classification")
        if classification not in CLASSIFICATIONS:
            where = f"{model.name}.{column['name']}"
            found.append(f"{where}: meta.classification is {classification!r}; one of {sorted(CLASSIFICATIONS)}")
        if not column.get("data_type"):
            found.append(f"{model.name}.{column['name']}: a contract needs data_type")
    return found


def private_names(model: Model) -> list[str]:
    """What names a person is never public, and no amount is: two group totals differ by whoever joined or left."""
    if model.layer != "marts":
        return []
    public = [str(c.get("name")) for c in model.columns if _meta(c).get("classification") == "public"]
    found = [f"{model.name}.{name}: public, and leads to a person" for name in public if PERSONAL_NAME.search(name)]
    found += [f"{model.name}.{name}: a public amount" for name in public if name.endswith("_amount")]
    return found


def column_names(model: Model) -> list[str]:
    """Names and types agree: _at is a UTC instant, _on a date, is_ a truth value; numbers carry a unit."""
    found = []
    for column in model.columns:
        name, data_type = str(column.get("name")), str(column.get("data_type", "")).lower()
        where = f"{model.name}.{name}"
        if not data_type:
            continue
        if name.endswith("_at") != data_type.startswith("timestamp"):
            found.append(f"{where}: {data_type}; _at and TIMESTAMP go together")
        if data_type.startswith("timestamp") and data_type != "timestamp":
            found.append(f"{where}: {data_type}; instants are TIMESTAMP without zone, in UTC")
        if data_type == "date" and not (name.endswith("_on") or DATES_BY_ANOTHER_NAME.search(name)):
            found.append(f"{where}: a date's name ends with _on")
        if name.endswith("_on") and data_type != "date":
            found.append(f"{where}: {data_type}; _on is a DATE")
        is_named_boolean = name.startswith(("is_", "has_")) or name in BOOLEANS_BY_ANOTHER_NAME
        if is_named_boolean != (data_type == "boolean"):
            found.append(f"{where}: {data_type}; is_ or has_ and BOOLEAN go together")
        if NUMERIC_TYPE.match(data_type) and not _carries_unit(name):
            found.append(f"{where}: {data_type} without a unit in its name ({', '.join(UNIT_SUFFIXES)})")
        if name.endswith("_amount") and data_type.replace(" ", "") != "decimal(18,2)":
            found.append(f"{where}: {data_type}; money is DECIMAL(18,2)")
        if name.endswith("_share") and not data_type.startswith("decimal"):
            found.append(f"{where}: {data_type}; a share is a DECIMAL")
        if name.endswith(("_seconds", "_count", "_days")) and not data_type.startswith(("bigint", "integer")):
            found.append(f"{where}: {data_type}; whole numbers are BIGINT or INTEGER")
    return found


def money_has_currency(model: Model) -> list[str]:
    """Wherever an amount stands, its currency stands beside it."""
    names = [str(column.get("name")) for column in model.columns]
    if any(name.endswith("_amount") for name in names) and not any(name.endswith("currency_code") for name in names):
        return [f"{model.name}: amounts without a currency_code"]
    return []


def _carries_unit(name: str) -> bool:
    return name in UNITLESS_NUMBERS or name.rsplit("_", 1)[-1] in UNIT_SUFFIXES


def _meta(entry: dict[str, Any]) -> dict[str, Any]:
    """meta of a yml entry, written beside it or below config."""
    return {**(entry.get("meta") or {}), **((entry.get("config") or {}).get("meta") or {})}


def _setting(entry: dict[str, Any], name: str) -> dict[str, Any] | None:
    return (entry.get("config") or {}).get(name) or entry.get(name)


# --- tests ---


def tests_named(document: dict[str, Any]) -> list[str]:
    """Every data test and unit test of a yml has a name of its own: a failure is read by its name."""
    found = []

    def judge(test: Any, where: str) -> None:
        kind, arguments = (test, {}) if isinstance(test, str) else _kind_of_test(test)
        if not (
            isinstance(test, dict) and (test.get("name") or (isinstance(arguments, dict) and arguments.get("name")))
        ):
            found.append(f"{where}: test {kind} has no name")

    entries = [
        *(document.get("models") or []),
        *(document.get("seeds") or []),
        *(document.get("snapshots") or []),
    ]
    for source in document.get("sources") or []:
        entries += source.get("tables") or []
    for entry in entries:
        for holder, where in [
            (entry, entry.get("name")),
            *((column, f"{entry.get('name')}.{column.get('name')}") for column in entry.get("columns") or []),
        ]:
            for test in [*(holder.get("data_tests") or []), *(holder.get("tests") or [])]:
                judge(test, str(where))
    for unit_test in document.get("unit_tests") or []:
        says_it = str(unit_test.get("description", "")).strip() or str(unit_test.get("name")).count("_") >= 3
        if not says_it:
            found.append(f"{unit_test.get('model')}: unit test {unit_test.get('name')} does not say what it guards")
    return found


def _kind_of_test(test: dict[str, Any]) -> tuple[str, Any]:
    kind = next((key for key in test if key not in {"name", "config", "description", "arguments"}), "")
    return (str(test.get("test_name")), test) if "test_name" in test else (kind, test.get(kind))


def singular_test(name: str, sql: str) -> list[str]:
    """assert_<invariant>.sql, beginning with a comment that names the failure it prevents.

    One that reads several tables says which of them it judges (meta.dagster.ref): Dagster shows it there.
    """
    found = []
    if len(set(re.findall(r"\bref\('(\w+)'\)", sql))) > 1 and not re.search(
        r"'dagster': \{'ref': \{'name': '\w+'", sql
    ):
        found.append(f"{name}: meta.dagster.ref names the table it judges")
    if not re.fullmatch(r"assert_[a-z0-9_]+", name):
        found.append(f"{name}: a singular test is named assert_<invariant>")
    if not re.match(r"\s*(\{\{\s*config\([^}]*\}\}\s*)?(--|\{#|/\*)", sql):
        found.append(f"{name}: begins with a comment that names the failure it prevents")
    return found


def seed_described(seed: str, header: Iterable[str], entry: dict[str, Any] | None) -> list[str]:
    """A seed and each of its columns is described, and the description has no column the file lacks."""
    if not entry or not str(entry.get("description", "")).strip():
        return [f"{seed}: seed without a description"]
    described = {column["name"]: str(column.get("description", "")).strip() for column in entry.get("columns") or []}
    found = [f"{seed}.{name}: no description" for name in header if not described.get(name)]
    return found + [f"{seed}.{name}: described, not in the file" for name in described if name not in set(header)]


# --- Python ---


def imports_of(source: str) -> Iterator[str]:
    """Full names of the modules a Python text imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def forbidden_imports(where: str, source: str, forbidden: Iterable[str]) -> list[str]:
    """Packages this file must not know."""
    banned = set(forbidden)
    return [f"{where}: imports {name}" for name in imports_of(source) if name.split(".")[0] in banned]


# --- pins, paths, addresses ---


def lock_file(name: str, text: str) -> list[str]:
    """Every line is a package pinned with == and hashes; no address, no path, no option."""
    found = []
    entries = re.sub(r"\\\n\s*", " ", text).splitlines()
    for number, entry in enumerate(entries, start=1):
        if not entry.strip():
            continue
        if re.search(r"://|--(extra-)?index-url|--find-links|\bfile:|^\s*(-|/|\.)", entry):
            found.append(f"{name}, entry {number}: an address, a path or an option: {entry[:60]}")
        elif not re.match(r"^[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s;]+", entry):
            found.append(f"{name}, entry {number}: not pinned with ==: {entry[:60]}")
        elif "--hash=sha256:" not in entry:
            found.append(f"{name}, entry {number}: without a hash: {entry[:60]}")
    return found


def unlocked(pyproject: str, lock: str) -> list[str]:
    """Dependencies pyproject.toml asks for that the lock file does not pin."""
    project = tomllib.loads(pyproject)["project"]
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    asked = [requirement for group in groups for requirement in group]
    pinned = {_canonical(match) for match in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", lock, re.MULTILINE)}
    names = [re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0] for requirement in asked]
    return [
        f"{name}: asked for in pyproject.toml, not in requirements.lock"
        for name in names
        if _canonical(name) not in pinned
    ]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def machine_traces(where: str, text: str) -> list[str]:
    """Paths of one machine and hosts of package registries: nobody else has them."""
    found = []
    for pattern, what in (
        (r"(?<![\w.])/(work|farm|root|home/\w+|Users/\w+)/", "a path of one machine"),
        (
            r"\b(pypi|pythonhosted|npmjs|golang|anaconda)[.]org\b",
            "a package registry's host",
        ),
        (r"^(<{7}|>{7}) ", "a merge conflict"),
    ):
        for match in re.finditer(pattern, text, re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{where}:{line}: {what}: {match.group(0)}")
    return found

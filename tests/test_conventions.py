"""The house rules hold on the tree, and each rule refuses the bad example beside it.

The rules are functions of tests/conventions.py; nothing here needs a warehouse or dbt.
"""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlglot
import yaml
from sqlglot import exp

from tests import conventions as rules
from tests.conventions import ROOT, Model, Project, make_model

MODEL_RULES: tuple[Callable[[Model], list[str]], ...] = (
    rules.parses,
    rules.naming,
    rules.tables_by_reference,
    rules.shape,
    rules.lower_case,
    rules.no_floats,
    rules.documented,
    rules.explicit_columns,
    rules.mart_contract,
    rules.private_names,
    rules.column_names,
    rules.money_has_currency,
)
PROJECT_RULES: tuple[Callable[[Model, Project], list[str]], ...] = (rules.layering, rules.portable)


@pytest.fixture(scope="module")
def project() -> Project:
    return rules.load_project()


def tracked_files() -> list[str]:
    """Files of the repository, new ones included; without git, every file that is no build product."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    built = {
        ".venv",
        "data",
        "target",
        "logs",
        "build",
        "__pycache__",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
    }
    return [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*")
        if path.is_file() and not built & set(path.relative_to(ROOT).parts)
    ]


def refused(violations: list[str], because: str) -> None:
    assert any(because in violation for violation in violations), violations


# --- the tree ---


def test_the_tree_holds_every_layer(project: Project) -> None:
    """An empty tree keeps every rule: it must not pass for a good one."""
    for layer in rules.LAYERS:
        assert [model for model in project.models.values() if model.layer == layer], f"no model in {layer}"
    assert project.seeds and project.macros


@pytest.mark.parametrize("rule", MODEL_RULES, ids=lambda rule: rule.__name__)
def test_models_keep(project: Project, rule: Callable[[Model], list[str]]) -> None:
    models = [model for model in project.models.values() if rule is rules.parses or not rules.parses(model)]
    violations = [violation for model in models for violation in rule(model)]
    assert not violations, "\n".join(violations)


@pytest.mark.parametrize("rule", PROJECT_RULES, ids=lambda rule: rule.__name__)
def test_models_keep_in_the_project(project: Project, rule: Callable[[Model, Project], list[str]]) -> None:
    models = [model for model in project.models.values() if not rules.parses(model)]
    violations = [violation for model in models for violation in rule(model, project)]
    assert not violations, "\n".join(violations)


def test_every_property_file_describes_what_stands_beside_it(project: Project) -> None:
    """Below models/, a yml belongs to one model, or its name begins with _ (sources, shared docs)."""
    strays = [
        path
        for path in project.property_files
        if path.startswith("models/")
        and not (stem := path.rsplit("/", 1)[-1].removesuffix(".yml")).startswith("_")
        and stem not in project.models
    ]
    assert not strays, "\n".join(strays)


def test_tests_are_named(project: Project) -> None:
    violations = [v for document in project.property_files.values() for v in rules.tests_named(document)]
    assert not violations, "\n".join(violations)


def test_singular_tests_say_what_they_prevent() -> None:
    paths = sorted((rules.DBT / "tests" / "singular").rglob("*.sql"))
    assert paths
    violations = [v for path in paths for v in rules.singular_test(path.stem, path.read_text())]
    assert not violations, "\n".join(violations)


def test_seeds_are_described(project: Project) -> None:
    entries = {
        entry["name"]: entry for document in project.property_files.values() for entry in document.get("seeds") or []
    }
    violations = []
    for path in sorted((ROOT / "seeds").rglob("*.csv")):
        with path.open(newline="") as lines:
            violations += rules.seed_described(path.stem, next(csv.reader(lines)), entries.get(path.stem))
    assert not violations, "\n".join(violations)


def test_marts_contracts_are_enforced_by_folder() -> None:
    settings = yaml.safe_load((rules.DBT / "dbt_project.yml").read_text())["models"]["slt_warehouse"]
    assert settings["marts"]["+contract"] == {"enforced": True}
    assert settings["+materialized"] == "table"
    for layer in rules.LAYERS:
        assert settings[layer]["+tags"] == [layer]


@pytest.mark.parametrize("package", ["ingestion", "expectations"])
def test_packages_know_no_orchestrator(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    violations = [
        v
        for path in paths
        for v in rules.forbidden_imports(
            path.relative_to(ROOT).as_posix(), path.read_text(), ("dagster", "dagster_dbt", "dagster_project")
        )
    ]
    assert not violations, "\n".join(violations)


def test_the_reference_calculation_shares_no_code_with_the_warehouse() -> None:
    """The company's own books are the second opinion on every second and cent: no SQL, no warehouse."""
    paths = sorted((ROOT / "ingestion" / "demo").rglob("*.py"))
    assert paths
    violations = [
        v
        for path in paths
        for v in rules.forbidden_imports(
            path.name, path.read_text(), ("duckdb", "dbt", "sqlglot", "expectations", "dagster_project")
        )
    ]
    assert not violations, "\n".join(violations)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-bootstrap.lock"])
def test_locks_are_pinned_and_hold_no_address(name: str) -> None:
    violations = rules.lock_file(name, (ROOT / name).read_text())
    assert not violations, "\n".join(violations)


def test_every_dependency_is_locked() -> None:
    pyproject, lock = (ROOT / "pyproject.toml").read_text(), (ROOT / "requirements.lock").read_text()
    assert not rules.unlocked(pyproject, lock)


def test_no_file_names_one_machine() -> None:
    violations = []
    for name in tracked_files():
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue
        violations += rules.machine_traces(name, text)
    assert not violations, "\n".join(violations)


def test_data_is_not_in_the_repository() -> None:
    assert not [name for name in tracked_files() if name.startswith("data/")]
    assert "data/" in (ROOT / ".gitignore").read_text().splitlines()


def test_readme_names_only_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert named and named <= targets, named - targets


def test_readme_queries_name_what_exists(project: Project) -> None:
    """Each query of the README reads one mart, by its schema, and only columns the mart documents."""
    blocks = re.findall(r"```sql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    queries = [query for block in blocks for query in sqlglot.parse(block, read="duckdb") if query]
    assert queries
    for query in queries:
        (table,) = query.find_all(exp.Table)
        mart = project.models[table.name]
        assert (mart.layer, mart.topic) == ("marts", table.db), query.sql()
        given = {column["name"] for column in mart.columns} | {made.alias for made in query.find_all(exp.Alias)}
        assert {column.name for column in query.find_all(exp.Column)} - {"*"} <= given, query.sql()


# --- each rule can fail ---

GOOD_SQL = """
with

tickets as (
    select * from {{ ref('int_ticket') }}
),

final as (
    select
        ticket_key,
        {{ epoch_seconds('opened_at') }} as opened_seconds
    from tickets
)

select * from final
"""
GOOD_PROPERTIES: dict[str, Any] = {
    "description": "One row per ticket.",
    "meta": {"audiences": ["bi"]},
    "columns": [
        {
            "name": "ticket_key",
            "description": "k",
            "data_type": "varchar",
            "meta": {"classification": "public"},
        },
        {
            "name": "opened_seconds",
            "description": "s",
            "data_type": "bigint",
            "meta": {"classification": "public"},
        },
    ],
}
GOOD = make_model("fct_ticket", GOOD_SQL, layer="marts", topic="slt", properties=GOOD_PROPERTIES)
SMALL_PROJECT = Project(
    models={
        model.name: model
        for model in (
            GOOD,
            make_model("int_ticket", GOOD_SQL),
            make_model("stg_a__tickets", GOOD_SQL, layer="staging", topic="a"),
            make_model("fct_payout", GOOD_SQL, layer="marts", topic="incentives"),
        )
    },
    seeds=frozenset({"team"}),
    macros=frozenset({"epoch_seconds"}),
)


def mart(sql: str = GOOD_SQL, **changed: Any) -> Model:
    return make_model("fct_ticket", sql, layer="marts", topic="slt", properties={**GOOD_PROPERTIES, **changed})


def column(name: str, data_type: str, **more: Any) -> Model:
    return mart(columns=[{"name": name, "data_type": data_type, "description": "d", **more}])


def selecting(expression: str, relation: str = "{{ ref('int_ticket') }}") -> Model:
    sql = f"""
with

a as (
    select * from {relation}
),

b as (
    select {expression} as x from a
)

select * from b
"""
    return make_model("int_x", sql)


def test_a_good_model_breaks_no_rule() -> None:
    assert [violation for rule in MODEL_RULES for violation in rule(GOOD)] == []
    assert [violation for rule in PROJECT_RULES for violation in rule(GOOD, SMALL_PROJECT)] == []


@pytest.mark.parametrize(
    ("name", "layer", "topic", "because"),
    [
        ("incidents", "staging", "servicenow", "is named stg_servicenow__<entities>"),
        ("stg_datadog__incidents", "staging", "servicenow", "is named stg_servicenow__<entities>"),
        ("ticket", "core", "tickets", "begins with int_"),
        ("int_ticket", "marts", "slt", "a mart's name begins with"),
        ("fct_ticket", "marts", "sales", "is no domain"),
        ("fct_ticket", "reports", "slt", "is no layer"),
        ("int_ticket", "core", "", "put it in a folder"),
        ("int_Ticket", "core", "tickets", "lower case"),
    ],
)
def test_naming_refuses(name: str, layer: str, topic: str, because: str) -> None:
    refused(rules.naming(make_model(name, GOOD_SQL, layer=layer, topic=topic)), because)


@pytest.mark.parametrize(
    ("layer", "topic", "relation", "because"),
    [
        ("staging", "a", "{{ ref('int_ticket') }}", "a staging model reads a source"),
        ("staging", "a", "{{ ref('stg_a__tickets') }}", "staging may not read stg_a__tickets"),
        ("core", "x", "{{ source('raw_a', 'ticket') }}", "reads a source directly"),
        ("core", "x", "{{ ref('fct_ticket') }}", "core may not read fct_ticket of marts"),
        ("core", "x", "{{ ref('stg_a__tickets') }} cross join {{ source('raw_a', 'b') }}", "(raw_a__b)"),
        ("marts", "slt", "{{ source('landing', 'extract_batch') }}", "reads a source directly"),
        ("marts", "slt", "{{ ref('stg_a__tickets') }}", "marts may not read stg_a__tickets of staging"),
        ("marts", "slt", "{{ source('raw_a', 'ticket') }}", "reads a source directly"),
        ("marts", "slt", "{{ ref('fct_payout') }}", "downstream"),
        ("core", "x", "{{ ref('nowhere') }}", "neither a model nor a seed"),
    ],
)
def test_layering_refuses(layer: str, topic: str, relation: str, because: str) -> None:
    model = make_model("any", selecting("1", relation).sql, layer=layer, topic=topic)
    refused(rules.layering(model, SMALL_PROJECT), because)


def test_layering_opens_two_doors() -> None:
    audit = selecting("1", "{{ source('landing', 'extract_batch') }}")
    assert not rules.layering(audit, SMALL_PROJECT)
    for relation in ("{{ ref('stg_a__tickets') }}", "{{ source('a', 'ticket') }}"):
        received = selecting("1", relation).sql
        assert not rules.layering(make_model("rec_a_to_b", received, layer="marts", topic="finance"), SMALL_PROJECT)


def test_tables_by_reference_refuses_a_table_in_the_text() -> None:
    refused(rules.tables_by_reference(selecting("1", "raw_servicenow.incident")), "raw_servicenow.incident")
    refused(rules.tables_by_reference(selecting("1", "incident")), "incident")


@pytest.mark.parametrize(
    ("sql", "because"),
    [
        ("select * from {{ ref('int_ticket') }}", "begins with its imports"),
        (GOOD_SQL.replace("select * from final", "select ticket_key from final"), "ends with"),
        (GOOD_SQL.replace("select * from final", "select * from tickets"), "ends with"),
        (GOOD_SQL.replace("from tickets", "from tickets, {{ ref('team') }}"), "does more than select"),
        (
            selecting("1").sql.replace("with", "with z as (select 1 as x),", 1),
            "imports come first",
        ),
    ],
)
def test_shape_refuses(sql: str, because: str) -> None:
    refused(rules.shape(make_model("int_x", sql)), because)


def test_parses_refuses_a_missing_comma() -> None:
    refused(
        rules.parses(make_model("int_x", GOOD_SQL.replace("),\n\nfinal", ")\n\nfinal"))),
        "cannot be parsed near",
    )


def test_lower_case_refuses_capitals_but_not_in_text() -> None:
    refused(rules.lower_case(make_model("int_x", GOOD_SQL.replace("select", "SELECT"))), "SELECT")
    assert not rules.lower_case(selecting("'OK'"))


@pytest.mark.parametrize(
    ("expression", "because"),
    [
        ("strptime(a.t, '%d/%m/%Y')", "strptime()"),
        ("epoch(a.t)", "epoch()"),
        ("date_diff('day', a.x, a.y)", "date_diff()"),
        ("list_sort(a.x)", "list_sort()"),
        ("string_agg(a.x, ',')", "string_agg()"),
        ("a.x / a.y", "`/`"),
        ("a.x // a.y", "`//`"),
        ("avg(a.x)", "avg()"),
        ("a.t + interval 1 day", "interval"),
        ("[1, 2]", "list literal"),
        ("{'k': a.x}", "struct literal"),
        ("a.j ->> '$.k'", "JSON access"),
        ("a.t at time zone 'UTC'", "time zone"),
        ('a."x"', "quoted name"),
    ],
)
def test_portable_refuses(expression: str, because: str) -> None:
    refused(rules.portable(selecting(expression), SMALL_PROJECT), because)


def test_portable_lets_macros_and_standard_sql_pass() -> None:
    expression = "sum({{ epoch_seconds('a.t') }}) filter (where a.x in (1, 2)) over (partition by a.k)"
    assert not rules.portable(selecting(expression), SMALL_PROJECT)


def test_no_floats_refuses_casts_and_columns() -> None:
    refused(rules.no_floats(selecting("cast(a.x as double)")), "double")
    refused(rules.no_floats(selecting("a.x::float")), "casts to")
    refused(rules.no_floats(column("payout_amount", "double")), "payout_amount: double")


def test_documented_refuses_gaps() -> None:
    refused(rules.documented(make_model("int_x", GOOD_SQL)), "describes nothing")
    refused(rules.documented(mart(description=" ")), "no description")
    refused(rules.documented(mart(columns=[])), "no column is documented")
    refused(rules.documented(mart(columns=[{"name": "ticket_key"}])), "fct_ticket.ticket_key: no description")
    refused(
        rules.documented(mart(columns=[{"name": "ticket_key", "description": "k"}])),
        "opened_seconds: given by",
    )
    unknown = [*GOOD_PROPERTIES["columns"], {"name": "colour", "description": "c"}]
    refused(rules.documented(mart(columns=unknown)), "colour: documented, not given")
    refused(rules.documented(mart(columns=GOOD_PROPERTIES["columns"] * 2)), "documented twice")


def test_explicit_columns_refuses_a_star() -> None:
    starred = GOOD_SQL.replace("ticket_key,", "tickets.*,")
    refused(rules.explicit_columns(mart(starred)), "without *")


def test_mart_contract_refuses_gaps() -> None:
    refused(rules.mart_contract(mart(meta={})), "meta.audiences is None")
    refused(rules.mart_contract(mart(meta={"audiences": ["everybody"]})), "everybody")
    refused(rules.mart_contract(column("ticket_key", "varchar")), "meta.classification is None")
    refused(rules.mart_contract(column("ticket_key", "varchar", meta={"classification": "secret"})), "secret")
    refused(rules.mart_contract(column("ticket_key", "", meta={"classification": "public"})), "needs data_type")
    refused(rules.mart_contract(mart(config={"contract": {"enforced": False}})), "switched off")


def test_private_names_refuses_a_public_person() -> None:
    public = {"meta": {"classification": "public"}, "description": "d"}
    refused(rules.private_names(column("employee_number", "varchar", **public)), "leads to a person")
    refused(rules.private_names(column("payout_amount", "decimal(18,2)", **public)), "a public amount")
    assert not rules.private_names(column("payout_share", "decimal(18,6)", **public))
    assert not rules.private_names(column("payout_amount", "decimal(18,2)", meta={"classification": "pay"}))


@pytest.mark.parametrize(
    ("name", "data_type", "because"),
    [
        ("opened_at", "varchar", "_at and TIMESTAMP"),
        ("opened", "timestamp", "_at and TIMESTAMP"),
        ("opened_at", "timestamp with time zone", "without zone"),
        ("paid", "date", "ends with _on"),
        ("paid_on", "timestamp", "_on is a DATE"),
        ("breached", "boolean", "BOOLEAN"),
        ("is_breached", "varchar", "BOOLEAN"),
        ("duration", "bigint", "without a unit"),
        ("payout_amount", "decimal(18,4)", "money is DECIMAL(18,2)"),
        ("used_share", "bigint", "a share is a DECIMAL"),
        ("net_seconds", "decimal(18,2)", "whole numbers"),
    ],
)
def test_column_names_refuses(name: str, data_type: str, because: str) -> None:
    refused(rules.column_names(column(name, data_type)), because)


def test_money_has_currency_refuses_a_bare_amount() -> None:
    refused(rules.money_has_currency(column("payout_amount", "decimal(18,2)")), "currency_code")


def test_tests_named_refuses() -> None:
    def judged(test: Any) -> list[str]:
        return rules.tests_named({"models": [{"name": "m", "columns": [{"name": "c", "data_tests": [test]}]}]})

    refused(judged("not_null"), "m.c: test not_null has no name")
    refused(judged({"accepted_values": {"values": [1]}}), "test accepted_values has no name")
    assert not judged({"not_null": {"name": "m_c_is_given"}})
    assert not judged({"name": "m_c_is_given", "test_name": "not_null"})
    assert not judged({"unique": {"config": {"where": "x"}}, "name": "m_c_once"})
    refused(rules.tests_named({"unit_tests": [{"name": "u", "model": "m"}]}), "does not say what it guards")


def test_singular_test_refuses() -> None:
    refused(rules.singular_test("totals", "-- why\nselect 1"), "assert_<invariant>")
    refused(rules.singular_test("assert_totals", "select 1"), "names the failure")
    refused(rules.singular_test("assert_totals", "-- why\nselect {{ ref('a') }}, {{ ref('b') }}"), "meta.dagster.ref")


def test_seed_described_refuses() -> None:
    refused(rules.seed_described("team", ["a"], None), "without a description")
    entry = {"name": "team", "description": "d", "columns": [{"name": "b", "description": "d"}]}
    refused(rules.seed_described("team", ["a"], entry), "team.a: no description")
    refused(rules.seed_described("team", ["a"], entry), "team.b: described, not in the file")


@pytest.mark.parametrize(
    "source",
    [
        "import dagster",
        "from dagster import asset",
        "def f():\n    import dagster.core",
        "import dagster as d",
    ],
)
def test_forbidden_imports_refuses(source: str) -> None:
    assert rules.forbidden_imports("x.py", source, ("dagster",))


def test_forbidden_imports_reads_code_not_text() -> None:
    assert not rules.forbidden_imports("x.py", '"""import dagster"""\nimport dagsterish\n', ("dagster",))


@pytest.mark.parametrize(
    ("entry", "because"),
    [
        ("a>=1 --hash=sha256:0", "not pinned"),
        ("a==1", "without a hash"),
        ("--index-url somewhere", "an address"),
        ("a @ file:///x", "an address"),
        ("-e .", "an address"),
        ("a @ https" + "://example.org/a.whl", "an address"),
    ],
)
def test_lock_file_refuses(entry: str, because: str) -> None:
    refused(rules.lock_file("x.lock", f"b==2 \\\n    --hash=sha256:0\n{entry}\n"), because)


def test_unlocked_finds_what_is_missing() -> None:
    pyproject = '[project]\ndependencies = ["A_b[x]>=1"]\n[project.optional-dependencies]\ndev = ["c"]\n'
    assert rules.unlocked(pyproject, "a-b==1 \\\n") == ["c: asked for in pyproject.toml, not in requirements.lock"]


@pytest.mark.parametrize("parts", [("/wo", "rk/x"), ("/ho", "me/me/x"), ("pypi", ".org"), ("<<<<", "<<< HEAD")])
def test_machine_traces_refuses(parts: tuple[str, str]) -> None:
    assert rules.machine_traces("x", "first\n" + "".join(parts))


def test_rendering_reports_what_it_cannot_render() -> None:
    with pytest.raises(ValueError, match=r"model\.sql"):
        rules.render("select {{ 1 +")


def test_layering_rule_sees_references_inside_macros() -> None:
    sql = selecting("{{ epoch_seconds(ref('fct_ticket')) }}").sql
    refused(partial(rules.layering, project=SMALL_PROJECT)(make_model("int_x", sql)), "fct_ticket")

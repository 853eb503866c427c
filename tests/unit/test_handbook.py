"""The handbook against the seeds: every definition version and every plan version with the parameters it has there.

The seeds are loaded as they are and judged by the real models; what the demonstration company measures is left out.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.model_sql import model_sql
from dagster_project.lib.handbook import QUERIES, Handbook, read_handbook, render, told
from tests.declared import seed_types
from tests.governance import ROOT, SEEDS, fill, open_engine

MORE_SEEDS = ("metric_entity_type", "metric_filter", "metric_weight", "metric_measure", "metric_freeze")
RELATIONS = sorted({name for query in QUERIES.values() for name in re.findall(r"from (\w+\.\w+)", query)})
VERSIONS = "metric_code", "metric_version"
PLANS = "plan_code", "plan_version"


def seed(name: str) -> list[dict[str, str]]:
    (path,) = (ROOT / "seeds").rglob(f"{name}.csv")
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """The seeds as loaded, the models that judge them, under the names the warehouse has them by."""
    with open_engine() as connection:
        for name in set(MORE_SEEDS) - set(SEEDS):
            columns = ", ".join(f'"{column}" {kind}' for column, kind in seed_types()[name].items())
            connection.execute(f"create table {name} ({columns})")
        for name in {*SEEDS, *MORE_SEEDS}:
            fill(connection, name, [{key: value or None for key, value in row.items()} for row in seed(name)])
        connection.execute("insert into int_run_context values ('r', timestamp '2026-01-05 00:00:00', 'fixed')")
        connection.execute("alter table fct_metric_result add column freeze_status varchar")
        connection.execute("alter table fct_metric_result add column period_end_on date")
        for model in ("int_metric_freeze", "rpt_metric_freeze"):
            connection.execute(f"create view {model} as {model_sql(model)}")
        for schema in ("reference", "core", "governance"):
            connection.execute(f"create schema {schema}")
        for relation in [*RELATIONS, "core.int_run_context"]:
            connection.execute(f"create view {relation} as select * from main.{relation.partition('.')[2]}")
        yield connection


@pytest.fixture(scope="module")
def book(engine: duckdb.DuckDBPyConnection) -> Handbook:
    return read_handbook(engine)


@pytest.fixture(scope="module")
def text(book: Handbook) -> str:
    return render(book)


def sections(text: str, heading: str) -> dict[tuple[str, str], str]:
    """What stands under each heading `<heading> code version n: name`, by (code, n)."""
    pattern = rf"^{heading} (\w+) version (\d+): .*?(?=^#{{1,{len(heading)}}} |\Z)"
    found = [(match[1], match[2], match[0]) for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL)]
    assert len({part[:2] for part in found}) == len(found), "a version is told twice"
    return {(code, number): section for code, number, section in found}


def tables(section: str) -> list[list[list[str]]]:
    """The Markdown tables of a section as rows of cells, the heading first."""
    found = re.findall(r"(?:^\|.*\n)+", section + "\n", re.MULTILINE)
    return [
        [
            [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for number, line in enumerate(block.splitlines())
            if number != 1
        ]
        for block in found
    ]


def table_under(section: str, *names: str) -> list[list[str]]:
    """The rows of the table with these first column names; none when there is no such table."""
    return next((found[1:] for found in tables(section) if found[0][: len(names)] == list(names)), [])


def plain(value: str) -> str:
    """A seed's cell as the handbook writes it: numbers without trailing zeros, truth in words."""
    try:
        return f"{Decimal(value).normalize():f}"
    except InvalidOperation:
        return {"true": "yes", "false": "no"}.get(value, value)


def same(seeded: dict[str, str]) -> dict[str, str]:
    return {name: plain(value) for name, value in seeded.items()}


@pytest.mark.requirement("OPS-8.6")
@pytest.mark.requirement("DESK-5.2")
def test_every_definition_version_has_the_parameters_of_its_seed(text: str) -> None:
    told_versions = {
        key: {name: plain(value) for name, value in table_under(section, "parameter", "value")}
        for key, section in sections(text, "###").items()
    }
    assert told_versions == {tuple(row[name] for name in VERSIONS): same(row) for row in seed("metric_definition")}


@pytest.mark.requirement("OPS-8.6")
@pytest.mark.requirement("DESK-5.2")
@pytest.mark.parametrize(
    ("seed_name", "columns"),
    [
        ("metric_entity_type", ("entity type",)),
        ("metric_filter", ("filter on", "dimension", "values", "excluded")),
        ("metric_weight", ("weight by", "value", "weight")),
    ],
)
def test_every_side_table_of_a_version_is_told(text: str, seed_name: str, columns: tuple[str, ...]) -> None:
    found = {
        (*key, *(plain(cell) for cell in row))
        for key, section in sections(text, "###").items()
        for row in table_under(section, *columns)
    }
    assert found == {tuple(plain(value) for value in row.values()) for row in seed(seed_name)}


@pytest.mark.requirement("OPS-8.6")
@pytest.mark.requirement("DESK-5.2")
def test_every_plan_version_has_its_parameters_components_bands_and_clauses(text: str) -> None:
    found = sections(text, "##")
    parameters = {
        key: {name: plain(value) for name, value in table_under(part, "parameter")} for key, part in found.items()
    }
    assert parameters == {tuple(row[name] for name in PLANS): same(row) for row in seed("incentive_plan")}
    for seed_name, first in (("plan_component", "tier"), ("achievement_band", "component"), ("plan_clause", "clause")):
        rows = {
            (*key, *(plain(cell) for cell in row)) for key, part in found.items() for row in table_under(part, first)
        }
        assert rows == {tuple(plain(value) for value in row.values()) for row in seed(seed_name)}, seed_name
    rules = (("counter_gate", "held in check", 3), ("eligibility_rule", "condition", 2))
    for seed_name, first, place in (*rules, ("disqualification_rule", "disqualified by", 2)):
        told = {(*key, plain(row[0]), row[-1]) for key, part in found.items() for row in table_under(part, first)}
        assert told == {
            (*list(row.values())[:2], list(row.values())[place], row["description"]) for row in seed(seed_name)
        }, seed_name


@pytest.mark.requirement("OPS-8.6")
def test_it_says_what_is_in_force_was_and_is_only_proposed(text: str) -> None:
    found = sections(text, "###")
    assert "was in force from 2024-07-01 to 2024-12-31." in found["slt_attainment", "1"]
    assert "Status: in force from 2025-01-01." in found["slt_attainment", "2"]
    assert "proposed, not in force: quorum_not_reached, function_missing" in found["slt_attainment", "3"]
    assert "Measured for 90 days without effect, then phased in over 90 days." in found["mean_resolution", "1"]
    assert "each weighed by its priority" in found["impact_weighted_resolution", "1"]


@pytest.mark.requirement("OPS-8.6")
def test_every_request_vote_freeze_and_weight_adjustment_is_told(text: str, engine: Any) -> None:
    cells = [row[0] for found in tables(text) for row in found]
    votes = engine.execute("select change_request_id from int_metric_vote").fetchall()
    known = {row["change_request_id"] for row in seed("metric_change_request")}
    assert len(votes) > 100
    for (request,) in votes:
        assert request in known
    for request in known:
        # once as a change, once per vote and per sign-off
        counted = engine.execute(
            "select (select count(*) from int_metric_vote where change_request_id = $1) + (select count(*) from "
            "int_governance_approval where register_code = 'metric_change_request' and register_id = $1)",
            [request],
        ).fetchone()[0]
        assert cells.count(request) == 1 + counted, request
    for row in seed("metric_freeze"):
        assert cells.count(row["freeze_id"]) == 1
    for row in seed("weight_adjustment_component"):
        assert row["adjustment_id"] in cells


def test_nobody_is_named_and_the_same_warehouse_gives_the_same_text(text: str, engine: Any) -> None:
    assert not re.findall(r"\b[eg]\d{4}\b", text), "people are told by function"
    assert render(read_handbook(engine)) == text


def test_a_bar_or_a_line_break_in_a_text_does_not_break_its_table() -> None:
    assert told("a|b\nc") == "a\\|b c"
    assert told(Decimal("100.0000")) == "100"
    assert told(None) == ""


def test_the_command_writes_it(engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    from dagster_project.cli import main

    path = tmp_path / "warehouse.duckdb"
    engine.execute(f"attach '{path}' as built")
    for relation in [*RELATIONS, "core.int_run_context"]:
        engine.execute(f"create schema if not exists built.{relation.partition('.')[0]}")
        engine.execute(f"create or replace table built.{relation} as select * from {relation}")
    engine.execute("detach built")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAREHOUSE_PATH", str(path))
    assert main(["handbook"]) == 0
    written = (tmp_path / "docs" / "handbook.md").read_text()
    assert written == render(read_handbook(engine))
    versions, plans = seed("metric_definition"), seed("incentive_plan")
    figure = f"{len(versions)} versions of {len({row['metric_code'] for row in versions})} metrics"
    assert capfd.readouterr().out.startswith(f"handbook: {figure} and {len(plans)} plan versions in ")
    assert main(["handbook", "--out", "missing/book.md"]) == 2
    assert "cannot be written" in capfd.readouterr().err

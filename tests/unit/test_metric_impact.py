"""The effect of a proposal as the command tells it: a small company judged by the real models, no demonstration needed.

Version 3 of metric m waits for its votes. Team t1 had 1 in both quarters and is paid the whole of component a (weight
0.8 in the first quarter, moved there by an adjustment, 0.5 in the second); below 0.9 it would be paid a quarter of it.
"""

# ruff: noqa: E501 (the worlds stand one row a line)

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest

from dagster_project.cli import main
from dagster_project.lib.commands import SOURCE_VARIABLES
from tests.governance import fill, open_engine
from tests.unit.test_governance_gates import RULES, WORLD, seed_rows, table

PROPOSED = {
    "metric_definition": WORLD["metric_definition"] + "    m | 3 | 2026-01-01 | | | \n        n | 1 | 2024-07-01 | | | \n",
    "achievement_band": """
        plan_code | plan_version | component_code | band_number | lower_bound | payout_share
        p | 1 | a | 1 | 0 | 0.25
        p | 1 | a | 2 | 0.9 | 1
        p | 1 | b | 1 | 0 | 0.5
    """,
    "fct_metric_replay": """
        metric_code | metric_version | entity_type | entity_code | period_grain | period_start_on | period_end_on | metric_value | sample_count | result_status | unit | direction | result_kind
        m | 2 | team | t1 | quarter | 2025-01-01 | 2025-04-01 | 1 | 40 | ok | share | higher_is_better | in_force
        m | 2 | team | t1 | quarter | 2025-04-01 | 2025-07-01 | 1 | 40 | ok | share | higher_is_better | in_force
        m | 3 | team | t1 | quarter | 2025-01-01 | 2025-04-01 | 0.8 | 20 | ok | share | higher_is_better | replayed
        m | 3 | team | t1 | quarter | 2025-04-01 | 2025-07-01 | | 4 | insufficient_data | share | higher_is_better | replayed
        m | 3 | team | t<2> | quarter | 2025-04-01 | 2025-07-01 | 0.5 | 30 | ok | share | higher_is_better | replayed
    """,
    "int_metric_output": "output_name | schema_name\nfct_incentive_payout | incentives\nmart_metric_result | metrics",
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company's warehouse, with what the command reads."""
    path = tmp_path_factory.mktemp("impact") / "warehouse.duckdb"
    with open_engine() as engine:
        for name in RULES:
            fill(engine, name, seed_rows(name))
        for name, text in (WORLD | PROPOSED).items():
            fill(engine, name, table(text))
        engine.execute(f"attach '{path}' as built")
        for schema, name in (("governance", "rpt_metric_change_impact"), ("core", "int_metric_activation")):
            engine.execute(f"create schema built.{schema}")
            engine.execute(f"create table built.{schema}.{name} as select * from {name}")
    return path


@pytest.fixture(autouse=True)
def in_an_empty_folder(warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SOURCE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAREHOUSE_PATH", str(warehouse))
    monkeypatch.setenv("PUBLISH_PATH", str(tmp_path / "published"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))


def impact(*arguments: str) -> int:
    return main(["metric-impact", *arguments])


@pytest.mark.requirement("OPS-4.5")
def test_the_table_says_what_each_team_would_lose(capfd: Any) -> None:
    # 100.00 x 0.8 whole, then a quarter of it: 80.00 and 20.00; 100.00 x 0.5 whole, then nothing on four tickets
    assert impact("--metric", "m", "--version", "3") == 0
    shown = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert ["t1", "2025-Q1", "2", "1.0000", "0.8000", "-0.2000", "1", "EUR", "80.00", "20.00", "-60.00"] in shown
    assert ["t1", "2025-Q2", "2", "1.0000", "insufficient_data", "1", "EUR", "50.00", "0.00", "-50.00"] in shown
    assert ["t<2>", "2025-Q2", "no", "version", "0.5000", "0"] in shown
    assert ["in", "all", "EUR", "130.00", "20.00", "-110.00"] in shown


@pytest.mark.requirement("OPS-4.5")
def test_it_says_what_stands_downstream_and_what_the_gates_miss(capfd: Any) -> None:
    assert impact("--metric", "m", "--version", "3") == 0
    out = capfd.readouterr().out
    assert "gates still miss: request_missing" in out
    assert "plan components paid by it: p version 1 tier 1 a\n" in out
    assert "2 models built from results: fct_incentive_payout, mart_metric_result" in out
    assert out.splitlines()[-1] == ("metric-impact: 3 of 3 results of m differ under version 3, pay -110.00 EUR")


def test_the_csv_holds_every_line_of_the_mart(tmp_path: Path, warehouse: Path, capfd: Any) -> None:
    path = tmp_path / "impact.csv"
    assert impact("--metric", "m", "--version", "3", "--csv", str(path)) == 0
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select * from governance.rpt_metric_change_impact order by team_code, period_start_on"
        )
        names = [column[0] for column in found.description or ()]
        expected = [
            {name: "" if value is None else str(value) for name, value in zip(names, row, strict=True)}
            for row in found.fetchall()
        ]
    assert rows == expected
    assert len(rows) == 3
    assert path.stat().st_mode & 0o077 == 0, "the file holds pay: it is for its owner alone"


def test_the_picture_has_a_mark_for_every_value_and_is_the_same_each_time(tmp_path: Path, capfd: Any) -> None:
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    for path in (first, second):
        assert impact("--metric", "m", "--version", "3", "--plot", str(path)) == 0
    assert first.read_bytes() == second.read_bytes()
    drawn = ElementTree.fromstring(first.read_text())
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in drawn.iter(f"{space}text")]
    assert "t1 2025-Q1" in texts
    assert "t<2> 2025-Q2" in texts
    assert "-60.00 EUR" in texts
    assert "insufficient_data" in texts
    rings = [circle for circle in drawn.iter(f"{space}circle") if circle.get("fill") == "white"]
    discs = [circle for circle in drawn.iter(f"{space}circle") if circle.get("fill") != "white"]
    assert (len(rings), len(discs)) == (1 + 2, 1 + 2), "the legend's own, and one per value"
    # 0.8 lies between 0.5 and 1, left of the ring of its own quarter
    across = {circle.get("cx") for circle in discs[1:]}
    assert len(across) == 2


@pytest.mark.parametrize(
    ("metric", "version", "message"),
    [
        ("nope", "1", "no metric 'nope'; there are m, n"),
        ("m", "9", "m has no version 9; there are 1, 2, 3"),
        ("m", "2", "m version 2 is no proposal, it holds from 2025-01-01; proposals to compare: m 3"),
        ("n", "1", "n version 1 measures no team, or no quarter has ended"),
    ],
)
def test_what_cannot_be_compared_is_said(capfd: Any, metric: str, version: str, message: str) -> None:
    assert impact("--metric", metric, "--version", version) == 2
    assert message in capfd.readouterr().err


@pytest.mark.parametrize("option", ["--csv", "--plot"])
def test_a_file_that_cannot_be_written(capfd: Any, option: str) -> None:
    assert impact("--metric", "m", "--version", "3", option, "missing/file") == 2
    assert "missing/file cannot be written: No such file or directory" in capfd.readouterr().err


@pytest.mark.parametrize("command", [("metric-impact", "--metric", "m", "--version", "3"), ("handbook",)])
def test_without_a_warehouse(capfd: Any, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.setenv("WAREHOUSE_PATH", str(Path("none.duckdb").absolute()))
    assert main(list(command)) == 2
    assert "none.duckdb does not exist: run `sltw demo` or `sltw run` first" in capfd.readouterr().err
    assert not Path("none.duckdb").exists()


@pytest.mark.parametrize("command", [("metric-impact", "--metric", "m", "--version", "3"), ("handbook",)])
def test_a_warehouse_built_before_there_was_such_a_mart(
    capfd: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    old = tmp_path / "old.duckdb"
    duckdb.connect(str(old)).close()
    monkeypatch.setenv("WAREHOUSE_PATH", str(old))
    assert main(list(command)) == 2
    assert "build it again with `sltw run`" in capfd.readouterr().err


def test_a_version_that_is_no_number(capfd: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        impact("--metric", "m", "--version", "next")
    assert ended.value.code == 2
    assert "invalid int value" in capfd.readouterr().err

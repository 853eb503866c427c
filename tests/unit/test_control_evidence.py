"""What a gate gave is kept in the warehouse, every time and for every check: it is the evidence of a control."""

from __future__ import annotations

import duckdb
import pytest

from dagster_project.lib.control_evidence import outcome_word, record_gate, write_gate_checks
from expectations.outcomes import GateResult, Outcome
from expectations.runner import GATES, list_checks
from ingestion.landing import prepare
from ingestion.settings import Settings


def outcome(name: str, **more: object) -> Outcome:
    shared = {
        "check_name": name,
        "table": "slt.t",
        "expectation_type": "x",
        "severity": "block",
        "success": True,
        "is_skipped": False,
        "skip_reason": None,
        "observed": None,
        "element_count": 9,
        "unexpected_count": 0,
        "examples": [],
        "description": "d",
        "how_to_mend": "m",
    }
    return Outcome(**{**shared, **more})  # type: ignore[arg-type]


CASES = [
    (outcome("a"), "passed"),
    (outcome("b", success=False, unexpected_count=2), "failed"),
    (outcome("c", success=False, severity="warn", unexpected_count=3), "warned"),
    (outcome("d", is_skipped=True, skip_reason="absent"), "skipped"),
    (outcome("e", success=False, error="no such table", unexpected_count=None), "not_judged"),
]


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "warehouse.duckdb"))
    return Settings.from_env()


@pytest.mark.parametrize(("given", "word"), CASES, ids=[word for _, word in CASES])
def test_an_outcome_is_one_word(given: Outcome, word: str) -> None:
    assert outcome_word(given) == word


@pytest.mark.requirement("OPS-2.1")
def test_every_run_of_a_gate_is_kept(settings: Settings) -> None:
    result = GateResult("marts", [given for given, _ in CASES], 0.1)
    record_gate(settings, result, "first")
    record_gate(settings, result, "second")
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        kept = connection.sql(
            "select run_id, check_name, outcome, failing_row_count from landing.gate_outcome order by judged_at, 2"
        ).fetchall()
    expected = [(given.check_name, word, given.unexpected_count) for given, word in CASES]
    assert kept == [(run, *row) for run in ("first", "second") for row in expected]


def test_the_checks_there_are_replace_those_there_were(settings: Settings) -> None:
    prepare(settings)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("insert into landing.gate_check values ('marts', 'gone', 'slt.t', 'block', 'was')")
    write_gate_checks(settings)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        kept = set(connection.sql("select gate, check_name from landing.gate_check").fetchall())
    assert kept == {(gate, spec.check_name) for gate in GATES for spec in list_checks(gate)}

"""Availability from samples in the demonstration company's warehouse: planted facts are found, gates refuse defects."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.outcomes import describe
from expectations.runner import run_gate
from expectations.suites import marts_availability
from ingestion.demo.monitor_samples import FACTS

pytestmark = pytest.mark.slow

DETAILS = {code: detail for code, _, detail in FACTS}
SPECS = {spec.check_name: spec for spec in marts_availability.checks()}


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("code", [code for code, detail in DETAILS.items() if "day_on" in detail])
def test_what_a_monitor_did_on_its_day_is_found(warehouse: duckdb.DuckDBPyConnection, code: str) -> None:
    fact = DETAILS[code]
    row = warehouse.execute(
        """
        select
            (select sum(up_seconds) from core.int_monitor_bucket where monitor_id = $1 and bucket_at::date = $2),
            (select sum(down_seconds) from core.int_monitor_bucket where monitor_id = $1 and bucket_at::date = $2),
            (select sum(unknown_seconds) from core.int_monitor_bucket where monitor_id = $1 and bucket_at::date = $2),
            (select sum(expected_count - sample_count) from core.int_monitor_bucket
                where monitor_id = $1 and bucket_at::date = $2),
            (select sum(state_change_count) from core.int_monitor_hour where monitor_id = $1 and hour_at::date = $2),
            (select sum(bit_count(disputed_bits)) from core.int_monitor_hour
                where monitor_id = $1 and hour_at::date = $2),
            (select sum(duplicate_count) from core.int_sample_clock where monitor_id = $1 and sampled_on = $2)
        """,
        [fact["monitor_id"], fact["day_on"]],
    ).fetchone()
    names = (
        "up_seconds",
        "down_seconds",
        "unknown_seconds",
        "missing_count",
        "state_change_count",
        "disputed_count",
        "duplicate_count",
    )
    found = dict(zip(names, row or (), strict=True))
    assert {name: found[name] for name in names if name in fact} == {n: fact[n] for n in names if n in fact}


def test_the_review_queue_holds_the_planted_troubles_and_no_others(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert warehouse.execute(
        "select monitor_id, finding_code, count(*), sum(finding_count) from slt.rpt_monitor_review group by all "
        "order by all"
    ).fetchall() == [
        ("checkout-probe", "suspected_false_positive", 1, 6),
        # the log's silence, its import that failed while requests were answered, the test that fails from one place
        ("erp-logs", "missing_points", 1, 24),
        ("erp-logs", "suspected_false_positive", 1, 1),
        # three days on which nobody used the portal
        ("hr-portal-users", "missing_points", 3, 264),
        ("identity-probe", "duplicates", 1, 60),
        ("identity-probe", "flapping", 1, 20),
        ("identity-probe", "missing_points", 2, 170),
        ("telephony-synthetic", "suspected_false_positive", 1, 2),
        ("vpn-users", "skewed_clock", 14, 4032),
    ]


def test_a_clock_that_is_ahead_is_measured_and_the_outage_put_back(warehouse: duckdb.DuckDBPyConnection) -> None:
    fact = DETAILS["sample_clock_ahead"]
    assert warehouse.execute(
        "select distinct median_delay_seconds, correction_seconds from core.int_sample_clock where monitor_id = ?",
        [fact["monitor_id"]],
    ).fetchall() == [(fact["median_delay_seconds"], fact["median_delay_seconds"])]
    assert warehouse.execute(
        "select min(bucket_at)::varchar, max(bucket_at + interval 5 minute)::varchar, sum(down_seconds) "
        "from core.int_monitor_bucket where monitor_id = ? and down_seconds > 0",
        [fact["monitor_id"]],
    ).fetchone() == (fact["down_from"], fact["down_to"], 1800)


def test_blind_spots_and_late_monitors_are_found(warehouse: duckdb.DuckDBPyConnection) -> None:
    blind, late = DETAILS["monitoring_blind_spot"], DETAILS["monitor_created_after_go_live"]
    rows = warehouse.execute(
        "select distinct service_code, sample_kind from slt.fct_monitoring_coverage where is_blind_spot"
    ).fetchall()
    assert rows == [(blind["service_code"], blind["sample_kind"])]
    rows = warehouse.execute(
        "select service_code, sum(unmonitored_seconds) from slt.fct_monitoring_coverage "
        "where not is_monitored_from_go_live and not is_blind_spot group by 1"
    ).fetchall()
    assert rows == [(late["service_code"], late["unmonitored_seconds"])]


def test_the_coarse_probe_misses_what_was_planted(warehouse: duckdb.DuckDBPyConnection) -> None:
    fact = DETAILS["sample_outage_missed_by_coarse_interval"]
    assert warehouse.execute(
        "select finer_monitor_id, measured_error_seconds, recommendation from slt.rpt_sampling_error "
        "where monitor_id = ?",
        [fact["coarse_monitor_id"]],
    ).fetchone() == (fact["monitor_id"], -fact["missed_seconds"], "poll_faster")
    assert warehouse.execute(
        "select monitor_id from slt.rpt_sampling_error where recommendation = 'stream'"
    ).fetchall() == [("checkout-probe",)]


def test_days_on_which_clocks_change_have_23_or_25_hours(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert warehouse.execute(
        """
        select service_code, bucket_start_local_at::date::varchar, calendar_seconds,
            up_seconds + down_seconds + unknown_seconds
        from slt.fct_availability_rollup
        where granularity_code = 'day' and calendar_seconds <> 86400 order by all
        """
    ).fetchall() == [
        ("checkout", "2025-11-02", 90_000, 90_000),
        ("orders", "2025-11-02", 90_000, 90_000),
        ("vpn", "2025-10-26", 90_000, 90_000),
    ]


@pytest.fixture(scope="module")
def copy(demo_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("availability")
    return Path(shutil.copy(demo_warehouse.warehouse_path, folder / "warehouse.duckdb"))


DEFECTS = {
    "fct_availability_rollup_granularities_tell_the_same": [
        "update slt.fct_availability_rollup set up_seconds = up_seconds - 1 where granularity_code = 'week'"
    ],
    "fct_availability_rollup_seconds_fit_the_calendar": [
        "update slt.fct_availability_rollup set calendar_seconds = 82800 where calendar_seconds = 90000"
    ],
    "fct_monitoring_coverage_every_second_has_a_reason": [
        "update slt.fct_monitoring_coverage set gap_seconds = gap_seconds + 1 where service_code = 'identity'"
    ],
}


def test_every_check_has_a_defect() -> None:
    assert set(DEFECTS) == set(SPECS)


@pytest.mark.parametrize("name", DEFECTS)
def test_each_check_passes_clean_and_refuses_its_defect(copy: Path, name: str) -> None:
    def judge() -> Any:
        (outcome,) = run_gate("marts", copy, specs=[SPECS[name]]).outcomes
        assert not outcome.is_skipped and not outcome.error, outcome
        return outcome

    assert judge().success
    table = SPECS[name].table
    with duckdb.connect(str(copy)) as connection:
        connection.execute(f"create table landing.kept as select * from {table}")
        for statement in DEFECTS[name]:
            connection.execute(statement)
    try:
        outcome = judge()
        assert not outcome.success and outcome.unexpected_count, outcome
        assert table in describe(outcome)
    finally:
        with duckdb.connect(str(copy)) as connection:
            connection.execute(f"create or replace table {table} as select * from landing.kept")
            connection.execute("drop table landing.kept")

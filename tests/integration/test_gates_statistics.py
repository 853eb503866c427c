"""Gate marts on statistics and planning: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_statistics import (
    ACCEPTANCE,
    ASSUMPTIONS,
    BASELINES,
    CALIBRATION,
    CAPACITY,
    CHARTS,
    DEFINITIONS,
    FORECASTS,
    GATES,
    SEASONS,
    checks,
)
from tests.integration.bench import Bench
from tests.integration.test_gates_built import mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "

# check, table, statement
DEFECTS = [
    ("signals_follow_the_limits", CHARTS, f"update {{t}} set observed_value = upper_limit_value + sigma_value where {ONE} point_status = 'in_control' and chart_kind = 'individuals')"),
    ("signals_follow_the_limits", CHARTS, f"update {{t}} set point_status = 'in_control' where {ONE} is_beyond_limits)"),
    ("counts_every_settled_ticket", CHARTS, f"delete from {{t}} where {ONE} service_code is null and statistic_code = 'met_share')"),
    ("counts_every_settled_ticket", CHARTS, f"update {{t}} set ticket_count = ticket_count - 1 where {ONE} service_code is null)"),
    ("seasons_average_to_one", SEASONS, f"update {{t}} set seasonal_factor = seasonal_factor + 0.001 where {ONE} index_status = 'ok')"),
    ("seasons_average_to_one", SEASONS, f"delete from {{t}} where {ONE} cycle_code = 'weekday')"),
    ("anomalies_follow_the_band", BASELINES, f"update {{t}} set is_anomaly = true where {ONE} abs(deviation_factor) < 1)"),
    ("anomalies_follow_the_band", BASELINES, f"update {{t}} set baseline_status = 'ok' where {ONE} window_count < 6)"),
    ("proposals_rest_on_history", CALIBRATION, f"update {{t}} set proposed_target_seconds = dependency_seconds - 1 where {ONE} is_limited_by_dependency)"),
    ("proposals_rest_on_history", CALIBRATION, f"update {{t}} set lower_seconds = quantile_seconds + 1 where {ONE} quantile_seconds is not null)"),
    ("forecasts_lie_in_their_interval", FORECASTS, f"update {{t}} set forecast_value = upper_limit_value + 1 where {ONE} forecast_status = 'ok')"),
    ("forecasts_lie_in_their_interval", FORECASTS, f"update {{t}} set backtest_error_value = null where {ONE} forecast_status = 'ok')"),
    ("verdict_follows_the_prediction", CAPACITY, f"update {{t}} set capacity_verdict = 'capacity_ok' where {ONE} predicted_attainment_share < response_attainment_share)"),
    ("verdict_follows_the_prediction", CAPACITY, f"update {{t}} set agent_count = 0 where {ONE} peak_hour_ticket_count > 0 and capacity_verdict = 'capacity_ok')"),
    ("decision_follows_its_inputs", GATES, f"update {{t}} set gate_decision = 'proceed' where {ONE} reason = 'sample_too_small')"),
    ("decision_follows_its_inputs", GATES, f"update {{t}} set deviation_value = threshold_value + 1 where {ONE} reason = 'within_threshold')"),
    ("judges_every_implemented_change", GATES, f"delete from {{t}} where {ONE} true)"),
    ("verdict_follows_the_share", ACCEPTANCE, f"update {{t}} set acceptance_verdict = 'accepted' where {ONE} acceptance_verdict = 'insufficient_data')"),
    ("verdict_follows_the_share", ACCEPTANCE, f"update {{t}} set is_target_accepted = true where {ONE} acceptance_verdict <> 'accepted')"),
    ("verdict_follows_the_figure", ASSUMPTIONS, f"update {{t}} set assumption_verdict = 'holds', consecutive_breach_count = 0 where {ONE} assumption_verdict = 'breached')"),
    ("follows_a_template", DEFINITIONS, f"update {{t}} set slt_code = 'Fast Response' where {ONE} true)"),
    ("follows_a_template", DEFINITIONS, "insert into {t} by name select * replace ('my_own' as slt_code) from {t} limit 1"),
    ("follows_a_template", DEFINITIONS, f"update {{t}} set slt_name = 'fast' where {ONE} true)"),
    ("follows_a_template", DEFINITIONS, f"update {{t}} set reopen_policy = 'resume' where {ONE} phase = 'response')"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{mart_check(c[0], c[1])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[mart_check(short, table)], table, statement)


def test_every_check_has_a_defect() -> None:
    assert {mart_check(short, table) for short, table, _ in DEFECTS} == set(SPECS)

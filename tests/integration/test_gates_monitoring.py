"""The gates' checks of monitoring on the demonstration company: what is planted warns, each rule refuses its defect."""

# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

from typing import Any

import pytest

from expectations.suites import staging
from expectations.suites.marts_monitoring import GAP, MATCH, OBJECTIVE, SKEW, checks
from tests.integration.bench import Bench
from tests.integration.test_gates_built import judge, refused

pytestmark = [pytest.mark.slow, pytest.mark.requirement("SVC-3.4"), pytest.mark.requirement("SLT-3.2")]

ONE = "rowid = (select min(rowid) from {t})"
HISTORY, CORRECTION = staging.MODELS["datadog.slo_history"][0], staging.MODELS["datadog.slo_correction"][0]

DEFECTS = [
    ("holds_every_missing_sample", GAP, "delete from {t} where rowid = (select max(rowid) from {t} where gap_kind = 'missing_samples')"),
    ("holds_every_missing_sample", GAP, "update {t} set missing_count = missing_count + 1 where rowid = (select max(rowid) from {t} where gap_kind = 'missing_samples')"),
    ("gaps_stand_apart", GAP, f"update {{t}} set gap_seconds = gap_seconds + 1 where {ONE}"),
    ("gaps_stand_apart", GAP, f"update {{t}} set is_flagged = not is_flagged where {ONE}"),
    ("gaps_stand_apart", GAP, f"insert into {{t}} select * replace (gap_from_at - interval 1 second as gap_from_at) from {{t}} where {ONE}"),
    ("follows_its_limits", SKEW, f"update {{t}} set is_flagged = not is_flagged where {ONE}"),
    ("follows_its_limits", SKEW, "update {t} set highest_limit_seconds = 1000000 where skew_status = 'first_ahead'"),
    ("follows_its_limits", SKEW, f"update {{t}} set lowest_offset_seconds = offset_seconds + 1 where {ONE}"),
    ("measure_has_a_limit", SKEW, f"update {{t}} set skew_status = 'no_limit', is_flagged = false where {ONE}"),
    ("measure_has_a_limit", SKEW, f"update {{t}} set lowest_limit_seconds = null where {ONE}"),
    ("clocks_agree", SKEW, f"update {{t}} set is_flagged = true, is_corrected = false where {ONE}"),
    ("every_alert_is_judged", MATCH, "delete from {t} where rowid = (select max(rowid) from {t} where match_status = 'matched')"),
    ("every_alert_is_judged", MATCH, f"update {{t}} set alert_incident_id = 'another' where {ONE}"),
    ("alert_stands_once", MATCH, "insert into {t} select * replace ('another' as alert_ticket_key) from {t} where alert_incident_id is not null limit 1"),
    ("validity_follows_both_sides", MATCH, f"update {{t}} set is_valid = not is_valid where {ONE}"),
    ("validity_follows_both_sides", MATCH, "update {t} set identity_status = 'employed_in_team' where employee_assignment_key is null"),
    ("validity_follows_both_sides", MATCH, "update {t} set identity_status = 'employed_in_team', hris_team_code = null where identity_status = 'employed_in_team'"),
    ("validity_follows_both_sides", MATCH, "update {t} set identity_status = 'not_employed_then', is_valid = false, hris_team_code = null where employee_assignment_key is not null"),
    ("alerts_and_tickets_meet", MATCH, "update {t} set match_status = 'ticket_without_alert'"),
    ("people_are_known", MATCH, f"update {{t}} set identity_status = 'not_in_hris' where {ONE}"),
    ("adds_up", OBJECTIVE, "update {t} set difference_share = difference_share + 0.1 where difference_share is not null"),
    ("adds_up", OBJECTIVE, "update {t} set rec_status = 'matched' where explanation_code = 'not_explained'"),
    ("adds_up", OBJECTIVE, f"update {{t}} set counted_down_seconds = down_seconds + 1 where {ONE}"),
    ("differences_are_explained", OBJECTIVE, f"update {{t}} set explanation_code = 'not_explained' where {ONE}"),
]  # fmt: skip
STAGING_DEFECTS = [
    ("has_a_value_or_says_why", HISTORY, "update {t} set error_list = null where sli_percent is null"),
    ("takes_a_known_time_out", CORRECTION, "update {t} set end_at = null where recurrence_rule is null"),
    ("takes_a_known_time_out", CORRECTION, "update {t} set duration_seconds = null"),
    ("takes_a_known_time_out", CORRECTION, "update {t} set recurrence_rule = 'FREQ=HOURLY' where recurrence_rule is not null"),
]  # fmt: skip
# What is planted in the company and has to be seen by somebody.
PLANTED = {"flag_clock_skew_clocks_agree", "rec_slo_to_datadog_differences_are_explained"}


def _name(table: str, short: str) -> str:
    return f"{table.partition('.')[2]}_{short}"


def test_every_rule_has_a_defect() -> None:
    assert {spec.check_name for spec in checks()} == {_name(table, short) for short, table, _ in DEFECTS}


def test_what_is_planted_warns_and_nothing_else_does(bench: Bench) -> None:
    failed = {spec.check_name for spec in checks() if not judge(bench, "marts", spec.check_name).success}
    assert failed == PLANTED


@pytest.mark.requirement("OPS-3.2")
@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{n}-{c[0]}" for n, c in enumerate(DEFECTS)])
def test_each_rule_refuses_its_defect(bench: Any, short: str, table: str, statement: str) -> None:
    severity = {spec.check_name: spec.severity for spec in checks()}[_name(table, short)]
    with bench.defect(table, statement):
        assert refused(bench, "marts", _name(table, short)).is_blocking == (severity == "block")


@pytest.mark.parametrize(("short", "table", "statement"), STAGING_DEFECTS)
def test_each_rule_of_the_records_refuses_its_defect(bench: Any, short: str, table: str, statement: str) -> None:
    with bench.defect(table, statement):
        assert not refused(bench, "staging", _name(table, short)).is_blocking

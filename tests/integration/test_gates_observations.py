"""Gate marts on observations: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_observations import (
    ARTICLE,
    CHANGE,
    CHANNELS,
    COVERAGE,
    INTAKE,
    MONTH,
    SURVEY,
    TICKET,
    VIEW,
    checks,
)
from tests.integration.bench import Bench
from tests.integration.test_gates_built import mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "

# check, table, statement
DEFECTS = [
    ("holds_every_record", COVERAGE, f"update {{t}} set record_count = record_count - 1 where {ONE} observation_kind = 'survey')"),
    ("holds_every_record", COVERAGE, "delete from {t} where observation_kind = 'change' and observation_status = 'window_open'"),
    ("holds_every_record", COVERAGE, "delete from {t} where observation_kind = 'article'"),
    ("counts_every_resolved_ticket", TICKET, f"delete from {{t}} where {ONE} true)"),
    ("counts_every_resolved_ticket", TICKET, "insert into {t} select * from {t} limit 1"),
    ("counts_every_resolved_ticket", TICKET, "insert into {t} by name select * replace ('ticket:nobodys' as observation_key) from {t} limit 1"),
    ("counts_every_resolved_ticket", INTAKE, f"delete from {{t}} where {ONE} true)"),
    ("counts_every_resolved_ticket", INTAKE, f"update {{t}} set intake_count = 2 where {ONE} true)"),
    ("ticket_measures_agree", TICKET, f"update {{t}} set first_contact_resolved_count = 1 where {ONE} handover_count > 0)"),
    ("ticket_measures_agree", TICKET, f"update {{t}} set first_contact_resolved_count = 1 where {ONE} reopened_count > 0)"),
    ("ticket_measures_agree", TICKET, f"update {{t}} set escalated_count = 1 where {ONE} handover_count = 0)"),
    ("ticket_measures_agree", TICKET, f"update {{t}} set first_response_seconds = resolution_seconds + 1 where {ONE} true)"),
    ("ticket_measures_agree", TICKET, f"update {{t}} set responded_count = 0 where {ONE} first_response_seconds > 0)"),
    ("ticket_measures_agree", TICKET, f"update {{t}} set order_cycle_seconds = 0 where {ONE} order_count = 1)"),
    ("ticket_measures_agree", TICKET, f"update {{t}} set complexity_code = null where {ONE} true)"),
    ("intake_is_kept_or_handed_up", INTAKE, f"update {{t}} set contained_count = 1 where {ONE} escalated_count = 1)"),
    ("intake_is_kept_or_handed_up", INTAKE, f"update {{t}} set escalated_count = 1, contained_count = 0 where {ONE} first_contact_resolved_count = 1 and escalatable_count = 1)"),
    ("intake_is_kept_or_handed_up", INTAKE, f"update {{t}} set first_contact_resolved_count = 1 where {ONE} escalated_count = 1)"),
    ("intake_is_kept_or_handed_up", INTAKE, f"update {{t}} set team_code = 'nobody' where {ONE} first_contact_resolved_count = 1)"),
    ("history_agrees_with_the_record", TICKET, f"update {{t}} set handover_count = handover_count + 1 where {ONE} observation_key like 'ticket:servicenow:%')"),
    ("history_agrees_with_the_record", TICKET, f"update {{t}} set reopened_count = 1 - reopened_count where {ONE} observation_key like 'ticket:servicenow:%')"),
    ("every_channel_is_mapped", CHANNELS, "delete from {t} where source_value = 'phone'"),
    ("counts_every_change_that_is_over", CHANGE, f"delete from {{t}} where {ONE} true)"),
    ("counts_every_change_that_is_over", CHANGE, "insert into {t} by name select * replace ('change:nobodys' as observation_key) from {t} limit 1"),
    ("a_failing_code_fails_the_change", CHANGE, "update {t} set failed_count = 0"),
    ("a_failing_code_fails_the_change", CHANGE, f"update {{t}} set failed_count = 2 where {ONE} failed_count = 1)"),
    ("a_failing_code_fails_the_change", CHANGE, "update {t} set failed_count = 1"),
    ("a_failing_code_fails_the_change", CHANGE, f"update {{t}} set defective_count = 0 where {ONE} defect_count > 0)"),
    ("a_failing_code_fails_the_change", CHANGE, f"update {{t}} set risk_code = 'low' where {ONE} risk_code = 'high')"),
    ("answers_sum_to_the_records", SURVEY, "delete from {t}"),
    ("answers_sum_to_the_records", SURVEY, "update {t} set score_basis_points = 10000"),
    ("adjusted_is_part_of_raw", SURVEY, f"update {{t}} set adjusted_score_basis_points = 9999 where {ONE} adjusted_response_count = 1)"),
    ("adjusted_is_part_of_raw", SURVEY, f"update {{t}} set adjusted_response_count = 0 where {ONE} adjusted_satisfied_count = 1)"),
    ("adjusted_is_part_of_raw", SURVEY, f"update {{t}} set response_count = 2 where {ONE} true)"),
    ("adjusted_is_part_of_raw", SURVEY, f"update {{t}} set score_basis_points = 10001, adjusted_score_basis_points = 10001 where {ONE} adjusted_response_count = 1)"),
    ("views_sum_to_the_events", VIEW, f"delete from {{t}} where {ONE} true)"),
    ("views_sum_to_the_events", VIEW, f"update {{t}} set response_milliseconds = response_milliseconds + 1 where {ONE} true)"),
    ("views_sum_to_the_events", VIEW, f"update {{t}} set error_count = error_count + 1 where {ONE} true)"),
    ("views_sum_to_the_events", VIEW, "update {t} set slow_count = limited_view_count + 1"),
    ("articles_are_those_published", ARTICLE, f"delete from {{t}} where {ONE} true)"),
    ("articles_are_those_published", ARTICLE, f"update {{t}} set use_count = use_count + 1 where {ONE} true)"),
    ("articles_are_those_published", ARTICLE, f"update {{t}} set useful_count = 1 where {ONE} retired_count = 1)"),
    ("no_rate_without_exposure", MONTH, f"update {{t}} set exposed_incident_count = incident_count + 1 where {ONE} true)"),
    ("no_rate_without_exposure", MONTH, f"update {{t}} set exposure_user_days = 0, category = null where {ONE} incident_count > 0)"),
    ("no_rate_without_exposure", MONTH, f"update {{t}} set category = null where {ONE} true)"),
    ("no_rate_without_exposure", MONTH, f"update {{t}} set exposed_day_count = 32 where {ONE} true)"),
    ("every_service_with_incidents_has_an_exposure", MONTH, f"update {{t}} set exposure_user_days = 0 where {ONE} true)"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{c[0]}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[mart_check(short, COVERAGE)], table, statement)


def test_every_check_has_a_defect() -> None:
    assert {mart_check(short, COVERAGE) for short, _, _ in DEFECTS} == set(SPECS)

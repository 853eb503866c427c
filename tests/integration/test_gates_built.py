"""Gates staging and marts on the demonstration company's warehouse: clean passes, each rule refuses its defect.

Each defect is made in one table of a copy, judged by the check it is meant for, and undone. The exported event
log, which the company does not have, is added to the copy as a small table of its own.
"""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.checks import CheckSpec
from expectations.outcomes import Outcome, describe
from expectations.runner import list_checks, run_gate
from expectations.suites import beside, marts_exclusions, marts_registers, staging_people
from expectations.suites.marts import MONEY_COLUMNS
from expectations.suites.staging import MODELS, RULES, finance_checks, service_desk
from expectations.suites.staging_people import DELISTED
from tests.integration.bench import Bench

pytestmark = pytest.mark.slow

SPECS = {(gate, spec.check_name): spec for gate in ("staging", "marts") for spec in list_checks(gate)}
INCIDENTS, AUDIT = MODELS["servicenow.incident"][0], MODELS["servicenow.sys_audit"][0]
GROUPS, USERS = MODELS["servicenow.sys_user_group"][0], MODELS["servicenow.sys_user"][0]
SERVICES, CHANGES = MODELS["servicenow.cmdb_ci_service"][0], MODELS["servicenow.change_request"][0]
LOG = MODELS["servicenow_event_log.incident_event"][0]
MONITORS, TRANSITIONS = MODELS["datadog.monitor"][0], MODELS["datadog.monitor_transition"][0]
DOWNTIMES = MODELS["datadog.downtime"][0]
EMPLOYEES, JOBS = MODELS["bamboohr.employee"][0], MODELS["bamboohr.job_info"][0]
STATUSES, TARGETS = MODELS["bamboohr.employment_status"][0], MODELS["bamboohr.incentive_target"][0]
REGISTER, JOURNAL = MODELS["payroll.register_line"][0], MODELS["ledger.journal_line"][0]
JIRA_STAGING_CHECKS = {spec.check_name for spec in RULES["jira"]()}
ONE, ALL = "rowid < 1", "true"

# 300 events of 100 incidents, as the exported log has them.
LOG_EVENTS = """
    select
        'L' || (i // 3) as number, (i % 3)::integer as sys_mod_count,
        timestamp '2016-03-01' + to_hours((i % 3)::integer) as sys_updated_at, i as source_row_number,
        ['New', 'Active', 'Closed'][i % 3 + 1] as incident_state, 3 as priority,
        timestamp '2016-03-01' as opened_at, timestamp '2016-03-01 01:00:00' as resolved_at,
        timestamp '2016-03-01 02:00:00' as closed_at, 'log' as batch_id
    from range(300) as r (i)
"""


def judge(bench: Bench, gate: str, name: str) -> Outcome:
    """What the check of a name says; it must have been judged."""
    outcome = bench.outcome(gate, SPECS[gate, name])
    assert not outcome.is_skipped and not outcome.error, outcome
    return outcome


def refused(bench: Bench, gate: str, name: str) -> Outcome:
    """The refusal of a check that must not pass."""
    outcome = judge(bench, gate, name)
    assert not outcome.success, f"{name} did not see its defect"
    assert outcome.unexpected_count != 0 and (outcome.examples or outcome.unexpected_count is None), outcome
    assert outcome.table in describe(outcome)
    return outcome


@pytest.fixture(scope="module")
def bench(demo_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A copy of the built warehouse, the event log in it; any defect is made in here and undone."""
    copy = Bench.of(demo_warehouse.warehouse_path, tmp_path_factory.mktemp("gates"))
    columns = "number, sys_mod_count::varchar, strftime(sys_updated_at, '%d/%m/%Y %H:%M')"
    copy.sql(
        f"create or replace table {LOG} as {LOG_EVENTS}",
        "insert into raw_servicenow_event_log.incident_event (number, sys_mod_count, sys_updated_at, _record, "
        f"_batch_id, _row_number, _extracted_at, _row_hash) select {columns}, '{{}}', 'log', 1, now(), '' from {LOG}",
        "insert into landing.extract_state values ('servicenow_event_log', 'incident_event', 'f', 'log', now())",
    )
    return copy


def test_the_demonstration_company_passes_both_gates(demo_warehouse: Any) -> None:
    for gate, planted in (
        (
            "staging",
            {"stg_fx_rates__rates_inverse_agrees", "stg_billing__credit_notes_service_credit_names_its_breach"},
        ),
        (
            "marts",
            {
                "rec_payout_to_payroll_needs_nobody",
                "rec_payout_to_gl_needs_nobody",
                "rec_vendor_to_measured_needs_nobody",
                "rec_accrual_to_gl_needs_nobody",
                "rec_accrual_to_payment_needs_nobody",
                "rec_credit_to_billing_needs_nobody",
                "rec_hris_to_payroll_needs_nobody",
                "rec_monitoring_to_transactions_needs_nobody",
                "rec_measured_to_reported_needs_nobody",
                "rpt_insurance_needs_nobody",
                "chk_cmdb_use",
                "rpt_dispute_upheld_ones_have_an_adjustment",
                "rpt_dispute_is_decided_in_its_term",
                "rpt_slo_review_is_held_when_triggered",
                "flag_clock_skew_clocks_agree",
                "rec_slo_to_datadog_differences_are_explained",
                "fct_withholding_tax_rests_on_confirmed_figures",
                "fct_withholding_is_in_the_currency_of_its_taxes",
                "rec_withholding_to_payroll_needs_nobody",
                "fct_wage_compliance_needs_nobody",
                "fct_wage_compliance_leaves_out_no_hours_of_nobody",
                "rpt_payment_readiness_needs_nobody",
                "fct_cap_application_have_base_pay_to_go_by",
            },
        ),
    ):
        result = run_gate(gate, demo_warehouse.warehouse_path)
        assert result.is_open, [describe(outcome) for outcome in result.blocking]
        found = {o.check_name for o in result.warnings} - {spec.check_name for spec in marts_registers.checks()}
        assert found == planted, [describe(o) for o in result.warnings]
        skipped = {o.skip_reason for o in result.skipped}
        assert skipped <= {"servicenow_event_log is absent: SERVICENOW_EXPORT_FILE is not set"}


def test_the_added_event_log_is_clean(bench: Bench) -> None:
    result = bench.run_gate("staging")
    assert result.is_open and not result.skipped
    assert not [o.check_name for o in result.warnings if "event_log" in o.check_name]


# --- families: each member is tried, those of one table together ---

VALUES = ("ExpectColumnValuesToBeInSet", "ExpectColumnValuesToMatchRegex", "ExpectColumnValuesToBeBetween")
GIVEN = ("ExpectColumnValuesToNotBeNull",)
UNIQUE = ("ExpectColumnValuesToBeUnique", "ExpectCompoundColumnsToBeUnique")


def members(types: tuple[str, ...]) -> list[Any]:
    """(gate, table, its checks of these types), one a table."""
    tables: dict[tuple[str, str], list[CheckSpec]] = {}
    for (gate, _), spec in SPECS.items():
        if spec.expectation_type in types:
            tables.setdefault((gate, spec.table), []).append(spec)
    return [pytest.param(gate, table, specs, id=table) for (gate, table), specs in tables.items()]


def spoilt(spec: CheckSpec, bench: Bench) -> str:
    """A value that an expectation about a column refuses, in SQL."""
    if spec.expectation_type in GIVEN:
        return "null"
    if spec.expectation_type == "ExpectColumnValuesToBeBetween":
        return "-1"
    kind = bench.value(f"select typeof({spec.arguments['column']}) from {spec.table}")
    return "'nonsense'" if kind == "VARCHAR" else "99"


@pytest.mark.parametrize(("gate", "table", "specs"), [*members(GIVEN), *members(VALUES)])
def test_each_column_refuses_bad_values(bench: Bench, gate: str, table: str, specs: list[CheckSpec]) -> None:
    changes = {spec.arguments["column"]: spoilt(spec, bench) for spec in specs}
    assert bench.value(f"select count(*) from {table}"), f"{table} is empty: nothing is proved on it"
    with bench.defect(
        table,
        # without the constraints of the contract
        "update {t} set " + ", ".join(f"{column} = {value}" for column, value in changes.items()),
    ):
        outcomes = bench.run_gate(gate, specs).outcomes
    for spec, outcome in zip(specs, outcomes, strict=True):
        assert not outcome.success and not outcome.error and not outcome.is_skipped, outcome
        assert spec.arguments["column"] in outcome.examples[0], outcome


@pytest.mark.parametrize(("gate", "table", "specs"), members(UNIQUE))
def test_each_key_refuses_a_repeat(bench: Bench, gate: str, table: str, specs: list[CheckSpec]) -> None:
    columns = {c for s in specs for c in s.arguments.get("column_list") or [s.arguments["column"]]}
    given = " and ".join(f"{column} is not null" for column in columns)
    with bench.defect(
        table,
        "create or replace table {t} as select * from {t}",
        f"insert into {{t}} select * from {{t}} where {given} limit 1",
    ):
        outcomes = bench.run_gate(gate, specs).outcomes
    assert all(not o.success and o.examples[0]["row_count"] == 2 for o in outcomes), outcomes


@pytest.mark.parametrize("table", [table for table, _ in MODELS.values()])
def test_each_staging_model_refuses_a_lost_record(bench: Bench, table: str) -> None:
    with bench.defect(table, f"delete from {{t}} where {ONE}"):
        (example,) = refused(bench, "staging", f"{table.partition('.')[2]}_loses_nothing").examples
    assert example["raw_count"] == example["staged_count"] + 1


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in MONEY_COLUMNS.items() for column in columns]
)
def test_each_money_column_refuses_a_float(bench: Bench, table: str, column: str) -> None:
    with bench.defect(table, f"create or replace table {{t}} as select * replace ({column}::double as {column}) from {{t}}"):  # fmt: skip
        outcome = refused(bench, "marts", f"{table.partition('.')[2]}_{column}_is_money")
        listed = refused(bench, "marts", "fct_incentive_payout_no_float_in_the_marts").examples
    assert (
        outcome.observed == "DOUBLE" and {"table_name": table, "column_name": column, "data_type": "DOUBLE"} in listed
    )


# --- rules with a tolerance: one row warns, all rows block ---

TOLERATED = [
    ("incidents_state_is_known", INCIDENTS, "state = '99'", ONE),
    ("incidents_priority_is_known", INCIDENTS, "priority = 9", ONE),
    ("incidents_not_resolved_before_opened", INCIDENTS, "resolved_at = opened_at - interval 1 second", ONE),
    ("incidents_assignment_group_id_refers", INCIDENTS, "assignment_group_id = 'nowhere'", ONE),
    ("incidents_assigned_to_id_refers", INCIDENTS, "assigned_to_id = 'nobody'", ONE),
    ("incidents_business_service_id_refers", INCIDENTS, "business_service_id = 'nothing'", ONE),
    ("incidents_contract_id_refers", INCIDENTS, "contract_id = 'nothing'", ONE),
    ("incidents_configuration_item_id_refers", INCIDENTS, "configuration_item_id = 'nothing'", ONE),
    ("incidents_has_history", INCIDENTS, "incident_id = 'lost' || rowid", ONE),
    ("users_employee_number_refers", USERS, "employee_number = 'e0'", ONE),
    ("audit_entries_document_id_refers", AUDIT, "document_id = 'lost'", ONE),
    ("audit_entries_state_is_known", AUDIT, "field_name = 'state', new_value = '99'", ONE),
    (
        "audit_entries_history_is_unbroken",
        AUDIT,
        "old_value = 'broken'",
        "audit_entry_id = (select max(audit_entry_id) from {t} where old_value is not null)",
    ),
    ("monitors_service_code_refers", MONITORS, "service_code = 'nothing'", ONE),
    ("monitor_transitions_destination_state_is_known", TRANSITIONS, "destination_state = 'Snoozed'", ONE),
    ("monitor_transitions_monitor_id_refers", TRANSITIONS, "monitor_id = 'gone'", ONE),
    ("downtimes_service_code_refers", DOWNTIMES, "service_code = 'nothing'", ONE),
    ("register_lines_employee_number_refers", REGISTER, "employee_number = 'e0'", ONE),
    ("incident_events_incident_state_is_known", LOG, "incident_state = '-1'", ONE),
    ("incident_events_priority_is_known", LOG, "priority = 9", ONE),
    ("incident_events_not_resolved_before_opened", LOG, "resolved_at = opened_at - interval 1 minute", ONE),
    ("incident_events_not_updated_before_opened", LOG, "sys_updated_at = timestamp '2016-02-01'", ONE),
    (
        "incident_events_order_is_one",
        LOG,
        "sys_updated_at = timestamp '2016-03-05' - to_days(sys_mod_count)",
        "number = 'L0' and sys_mod_count = 0",
    ),
    (
        "incident_events_opening_is_one",
        LOG,
        "opened_at = sys_updated_at",
        "number = 'L0' and sys_mod_count = 2",
    ),
]


def full_name(short: str, table: str) -> str:
    prefix = table.partition(".")[2]
    return f"{prefix.rpartition('__')[0]}__{short}"


@pytest.mark.parametrize(("short", "table", "change", "one"), TOLERATED, ids=[case[0] for case in TOLERATED])
def test_one_bad_row_warns_and_many_block(bench: Bench, short: str, table: str, change: str, one: str) -> None:
    name = full_name(short, table)
    mostly = SPECS["staging", f"{name}_mostly"]
    share = mostly.tolerated_share or 1 - mostly.arguments["mostly"]
    with bench.defect(table, f"update {{t}} set {change} where {one}"):
        outcome = refused(bench, "staging", name)
        assert not outcome.is_blocking and outcome.examples
        if bench.value(f"select count(*) from {table}") * share >= 1 and "number" not in mostly.tolerated_of:
            assert judge(bench, "staging", f"{name}_mostly").success
    with bench.defect(table, f"update {{t}} set {change} where {ALL}"):
        assert refused(bench, "staging", f"{name}_mostly").is_blocking


# --- rules of their own SQL: check, table, statement ---

STAGING = [
    ("incidents_not_updated_before_opened", INCIDENTS, f"update {{t}} set sys_updated_at = opened_at - interval 1 day where {ONE}"),
    ("incidents_opened_at_is_within_the_clock", INCIDENTS, f"update {{t}} set opened_at = timestamp '1970-01-01' where {ONE}"),
    ("audit_entries_sys_created_at_is_within_the_clock", AUDIT, f"update {{t}} set sys_created_at = timestamp '1999-12-31 23:59:59' where {ONE}"),
    ("incident_events_opened_at_is_within_the_clock", LOG, f"update {{t}} set opened_at = timestamp '1970-01-01' where {ONE}"),
    ("incident_events_sys_updated_at_is_within_the_clock", LOG, f"update {{t}} set sys_updated_at = timestamp '1970-01-01' where {ONE}"),
    ("incidents_volume_is_usual", INCIDENTS, "insert into {t} by name select 'x' || i as incident_id, 'X' || i as number, timestamp '2025-12-30' as opened_at from range(5000) as r (i)"),
    ("incidents_priorities_are_usual", INCIDENTS, "insert into {t} by name select 'x' || i as incident_id, case when i < 300 then timestamp '2026-01-03' else timestamp '2025-06-03' end as opened_at, case when i < 300 then 1 else 3 end as priority from range(2000) as r (i)"),
    ("groups_team_is_known", GROUPS, "update {t} set group_name = 'Somebody Else'"),
    ("groups_team_is_known_mostly", GROUPS, "update {t} set group_name = 'Somebody Else'"),
    ("services_service_code_is_governed", SERVICES, "update {t} set service_code = 'unheard-of'"),
    ("audit_entries_priority_is_a_number", AUDIT, f"update {{t}} set field_name = 'priority', new_value = '3 - Moderate' where {ONE}"),
    ("audit_entries_order_is_one", AUDIT, "update {t} set sys_created_at = sys_created_at - interval 3 year where record_checkpoint > 0"),
    ("audit_entries_not_before_opening", AUDIT, f"update {{t}} set sys_created_at = timestamp '2001-01-01' where {ONE}"),
    ("change_requests_ends_after_it_starts", CHANGES, "update {t} set planned_end_at = planned_start_at - interval 1 hour"),
    ("monitor_transitions_states_follow", TRANSITIONS, "update {t} set source_state = 'Warn', destination_state = 'OK'"),
    ("downtimes_ends_after_it_starts", DOWNTIMES, f"update {{t}} set end_at = start_at - interval 1 hour where {ONE}"),
    ("employees_leaves_after_hiring", EMPLOYEES, f"update {{t}} set terminated_on = hired_on - 1 where {ONE}"),
    ("employees_leaving_agrees", EMPLOYEES, f"update {{t}} set terminated_on = date '2025-12-24' where {ONE}"),
    ("job_infos_employee_id_refers", JOBS, f"update {{t}} set employee_id = 'nobody' where {ONE}"),
    ("employment_statuses_employee_id_refers", STATUSES, f"update {{t}} set employee_id = 'nobody' where {ONE}"),
    ("incentive_targets_employee_id_refers", TARGETS, f"update {{t}} set employee_id = 'nobody' where {ONE}"),
    ("job_infos_department_is_a_team", JOBS, "update {t} set department_name = 'Nowhere'"),
    ("incentive_targets_currency_is_the_teams", TARGETS, f"update {{t}} set currency_code = 'XXX' where {ONE}"),
    ("register_lines_incentive_names_its_quarter", REGISTER, "update {t} set earned_quarter = null where earning_code = 'INC'"),
    ("journal_lines_expense_has_a_cost_centre", JOURNAL, "update {t} set cost_centre_code = null where account_code = '6210'"),
    ("journal_lines_expense_names_its_quarter", JOURNAL, "update {t} set reference = 'bonus' where account_code = '6210'"),
    ("journal_lines_stands_on_one_side", JOURNAL, f"update {{t}} set debit_amount = 1, credit_amount = 1 where {ONE}"),
]  # fmt: skip


@pytest.mark.parametrize(("short", "table", "statement"), STAGING, ids=[case[0] for case in STAGING])
def test_staging_refuses(bench: Bench, short: str, table: str, statement: str) -> None:
    with bench.defect(table, statement):
        assert refused(bench, "staging", full_name(short, table)).examples


T, S = "slt.fct_ticket_slt", "slt.fct_slt_clock_segment"
E, A, C = "slt.fct_exclusion_effect", "slt.fct_availability", "governance.rpt_exclusion_control"
EA, EV = "slt.fct_exclusion_effect_audience", "slt.fct_exclusion_effect_availability"
SY = "governance.rpt_maintenance_sync"
P, R, TP = "incentives.fct_incentive_payout", "incentives.fct_payout_trace", "incentives.mart_team_payout"
I, F = "finance.rec_itsm_to_mart", "finance.rec_itsm_sla_flag"  # noqa: E741
RP, RG = "finance.rec_payout_to_payroll", "finance.rec_payout_to_gl"

MARTS = [
    ("has_rows", T, "delete from {t}"),
    ("seconds_add_up", T, f"update {{t}} set paused_seconds = paused_seconds + 1 where {ONE}"),
    ("wall_is_the_time_between", T, "update {t} set stop_at = stop_at + interval 1 second where ticket_slt_key = (select min(ticket_slt_key) from {t} where slt_status = 'met')"),
    ("verdict_follows_the_seconds", T, "update {t} set is_breached_adjusted = not is_breached_adjusted where ticket_slt_key = (select min(ticket_slt_key) from {t})"),
    ("verdict_follows_the_seconds", T, "update {t} set slt_status = 'met' where ticket_slt_key = (select min(ticket_slt_key) from {t} where slt_status = 'breached')"),
    ("verdict_follows_the_seconds", T, "update {t} set breach_at = null where ticket_slt_key = (select min(ticket_slt_key) from {t} where is_breached_adjusted)"),
    ("sum_to_the_result", S, f"update {{t}} set seconds = seconds + 1 where {ONE}"),
    ("sum_to_the_result", S, f"update {{t}} set clock_class = case clock_class when 'net' then 'paused' else 'net' end where {ONE}"),
    ("sum_to_the_result", S, f"delete from {{t}} where {ONE}"),
    ("lists_every_request", C, f"delete from {{t}} where {ONE}"),
    ("effect_is_approved", C, "update {t} set is_effective = true"),
    ("comes_from_an_effective_request", E, "update {t} set exclusion_id = 'EXR-0007'"),
    ("sums_to_the_excluded_seconds", E, f"update {{t}} set removed_seconds = removed_seconds + 1 where {ONE}"),
    ("ties_to_the_clock", EA, f"update {{t}} set internal_net_seconds = internal_net_seconds + 1 where {ONE}"),
    ("is_documented", EA, "update {t} set exclusion_id = 'EXR-0007' where exclusion_source = 'exclusion_request'"),
    ("sums_to_what_left_availability", EV, f"update {{t}} set removed_seconds = removed_seconds + 1 where {ONE}"),
    ("sums_to_what_left_availability", EV, f"delete from {{t}} where {ONE}"),
    ("has_its_papers", C, "update {t} set is_effective = true where exclusion_id = 'EXR-0004'"),
    ("says_why_for_each_audience", C, "update {t} set internal_reasons = 'effective'"),
    ("agreement_is_to_the_second", SY, "update {t} set sync_status = 'in_agreement' where exclusion_source = 'change_request'"),
    ("seconds_fit_the_month", A, f"update {{t}} set up_seconds = up_seconds + 2700000 where {ONE}"),
    ("seconds_fit_the_month", A, f"update {{t}} set adjusted_down_seconds = down_seconds + 1 where {ONE}"),
    ("lines_sum_to_the_total", P, "update {t} set payout_amount = payout_amount + 0.01 where payout_line_id = (select min(payout_line_id) from {t})"),
    ("line_is_near_its_share", P, "update {t} set payout_amount = payout_amount + 0.02 where payout_line_id = (select min(payout_line_id) from {t})"),
    ("days_are_paid_once", P, "update {t} set segment_end_on = period_end_on, segment_days = segment_days + 1 where payout_line_id = (select min(payout_line_id) from {t})"),
    ("weights_sum_to_one", P, "update {t} set weight = weight + 0.1 where payout_line_id = (select min(payout_line_id) from {t})"),
    ("pays_only_on_data", P, "update {t} set payout_amount = 1, metric_result_key = 'none' where payout_line_id = (select min(payout_line_id) from {t})"),
    ("pays_only_on_data", P, "update {t} set metric_value = 0.5 where payout_amount > 0"),
    ("ties_to_the_lines", TP, "update {t} set payout_amount = payout_amount + 0.01"),
    ("ties_to_the_lines", TP, f"delete from {{t}} where {ONE}"),
    ("hides_small_groups", TP, "update {t} set participant_count = 4"),
    ("hides_small_groups", TP, "update {t} set is_suppressed = true"),
    ("covers_every_paid_line", R, "update {t} set is_in_numerator = false"),
    ("sums_to_the_result", R, "update {t} set numerator_weight = numerator_weight + 1 where rowid = (select min(rowid) from {t})"),
    ("belongs_to_a_line", R, f"update {{t}} set payout_line_id = 'none' where {ONE}"),
    ("leads_to_a_batch", R, f"update {{t}} set batch_id = 'never landed' where {ONE}"),
    ("explains_every_ticket", I, f"update {{t}} set mart_count = mart_count - 1, difference_count = difference_count + 1 where {ONE}"),
    ("explains_every_ticket", I, f"update {{t}} set unexplained_count = 1 where {ONE}"),
    ("explains_every_event", I, f"update {{t}} set unexplained_event_count = 1 where {ONE}"),
    ("ties_to_both_sides", I, f"delete from {{t}} where {ONE}"),
    ("every_ticket_has_a_target", I, f"update {{t}} set no_target_count = 1 where {ONE}"),
    (
        "every_result_that_pays_has_a_target",
        I,
        "insert into core.int_slt_outline by name select 'none' as ticket_slt_key, 'none' as ticket_key, "
        "dimension_values as slt_code from reference.metric_filter where dimension_code = 'slt_code' limit 1",
    ),
    ("has_every_ticket", F, f"delete from {{t}} where {ONE}"),
    ("has_every_ticket", F, "insert into {t} select * from {t} limit 1"),
    ("explains_each_disagreement", F, "update {t} set is_agreeing = false, disagreement_reason = null"),
    ("ties_to_both_sides", RP, "update {t} set payroll_amount = payroll_amount + 0.01, difference_amount = difference_amount + 0.01 where rowid = 0"),
    ("ties_to_both_sides", RP, f"delete from {{t}} where {ONE}"),
    ("status_is_honest", RP, "update {t} set status = 'matched'"),
    ("status_is_honest", RP, "update {t} set difference_amount = difference_amount + 0.01"),
    ("status_is_honest", RP, "update {t} set explanation = ' '"),
    ("needs_nobody", RP, "update {t} set status = 'duplicate'"),
    ("ties_to_both_sides", RG, "update {t} set payout_amount = payout_amount + 0.01, difference_amount = difference_amount - 0.01 where rowid = 0"),
    ("ties_to_both_sides", RG, f"delete from {{t}} where {ONE}"),
    ("status_is_honest", RG, "update {t} set status = 'amount_differs'"),
    ("needs_nobody", RG, "update {t} set status = 'missing_left'"),
]  # fmt: skip


def mart_check(short: str, table: str) -> str:
    return f"{table.partition('.')[2]}_{short}"


@pytest.mark.parametrize(("short", "table", "statement"), MARTS, ids=[f"{mart_check(c[0], c[1])}-{n}" for n, c in enumerate(MARTS)])  # fmt: skip
def test_marts_refuse(bench: Bench, short: str, table: str, statement: str) -> None:
    with bench.defect(table, statement):
        refused(bench, "marts", mart_check(short, table))


def test_settled_differences_need_nobody(bench: Bench) -> None:
    for table in (RP, RG):
        with bench.defect(table, "update {t} set status = 'timing'"):
            assert judge(bench, "marts", mart_check("needs_nobody", table)).success


def test_the_planted_differences_are_listed_largest_first(bench: Bench) -> None:
    outcome = refused(bench, "marts", "rec_payout_to_payroll_needs_nobody")
    assert not outcome.is_blocking
    sizes = [abs(float(example["difference_amount"])) for example in outcome.examples]
    assert sizes == sorted(sizes, reverse=True) and all(example["explanation"] for example in outcome.examples)


# --- who may see what ---

PROPERTIES = """
models:
  - name: mart_team_payout
    meta: {{audiences: [{audience}]}}
    columns:
      - {{name: team_code, data_type: varchar, meta: {{classification: public}}}}
      - {{name: {name}, data_type: {data_type}, meta: {{classification: {classification}}}}}
      - {{name: participant_count, data_type: bigint, meta: {{classification: {other}}}}}
"""


def judge_properties(bench: Bench, folder: Path, check: str, **values: str) -> Outcome:
    defaults = {
        "audience": "bi", "name": "team_name", "data_type": "varchar", "classification": "public", "other": "public",
    }  # fmt: skip
    (folder / "incentives").mkdir()
    (folder / "incentives" / "mart_team_payout.yml").write_text(PROPERTIES.format(**{**defaults, **values}))
    return bench.outcome("marts", SPECS["marts", check], folder)


@pytest.mark.parametrize(
    ("values", "success"),
    [
        ({}, True),
        ({"name": "employee_number"}, False),
        ({"name": "requested_by"}, False),
        ({"name": "employee_number", "classification": "personal"}, True),
        ({"name": "employee_number", "audience": "finance"}, True),
        ({"name": "team_name", "classification": "unheard-of"}, False),
        ({"name": "payout_amount", "data_type": "decimal(18,2)"}, True),
        ({"name": "payout_amount", "data_type": "decimal(18,2)", "other": "personal"}, False),
        ({"name": "found_value", "data_type": "decimal(18,4)"}, True),
        ({"name": "found_value", "data_type": "decimal(18,4)", "other": "personal"}, False),
        ({"name": "found_value", "data_type": "decimal(18,4)", "classification": "pay", "other": "personal"}, True),
    ],
)
def test_no_column_for_bi_names_a_person(bench: Bench, tmp_path: Path, values: dict[str, str], success: bool) -> None:
    outcome = judge_properties(bench, tmp_path, "mart_team_payout_bi_columns_name_no_person", **values)
    assert not outcome.error
    assert outcome.success is success or (outcome.is_skipped and success)


def test_no_value_for_bi_names_a_person(bench: Bench, tmp_path: Path) -> None:
    check = "mart_team_payout_bi_values_name_no_person"
    person = bench.value(f"select min(display_name) from {EMPLOYEES}")
    assert judge_properties(bench, tmp_path, check).success
    with bench.defect(TP, f"update {{t}} set team_name = '{person}' where {ONE}"):
        outcome = bench.outcome("marts", SPECS["marts", check], tmp_path)
    assert outcome.is_blocking
    assert outcome.examples == [{"table_name": TP, "column_name": "team_name", "row_count": 1}]
    assert person not in describe(outcome)


def test_no_value_for_bi_names_a_person_who_has_left_the_directory(bench: Bench, tmp_path: Path) -> None:
    check = "mart_team_payout_bi_values_name_no_person"
    left = f"insert into {DELISTED} by name select 'x' as employee_id, 'A. Leaver' as display_name"
    with bench.defect(TP, f"update {{t}} set team_name = 'A. Leaver' where {ONE}"):
        assert judge_properties(bench, tmp_path, check).success
        bench.sql(left)
        try:
            outcome = bench.outcome("marts", SPECS["marts", check], tmp_path)
        finally:
            bench.sql(f"delete from {DELISTED} where employee_id = 'x'")
    assert outcome.is_blocking and not outcome.error


def test_without_the_models_properties_nothing_may_be_published(bench: Bench, tmp_path: Path) -> None:
    check = SPECS["marts", "mart_team_payout_bi_columns_name_no_person"]
    outcome = bench.outcome("marts", check, tmp_path)
    assert outcome.is_blocking and "no model properties" in outcome.error


# --- nothing is left unproved ---


def test_every_check_is_proved_to_fail() -> None:
    """Each check belongs to a family of which every member is tried, or is named in a table above."""
    families = {name for (_, name), spec in SPECS.items() if spec.expectation_type in (*GIVEN, *VALUES, *UNIQUE)}
    proved = {full_name(short, table) for short, table, *_ in (*TOLERATED, *STAGING)}
    proved |= {f"{full_name(short, table)}_mostly" for short, table, *_ in TOLERATED}
    proved |= {mart_check(short, table) for short, table, _ in MARTS}
    proved |= {f"{table.partition('.')[2]}_loses_nothing" for table, _ in MODELS.values()}
    proved |= {mart_check(f"{c}_is_money", table) for table, columns in MONEY_COLUMNS.items() for c in columns}
    proved |= {
        "fct_incentive_payout_no_float_in_the_marts",
        "mart_team_payout_bi_columns_name_no_person",
        "mart_team_payout_bi_values_name_no_person",
    }
    # these have a test file of their own, which demands a defect for each of their rules
    apart = {staging_people, *beside("marts")} - {marts_exclusions}
    others = "".join(
        path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name
    )
    assert not [suite.__name__ for suite in apart if suite.__name__.rpartition(".")[2] not in others]
    # and these of staging theirs in test_gates_monitoring
    proved |= {
        "stg_datadog__slo_histories_has_a_value_or_says_why",
        "stg_datadog__slo_corrections_takes_a_known_time_out",
    }
    proved |= {spec.check_name for spec in service_desk()}
    proved |= {spec.check_name for suite in apart for spec in suite.checks()}
    proved |= {spec.check_name for spec in finance_checks()}
    proved |= {name for gate, name in SPECS if gate == "staging" and name in JIRA_STAGING_CHECKS}
    assert not {name for _, name in SPECS} - families - proved
    assert not proved - {name for _, name in SPECS}, "a test names a check that does not exist"

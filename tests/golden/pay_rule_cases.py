"""Hand-worked cases of what decides pay beside the value: gates, conditions, leave, part time, bands and phases.

Each changes the world of ``tests.pay_world``, where e1 earns 1,000.00 x 0.6 x 1 = 600.00 (a) and 1,000.00 x 0.4 x 1 =
400.00 (b) in 2025-Q1, a quarter of 90 days, and says what is paid then. The arithmetic stands in ``working``.
"""

# ruff: noqa: E501 (a statement a line)

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RuleCase:
    """What is changed, and the amounts of a and b in 2025-Q1."""

    name: str
    working: str
    changes: tuple[str, ...]
    amounts: tuple[str, str]


ACKNOWLEDGEMENT = "update stg_bamboohr__plan_acknowledgements set"
HIRED = "update stg_bamboohr__employees set hired_on = date"
PROBLEM = "update stg_servicenow__problems set"
RESULT = "update fct_metric_result set"
LEAVE = "insert into stg_bamboohr__time_off_requests values"
PART_TIME = "insert into part_time_agreement values"
GATE = "insert into counter_gate (plan_code, plan_version, tier, component_code, counter_metric_code, least_value, most_value, share_kept) values"
OVERDUE = (
    "insert into improvement_plan (improvement_plan_code, owner_employee_number, opened_on, due_on, closed_on) values"
)
LATE = f"{PROBLEM} confirmed_at = timestamp '2025-01-14 09:00:01'"

RULE_CASES = (
    RuleCase("all_in_order", "600.00 + 400.00 = 1,000.00", (), ("600.00", "400.00")),
    # --- conditions ---
    RuleCase("not_signed", "x 0", (f"{ACKNOWLEDGEMENT} acknowledged_at = null",), ("0.00", "0.00")),
    RuleCase("not_sent", "x 0", ("delete from stg_bamboohr__plan_acknowledgements",), ("0.00", "0.00")),
    RuleCase("signed_after_this_run", "as of 5 January 2026 it is not signed: x 0", (f"{ACKNOWLEDGEMENT} acknowledged_at = timestamp '2026-01-05 00:00:01'",), ("0.00", "0.00")),
    RuleCase("signed_late_releases_what_was_held", "signed on 4 January 2026: the quarter of a year before is paid", (f"{ACKNOWLEDGEMENT} acknowledged_at = timestamp '2026-01-04 12:00:00'",), ("600.00", "400.00")),
    RuleCase("signed_another_version", "version 2 is not what pays: x 0", (f"{ACKNOWLEDGEMENT} plan_version = 2",), ("0.00", "0.00")),
    RuleCase("signed_another_document", "the newsletter is not the plan: x 0", (f"{ACKNOWLEDGEMENT} communication_code = 'newsletter'",), ("0.00", "0.00")),
    RuleCase("hired_29_days_before_the_end", "3 March to 1 April: 29 days of 30: x 0", (f"{HIRED} '2025-03-03'",), ("0.00", "0.00")),
    RuleCase("hired_30_days_before_the_end", "2 March to 1 April: 30 days, the least", (f"{HIRED} '2025-03-02'",), ("600.00", "400.00")),
    RuleCase("hired_after_the_cohort", "x 0", (f"{HIRED} '2025-01-02'", "update eligibility_rule set latest_hired_on = date '2025-01-01' where rule_code = 'cohort'"), ("0.00", "0.00")),
    RuleCase("hired_on_the_last_day_of_the_cohort", "whole", (f"{HIRED} '2025-01-01'", "update eligibility_rule set latest_hired_on = date '2025-01-01' where rule_code = 'cohort'"), ("600.00", "400.00")),
    RuleCase("cause_confirmed_a_second_late", "x 0.9: 540.00 and 360.00", (LATE,), ("540.00", "360.00")),
    RuleCase("cause_never_confirmed", "x 0.9", (f"{PROBLEM} confirmed_at = null",), ("540.00", "360.00")),
    RuleCase("one_incident_does_not_recur", "whole", (LATE, f"{PROBLEM} related_incident_count = 1"), ("600.00", "400.00")),
    RuleCase("cause_of_another_team", "whole", (LATE, f"{PROBLEM} assignment_group_id = 'g2'"), ("600.00", "400.00")),
    RuleCase("cause_due_in_the_quarter_after", "28 March 00:00 + 4 days = 1 April 00:00, the next quarter's", (f"{PROBLEM} opened_at = timestamp '2025-03-28 00:00:00', confirmed_at = null",), ("600.00", "400.00")),
    RuleCase("cause_due_in_the_last_second", "27 March 23:59:59 + 4 days = 31 March 23:59:59: x 0.9", (f"{PROBLEM} opened_at = timestamp '2025-03-27 23:59:59', confirmed_at = null",), ("540.00", "360.00")),
    RuleCase("rule_not_yet_in_force", "from April on", (LATE, "update eligibility_rule set effective_from = date '2025-04-01' where rule_code = 'rca'"), ("600.00", "400.00")),
    # --- disqualification ---
    RuleCase("missed_two_quarters_running", "0.45 and 0.45 below 0.5: x 0", (f"{RESULT} metric_value = 0.45 where metric_code = 'm'",), ("0.00", "0.00")),
    RuleCase("missed_once_long_ago", "only 2024-Q4: a whole 600.00", (f"{RESULT} metric_value = 0.45 where metric_result_key = 'm0'",), ("600.00", "400.00")),
    RuleCase("missed_with_too_little_data", "a quarter without enough data is no fault", (f"{RESULT} metric_value = null, result_status = 'insufficient_data' where metric_result_key = 'm0'", f"{RESULT} metric_value = 0.45 where metric_result_key = 'm1'"), ("0.00", "400.00")),
    RuleCase("improvement_overdue_twice", "overdue at the ends of 2024 and of March: x 0.5", (f"{OVERDUE} ('I', 'e1', '2024-08-01', '2024-12-31', null)",), ("300.00", "200.00")),
    RuleCase("improvement_closed_in_between", "closed on 31 March: overdue once", (f"{OVERDUE} ('I', 'e1', '2024-08-01', '2024-12-31', '2025-03-31')",), ("600.00", "400.00")),
    RuleCase("improvement_of_a_colleague", "whole", (f"{OVERDUE} ('I', 'e2', '2024-08-01', '2024-12-31', null)",), ("600.00", "400.00")),
    RuleCase("two_faults_strictest_counts", "0.9 and 0.5: x 0.5, not x 0.45", (LATE, f"{OVERDUE} ('I', 'e1', '2024-08-01', '2024-12-31', null)"), ("300.00", "200.00")),
    # --- counter-metrics ---
    RuleCase("counter_below", "n 0.79 below 0.8: 600.00 x 0.5; b itself pays from 0", (f"{RESULT} metric_value = 0.79 where metric_result_key = 'n1'",), ("300.00", "400.00")),
    RuleCase("counter_on_its_bound", "0.8 is enough", (f"{RESULT} metric_value = 0.8 where metric_result_key = 'n1'",), ("600.00", "400.00")),
    RuleCase("counter_without_data", "neither gates nor pays", (f"{RESULT} metric_value = null, result_status = 'insufficient_data' where metric_result_key = 'n1'",), ("600.00", "0.00")),
    RuleCase("counter_missing", "neither gates nor pays", ("delete from fct_metric_result where metric_result_key = 'n1'",), ("600.00", "0.00")),
    RuleCase("two_counters_strictest_counts", "0.5 and 0.2: 600.00 x 0.2", (f"{RESULT} metric_value = 0.79 where metric_result_key = 'n1'", f"{GATE} ('p', 1, 1, 'a', 'c', null, 10, 0.2)", "insert into fct_metric_result values ('c1', 'c', 1, 'team', 't1', 'quarter', date '2025-01-01', 10.000001, 'ok')"), ("120.00", "400.00")),
    RuleCase("counter_at_its_greatest", "10 of at most 10 leaves all", (f"{GATE} ('p', 1, 1, 'a', 'c', null, 10, 0.2)", "insert into fct_metric_result values ('c1', 'c', 1, 'team', 't1', 'quarter', date '2025-01-01', 10, 'ok')"), ("600.00", "400.00")),
    # --- days ---
    RuleCase("unpaid_leave", "9 of 90 days: 600.00 x 81/90, 400.00 x 81/90", (f"{LEAVE} ('r', '101', '2025-02-01', '2025-02-09', 'approved', 'Parental', 'days')",), ("540.00", "360.00")),
    RuleCase("leave_asked_for_twice", "days count once: 1 to 9 and 5 to 9 February", (f"{LEAVE} ('r', '101', '2025-02-01', '2025-02-09', 'approved', 'Parental', 'days')", f"{LEAVE} ('s', '101', '2025-02-05', '2025-02-09', 'approved', 'Parental', 'days')"), ("540.00", "360.00")),
    RuleCase("leave_denied", "whole", (f"{LEAVE} ('r', '101', '2025-02-01', '2025-02-09', 'denied', 'Parental', 'days')",), ("600.00", "400.00")),
    RuleCase("leave_paid", "whole", (f"{LEAVE} ('r', '101', '2025-02-01', '2025-02-09', 'approved', 'Vacation', 'days')",), ("600.00", "400.00")),
    RuleCase("leave_over_the_quarters_end", "1 day in March: 600.00 x 89/90 = 593.33|3, 400.00 x 89/90 = 395.55|5; sum 988.88|8 -> 988.89, the cent to the larger remainder", (f"{LEAVE} ('r', '101', '2025-03-31', '2025-04-09', 'approved', 'Parental', 'days')",), ("593.33", "395.56")),
    RuleCase("part_time", "0.8 all quarter: 480.00 and 320.00", (f"{PART_TIME} ('P', 'e1', 0.8, '2025-01-01', null, 'boss', '2024-12-01', '')",), ("480.00", "320.00")),
    RuleCase("part_time_signed_late", "signed on 31 January, so from 1 February: 31 + 59 x 0.5 = 60.5 days; 403.33|3 and 268.88|8, sum 672.22|2; the cent to 268.88|8", (f"{PART_TIME} ('P', 'e1', 0.5, '2025-01-01', null, 'boss', '2025-01-31', '')",), ("403.33", "268.89")),
    RuleCase("part_time_not_signed", "full time until it is", (f"{PART_TIME} ('P', 'e1', 0.5, '2025-01-01', null, null, null, '')",), ("600.00", "400.00")),
    RuleCase("leave_within_part_time", "(90 - 10) x 0.8 = 64 days; 600 x 64/90 = 426.66|7, 400 x 64/90 = 284.44|4, sum 711.11|1: the cent to 426.66|7", (f"{PART_TIME} ('P', 'e1', 0.8, '2025-01-01', null, 'boss', '2024-12-01', '')", f"{LEAVE} ('r', '101', '2025-02-01', '2025-02-10', 'approved', 'Parental', 'days')"), ("426.67", "284.44")),
    # --- bands ---
    RuleCase("below_the_threshold", "0.95 below 0.96 earns nothing, whatever its band", ("update plan_component set threshold_value = 0.96 where component_code = 'a'",), ("0.00", "400.00")),
    RuleCase("on_the_threshold", "0.95 reaches 0.95", ("update plan_component set threshold_value = 0.95 where component_code = 'a'",), ("600.00", "400.00")),
    RuleCase("accelerated", "from 0.95 on x 1.1: 600.00 x 1.1", ("update plan_component set accelerator_from_value = 0.95, accelerator_factor = 1.1 where component_code = 'a'",), ("660.00", "400.00")),
    RuleCase("not_yet_accelerated", "0.95 is not 0.950001", ("update plan_component set accelerator_from_value = 0.950001, accelerator_factor = 1.1 where component_code = 'a'",), ("600.00", "400.00")),
    RuleCase("interpolated_and_accelerated", "0.85 half way from 0.5 to 1 = 0.75, x 1.1111 = 0.833325 -> 0.8333: 499.98", (f"{RESULT} metric_value = 0.85 where metric_result_key = 'm1'", "update plan_component set band_method = 'interpolated', accelerator_from_value = 0.85, accelerator_factor = 1.1111 where component_code = 'a'"), ("499.98", "400.00")),
    RuleCase("stepped", "0 x 0.8 + (0.9 - 0.8) x 0.5 + (0.95 - 0.9) x 1 = 0.1: 60.00", ("update plan_component set band_method = 'stepped' where component_code = 'a'",), ("60.00", "400.00")),
    # --- phases ---
    RuleCase("leading_service_is_introduced", "0.2 and 0.8: 200.00 and 800.00", ("update service_lifecycle set phase = 'introduction' where service_code = 'shop'",), ("200.00", "800.00")),
    RuleCase("phase_begins_after_the_first_day", "the phase of 1 January counts", ("update service_lifecycle set effective_to = date '2025-01-01' where service_code = 'shop'", "insert into service_lifecycle (service_code, phase, effective_from) values ('shop', 'introduction', '2025-01-02')"), ("600.00", "400.00")),
    RuleCase("adjusted_weights_stand_before_the_phase", "0.5 and 0.5", ("update service_lifecycle set phase = 'introduction' where service_code = 'shop'", "insert into int_component_weight values ('p', 1, 1, 'a', '2025-Q1', 0.5), ('p', 1, 1, 'b', '2025-Q1', 0.5)"), ("500.00", "500.00")),
    # --- all at once ---
    RuleCase("gate_condition_and_part_time", "a: 1,000 x 0.8 x 0.6 x 0.5 x 0.9 = 216.00; b: 1,000 x 0.8 x 0.4 x 0.9 = 288.00", (LATE, f"{RESULT} metric_value = 0.79 where metric_result_key = 'n1'", f"{PART_TIME} ('P', 'e1', 0.8, '2025-01-01', null, 'boss', '2024-12-01', '')"), ("216.00", "288.00")),
)  # fmt: skip

# One stepped component alone, target 1.00, a value a quarter in the order of the amounts: the tiers and figures of
# pay_cases, 164 each quarter from zero and 285 along the running total.
STEPPED_WORLD = (
    "update int_employee_assignment set quarterly_target_amount = 1",
    "delete from counter_gate",
    "delete from eligibility_rule",
    "delete from disqualification_rule",
    "delete from plan_component where component_code = 'b'",
    "update plan_component set weight = 1, band_method = 'stepped' where component_code = 'a'",
    "delete from achievement_band",
    "delete from fct_metric_result",
)
# By quarter, the running total climbed: 200 and 300 in the first tier (2.00, 3.00); 500 at 1% + 1,000 at 2% (25.00);
# 500 to 1,700: of 2,000 to 3,200 1,000 at 2% and 200 at 3% (26.00); 3,200 to 5,200 at 3% (60.00); 5,200 to 9,700:
# 2,800 at 3% and 1,700 at 5% (169.00). Sum 285.00.
STEPPED_CUMULATIVE = ("2.00", "3.00", "25.00", "26.00", "60.00", "169.00")

"""A company of one person whose pay is decided by the warehouse's own models, in memory, without dbt.

`open_pay` makes the tables these models read and the models themselves as views over them; a test changes rows and
reads what is paid. In the world as it stands every condition is met: e1 of team t1 has a target of 1,000.00 EUR, is
paid by components a (0.6, full from 0.9) and b (0.4, full from 0), and earns 600.00 and 400.00 in 2025-Q1.
"""

# ruff: noqa: E501 (the world stands one row a line)

from __future__ import annotations

from typing import Any

import duckdb
import yaml

from benchmarks.model_sql import model_sql
from tests.governance import ROOT, fill

SEEDS = (
    "team",
    "service",
    "plan_component",
    "achievement_band",
    "counter_gate",
    "eligibility_rule",
    "disqualification_rule",
    "service_lifecycle",
    "lifecycle_weight",
    "leave_rule",
    "part_time_agreement",
    "plan_draw",
    "improvement_plan",
)
GIVEN = """
    create table int_run_context (as_of_at timestamp);
    create table int_reporting_period (
        period_grain varchar, period_code varchar, period_start_on date, period_end_on date, is_complete boolean
    );
    create table int_incentive_period (
        plan_code varchar, plan_version integer, earned_quarter varchar, period_start_on date, period_end_on date,
        quarter_days integer, payment_period varchar, is_complete boolean
    );
    create table int_employee_assignment (
        employee_number varchar, country_code varchar, team_code varchar, quarterly_target_amount decimal(18, 2),
        currency_code varchar, assigned_from_on date, assigned_to_on date, is_in_incentive_plan boolean,
        employee_batch_id varchar, job_info_batch_id varchar, incentive_target_batch_id varchar
    );
    create table int_plan_activation (
        plan_code varchar, plan_version integer, country_code varchar, is_activated boolean, effective_from date
    );
    create table int_component_weight (
        plan_code varchar, plan_version integer, tier integer, component_code varchar, earned_quarter varchar,
        weight decimal(9, 4)
    );
    create table fct_metric_result (
        metric_result_key varchar, metric_code varchar, metric_version integer, entity_type varchar,
        entity_code varchar, period_grain varchar, period_start_on date, metric_value decimal(18, 6),
        result_status varchar
    );
    create table fct_score_adjustment_effect (
        metric_result_key varchar, adjustment_id varchar, adjusted_value decimal(18, 6), is_applied boolean
    );
    create table stg_bamboohr__employees (employee_id varchar, employee_number varchar, hired_on date);
    create table stg_bamboohr__plan_acknowledgements (
        plan_acknowledgement_id varchar, employee_id varchar, sent_on date, plan_code varchar, plan_version integer,
        communication_code varchar, acknowledged_at timestamp
    );
    create table stg_bamboohr__time_off_requests (
        time_off_request_id varchar, employee_id varchar, first_on date, last_on date, request_status varchar,
        leave_type varchar, leave_unit varchar
    );
    create table stg_servicenow__problems (
        number varchar, opened_at timestamp, confirmed_at timestamp, assignment_group_id varchar,
        related_incident_count integer
    );
    create table stg_servicenow__groups (group_id varchar, group_name varchar);
"""
MODELS = (
    "int_incentive_participant",
    "int_work_share",
    "int_lifecycle_weight",
    "int_eligibility",
    "fct_eligibility",
    "fct_incentive_payout",
    "fct_draw",
)
QUARTERS = (
    ("2024-Q3", "2024-07-01", "2024-10-01", 92, "2024-10"),
    ("2024-Q4", "2024-10-01", "2025-01-01", 92, "2025-01"),
    ("2025-Q1", "2025-01-01", "2025-04-01", 90, "2025-04"),
    ("2025-Q2", "2025-04-01", "2025-07-01", 91, "2025-07"),
    ("2025-Q3", "2025-07-01", "2025-10-01", 92, "2025-10"),
    ("2025-Q4", "2025-10-01", "2026-01-01", 92, "2026-01"),
)
WORLD = {
    "int_run_context": "as_of_at\n2026-01-05 00:00:00",
    "team": "team_code | tier | cost_centre_code | assignment_group_name\nt1 | 1 | CC-1 | Desk One\nt2 | 1 | CC-2 | Desk Two",
    "service": "service_code | criticality | owner_team_code\nshop | 1 | t1\nblog | 2 | t1",
    "int_employee_assignment": """
        employee_number | country_code | team_code | quarterly_target_amount | currency_code | assigned_from_on | is_in_incentive_plan
        e1 | IE | t1 | 1000.00 | EUR | 2020-01-01 | true
    """,
    "int_plan_activation": "plan_code | plan_version | country_code | is_activated | effective_from\np | 1 | IE | true | 2024-07-01",
    "plan_component": """
        plan_code | plan_version | tier | component_code | metric_code | weight | band_method | role | processing_grain
        p | 1 | 1 | a | m | 0.6 | flat | outcome | individual
        p | 1 | 1 | b | n | 0.4 | flat | counter | individual
    """,
    "achievement_band": """
        plan_code | plan_version | component_code | band_number | lower_bound | payout_share
        p | 1 | a | 1 | 0 | 0
        p | 1 | a | 2 | 0.8 | 0.5
        p | 1 | a | 3 | 0.9 | 1
        p | 1 | b | 1 | 0 | 1
    """,
    "fct_metric_result": """
        metric_result_key | metric_code | metric_version | entity_type | entity_code | period_grain | period_start_on | metric_value | result_status
        m1 | m | 1 | team | t1 | quarter | 2025-01-01 | 0.95 | ok
        n1 | n | 1 | team | t1 | quarter | 2025-01-01 | 0.90 | ok
        m0 | m | 1 | team | t1 | quarter | 2024-10-01 | 0.95 | ok
        n0 | n | 1 | team | t1 | quarter | 2024-10-01 | 0.90 | ok
    """,
    "stg_bamboohr__employees": "employee_id | employee_number | hired_on\n101 | e1 | 2020-01-01",
    "stg_bamboohr__plan_acknowledgements": """
        plan_acknowledgement_id | employee_id | sent_on | plan_code | plan_version | communication_code | acknowledged_at
        ack | 101 | 2024-06-01 | p | 1 | plan_document | 2024-06-08 09:00:00
    """,
    "stg_servicenow__groups": "group_id | group_name\ng1 | Desk One\ng2 | Desk Two",
    # due on 14 January 09:00, confirmed the second before it was too late
    "stg_servicenow__problems": """
        number | opened_at | confirmed_at | assignment_group_id | related_incident_count
        PRB1 | 2025-01-10 09:00:00 | 2025-01-14 09:00:00 | g1 | 2
    """,
    "leave_rule": "leave_type | is_paid | effective_from\nVacation | true | 2024-01-01\nParental | false | 2024-01-01",
    "eligibility_rule": """
        plan_code | plan_version | rule_code | rule_kind | share_kept | communication_code | latest_hired_on | least_days | due_days | least_incident_count | effective_from
        p | 1 | acknowledged | acknowledgement | 0 | plan_document | | | | | 2024-07-01
        p | 1 | tenure | tenure | 0 | | | 30 | | | 2024-07-01
        p | 1 | cohort | cohort | 0 | | 2025-10-31 | | | | 2024-07-01
        p | 1 | rca | root_cause | 0.9 | | | | 4 | 2 | 2024-07-01
    """,
    "disqualification_rule": """
        plan_code | plan_version | rule_code | evidence_kind | metric_code | least_value | look_back_quarters | least_fault_count | share_kept | effective_from
        p | 1 | missed | result_below | m | 0.5 | 2 | 2 | 0 | 2024-07-01
        p | 1 | overdue | improvement_overdue | | | 2 | 2 | 0.5 | 2024-07-01
    """,
    "counter_gate": """
        plan_code | plan_version | tier | component_code | counter_metric_code | least_value | share_kept
        p | 1 | 1 | a | n | 0.8 | 0.5
    """,
    "service_lifecycle": "service_code | phase | effective_from\nshop | maturity | 2020-01-01\nblog | retirement | 2020-01-01",
    "lifecycle_weight": """
        plan_code | plan_version | phase | tier | component_code | weight
        p | 1 | introduction | 1 | a | 0.2
        p | 1 | introduction | 1 | b | 0.8
        p | 1 | retirement | 1 | a | 1
        p | 1 | retirement | 1 | b | 0
    """,
}  # fmt: skip


def rows(text: str) -> list[dict[str, Any]]:
    """Rows from lines of cells parted by |, the first one naming the columns; an empty cell is null."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [dict(zip(lines[0], (cell or None for cell in line), strict=True)) for line in lines[1:]]


def open_pay() -> duckdb.DuckDBPyConnection:
    """The world in order, with the models as views."""
    connection = duckdb.connect()
    for path in sorted((ROOT / "seeds").rglob("_*.yml")):
        for entry in (yaml.safe_load(path.read_text()) or {}).get("seeds") or []:
            if entry["name"] in SEEDS:
                columns = ", ".join(f'"{name}" {kind}' for name, kind in entry["config"]["column_types"].items())
                connection.execute(f"create table {entry['name']} ({columns})")
    connection.execute(GIVEN)
    for name, text in WORLD.items():
        fill(connection, name, rows(text))
    for code, start, end, days, paid_in in QUARTERS:
        connection.execute("insert into int_reporting_period values ('quarter', ?, ?, ?, true)", [code, start, end])
        connection.execute(
            "insert into int_incentive_period values ('p', 1, ?, ?, ?, ?, ?, true)", [code, start, end, days, paid_in]
        )
    for model in MODELS:
        connection.execute(f"create view {model} as {model_sql(model)}")
    return connection

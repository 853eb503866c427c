"""The governance models on a small world of its own, without dbt: seeds as tables, models as views.

Every table has the columns and types its seed's properties say; every view is the real model's SQL. So a test can
change one cell and read what became of the results at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.model_sql import model_sql
from tests.declared import seed_types

ROOT = Path(__file__).resolve().parents[1]
SEEDS = (
    "governance_member",
    "activation_rule",
    "activation_rule_function",
    "approval_role",
    "approval_demand",
    "gate_limit",
    "metric_change_request",
    "metric_board_vote",
    "metric_impact_assessment",
    "metric_impact_assessment_team",
    "governance_approval",
    "plan_approval",
    "plan_clause",
    "jurisdiction_rule",
    "target_relaxation",
    "weight_adjustment",
    "weight_adjustment_component",
    "metric_definition",
    "metric_entity_type",
    "metric_filter",
    "metric_weight",
    "incentive_plan",
    "plan_component",
    "achievement_band",
    "counter_gate",
    "disqualification_rule",
    "eligibility_rule",
    "lifecycle_weight",
    "service_lifecycle",
    "leave_rule",
    "part_time_agreement",
    "improvement_plan",
    "team",
    "service",
    "slt_definition",
    "slt_target",
)
# Tables of models that stand above the governance ones, with the columns these read.
GIVEN = """
    create table int_run_context (run_id varchar, as_of_at timestamp, as_of_policy varchar);
    create table int_reporting_period (
        period_grain varchar, period_code varchar, period_start_on date, period_end_on date, period_days integer,
        is_complete boolean
    );
    create table int_employee_assignment (
        employee_number varchar, country_code varchar, team_code varchar, quarterly_target_amount decimal(18, 2),
        currency_code varchar, assigned_from_on date, assigned_to_on date, is_in_incentive_plan boolean,
        employee_batch_id varchar, job_info_batch_id varchar, incentive_target_batch_id varchar
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
    create table int_exclusion_request (
        exclusion_id varchar, exclusion_source varchar, category varchar, scope_type varchar, scope_code varchar,
        starts_at timestamp, ends_at timestamp, is_documented boolean
    );
    create table fct_metric_result (
        metric_result_key varchar, metric_code varchar, metric_version integer, entity_type varchar,
        entity_code varchar, period_grain varchar, period_start_on date, metric_value decimal(18, 6),
        result_status varchar
    );
    create table fct_score_adjustment_effect (
        metric_result_key varchar, adjustment_id varchar, adjusted_value decimal(18, 6), is_applied boolean
    );
    create table fct_metric_replay (
        metric_code varchar, metric_version integer, entity_type varchar, entity_code varchar, period_grain varchar,
        period_start_on date, period_end_on date, metric_value decimal(18, 6), sample_count bigint,
        result_status varchar, unit varchar, direction varchar, result_kind varchar
    );
    create table int_metric_output (output_name varchar, schema_name varchar);
    create table fct_ticket_slt (
        slt_code varchar, slt_version integer, service_code varchar, priority integer, start_at timestamp,
        stop_at timestamp, net_seconds bigint, tolerance_seconds bigint, slt_status varchar
    );
"""
MODELS = (
    "int_metric_vote",
    "int_governance_approval",
    "int_plan_activation",
    "int_metric_definition",
    "int_metric_request",
    "int_metric_change",
    "int_metric_activation",
    "int_incentive_period",
    "int_register_gate",
    "int_weight_adjustment",
    "int_component_weight",
    "int_target_relaxation",
    "int_incentive_participant",
    "int_work_share",
    "int_lifecycle_weight",
    "int_eligibility",
    "fct_eligibility",
    "fct_incentive_payout",
    "rpt_metric_activation",
    "rpt_metric_change_impact",
    "rpt_plan_activation",
    "rpt_jurisdiction_review",
    "rpt_target_relaxation",
    "rpt_weight_adjustment",
)


def open_engine() -> duckdb.DuckDBPyConnection:
    """A warehouse in memory with the empty tables and the models as views."""
    connection = duckdb.connect()
    for name in SEEDS:
        types = seed_types()[name]
        columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
        connection.execute(f"create table {name} ({columns})")
    connection.execute(GIVEN)
    for model in MODELS:
        connection.execute(f"create view {model} as {model_sql(model)}")
    return connection


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Put rows into a table in place of what it holds; what a row does not name is null."""
    connection.execute(f"delete from {table}")
    alike: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        alike.setdefault(tuple(row), []).extend(row.values())
    for names, values in alike.items():
        columns = ", ".join(f'"{name}"' for name in names)
        marks = "(" + ", ".join("?" for _ in names) + ")"
        count = len(values) // len(names)
        connection.execute(f"insert into {table} ({columns}) values {', '.join([marks] * count)}", values)


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries."""
    found = connection.execute(query)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

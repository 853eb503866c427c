"""Gate marts on what a close is judged by: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

from typing import Any

import pytest

from expectations.suites import marts_close, marts_registers
from expectations.suites.marts_close import (
    ACCEPTED,
    APPROVALS,
    CLOSED,
    CLOSED_FACTS,
    CLOSED_LINES,
    CLOSED_PERIODS,
    CONTEXT,
    DEMANDS,
    DIFFERENCES,
    LEDGER,
    MEMBERS,
    PAYOUTS,
    PAYROLL,
    READINESS,
    RESTATEMENTS,
)
from tests.integration.bench import Bench

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in marts_close.checks()}
D, R, C, S = "rpt_close_difference", "rpt_close_readiness", "dim_closed_period", "fct_restatement"
F = "fct_closed_payout_line"
ONE = "rowid = (select min(rowid) from {t} where "
MET = "demand_code = 'payment_is_approved_by_cfo' and is_met"

# check, table, statement
DEFECTS = [
    (f"{D}_lists_every_difference", DIFFERENCES, f"delete from {{t}} where {ONE} true)"),
    (f"{D}_lists_every_difference", DIFFERENCES, f"update {{t}} set difference_amount = difference_amount + 0.01 where {ONE} true)"),
    (f"{D}_lists_every_difference", PAYROLL, f"update {{t}} set status = 'missing_left', difference_amount = 1.00 where {ONE} status = 'matched')"),
    (f"{D}_lists_every_difference", LEDGER, f"update {{t}} set status = 'matched' where {ONE} status = 'amount_differs')"),
    (f"{D}_explained_is_what_was_accepted", DIFFERENCES, f"update {{t}} set is_explained = true, finding = 'accepted' where {ONE} finding = 'unexplained')"),
    (f"{D}_explained_is_what_was_accepted", DIFFERENCES, f"update {{t}} set is_explained = true where {ONE} finding = 'not_told_yet')"),
    (f"{D}_explained_is_what_was_accepted", DIFFERENCES, "update {t} set acceptance_id = 'ACD-022' where is_explained"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set difference_amount = difference_amount + 0.01"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set status = 'duplicate'"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set rec_name = 'rec_payout_to_gl'"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set subject_code = 'e1001'"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set earned_quarter = '2025-Q3'"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set currency_code = 'GBP'"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set explanation = ' '"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set accepted_by = subject_code"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set role_code = 'cfo'"),
    (f"{D}_explained_is_what_was_accepted", ACCEPTED, "update {t} set recorded_at = timestamp '2026-01-06'"),
    (f"{D}_explained_is_what_was_accepted", MEMBERS, "update {t} set to_on = date '2025-04-30' where role_code = 'controller'"),
    (f"{R}_lists_every_demand", READINESS, f"delete from {{t}} where {ONE} true)"),
    (f"{R}_lists_every_demand", READINESS, f"update {{t}} set is_met = true where {ONE} finding_count > 0)"),
    (f"{R}_lists_every_demand", DEMANDS, "insert into {t} values ('payment', 'cio')"),
    (f"{R}_approved_is_what_was_calculated", READINESS, "update {t} set is_met = true where period_code = '2025-Q3' and demand_code = 'payment_is_approved_by_cfo'"),
    (f"{R}_approved_is_what_was_calculated", READINESS, f"update {{t}} set is_met = false where {ONE} {MET})"),
    (f"{R}_approved_is_what_was_calculated", PAYOUTS, f"update {{t}} set payout_amount = payout_amount + 0.01 where {ONE} earned_quarter = '2025-Q1')"),
    (f"{R}_approved_is_what_was_calculated", PAYOUTS, f"insert into {{t}} select * replace ('GBP' as currency_code) from {{t}} where {ONE} earned_quarter = '2025-Q1')"),
    (f"{R}_approved_is_what_was_calculated", APPROVALS, "update {t} set control_total_amount = control_total_amount + 0.01"),
    (f"{R}_approved_is_what_was_calculated", APPROVALS, "delete from {t} where currency_code = 'USD'"),
    (f"{R}_approved_is_what_was_calculated", APPROVALS, "insert into {t} select * replace ('GBP' as currency_code, 1.00 as control_total_amount) from {t} where currency_code = 'USD'"),
    (f"{R}_approved_is_what_was_calculated", APPROVALS, "update {t} set decision = 'rejected'"),
    (f"{R}_approved_is_what_was_calculated", APPROVALS, "update {t} set prepared_by = approved_by"),
    (f"{R}_approved_is_what_was_calculated", APPROVALS, "update {t} set prepared_by = case approved_by when 'g2001' then 'g2003' else 'g2001' end"),
    (f"{R}_approved_is_what_was_calculated", APPROVALS, "update {t} set approved_on = date '2024-09-30'"),
    (f"{R}_approved_is_what_was_calculated", APPROVALS, "update {t} set recorded_at = timestamp '2026-01-06'"),
    (f"{R}_approved_is_what_was_calculated", APPROVALS, "update {t} set approved_by = 'g2002'"),
    (f"{R}_approved_is_what_was_calculated", MEMBERS, "update {t} set to_on = date '2025-04-30' where role_code = 'cfo'"),
    (f"{R}_approved_is_what_was_calculated", CONTEXT, "update {t} set as_of_at = timestamp '2025-03-01'"),
    (f"{R}_explained_leaves_no_difference_out", DIFFERENCES, "update {t} set is_explained = false where rec_name = 'rec_payout_to_gl'"),
    (f"{R}_explained_leaves_no_difference_out", DIFFERENCES, "update {t} set is_explained = false, earned_quarter = null where rec_name = 'rec_payout_to_payroll'"),
    (f"{R}_explained_leaves_no_difference_out", READINESS, "update {t} set is_met = true where period_code = '2025-Q4' and demand_code = 'rec_payout_to_payroll_is_told'"),
    (f"{C}_is_a_chain", CLOSED, "update {t} set previous_manifest_sha256 = 'x' where sequence_number = 2"),
    (f"{C}_is_a_chain", CLOSED, "update {t} set sequence_number = 3 where sequence_number = 2"),
    (f"{C}_is_a_chain", CLOSED, "delete from {t} where sequence_number = 1"),
    (f"{C}_is_a_chain", CLOSED, "delete from {t} where sequence_number = 2"),
    (f"{C}_is_a_chain", CLOSED_PERIODS, "update {t} set manifest_sha256 = 'x' where sequence_number = 2"),
    (f"{C}_holds_the_lines_it_was_closed_with", CLOSED_LINES, f"delete from {{t}} where {ONE} true)"),
    (f"{C}_holds_the_lines_it_was_closed_with", CLOSED_LINES, "insert into {t} select * replace ('2025-Q1' as period_code) from {t} limit 1"),
    (f"{C}_holds_the_lines_it_was_closed_with", CLOSED_LINES, "update {t} set employee_number = 'e1'"),
    (f"{F}_is_what_was_closed", CLOSED_FACTS, f"delete from {{t}} where {ONE} true)"),
    (f"{F}_is_what_was_closed", CLOSED_FACTS, f"update {{t}} set payout_amount = payout_amount + 0.01 where {ONE} true)"),
    (f"{F}_is_what_was_closed", CLOSED_FACTS, f"update {{t}} set employee_number = 'e1' where {ONE} true)"),
    (f"{F}_is_what_was_closed", CLOSED_FACTS, f"update {{t}} set currency_code = 'GBP' where {ONE} true)"),
    (f"{S}_is_today_less_closed", PAYOUTS, f"update {{t}} set payout_amount = payout_amount + 0.01 where {ONE} earned_quarter = '2024-Q3')"),
    (f"{S}_is_today_less_closed", CLOSED_LINES, f"delete from {{t}} where {ONE} payout_amount > 0)"),
    (f"{S}_is_today_less_closed", RESTATEMENTS, "insert into {t} (period_code, payout_line_id, employee_number, restatement_kind, currency_code, archived_amount, recalculated_amount, difference_amount, booked_amount, is_booked) values ('2024-Q3', 'l', 'e', 'changed', 'EUR', 0, 5, 5, 5, true)"),
    (f"{S}_is_today_less_closed", RESTATEMENTS, "insert into {t} (period_code, payout_line_id, employee_number, restatement_kind, currency_code, archived_amount, recalculated_amount, difference_amount, booked_amount, is_booked) values ('2024-Q3', 'l', 'e', 'changed', 'EUR', 5, 5, 0, 0, true)"),
    (f"{S}_needs_nobody", RESTATEMENTS, "insert into {t} (period_code, payout_line_id, employee_number, restatement_kind, currency_code, archived_amount, recalculated_amount, difference_amount, booked_amount, is_booked) values ('2024-Q3', 'l', 'e', 'changed', 'EUR', 0, 5, 5, 5, true)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def bench(demo_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A copy of the built warehouse with two periods registered as closed; any defect is made in here and undone."""
    copy = Bench.of(demo_warehouse.warehouse_path, tmp_path_factory.mktemp("close"))
    copy.sql(
        f"""
        insert into {CLOSED_LINES} by name
        select earned_quarter as period_code, payout_line_id, plan_code, plan_version, employee_number, segment_start_on,
            segment_end_on, team_code, country_code, cost_centre_code, component_code, metric_result_key, metric_value,
            paid_value, payout_share, weight, target_amount, payout_amount, currency_code
        from {PAYOUTS} where earned_quarter in ('2024-Q3', '2024-Q4')
        """,
        f"insert into {CLOSED_FACTS} by name select * from {CLOSED_LINES}",
        f"insert into {CLOSED_PERIODS} values "
        "('2024-Q3', 1, timestamp '2026-01-04', timestamp '2026-01-05', 'm1', null, 'r', 1, 37, 1000), "
        "('2024-Q4', 2, timestamp '2026-01-04', timestamp '2026-01-05', 'm2', 'm1', 'r', 1, 37, 1000)",
        f"""
        insert into {CLOSED} by name
        select closed.*, line_count as payout_line_count, employee_count, 0 as restated_line_count
        from {CLOSED_PERIODS} as closed inner join (
            select period_code, count(*) as line_count, count(distinct employee_number) as employee_count
            from {CLOSED_LINES} group by period_code
        ) using (period_code)
        """,
    )
    return copy


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("name", "table", "statement"), DEFECTS, ids=[f"{c[0]}-{n}" for n, c in enumerate(DEFECTS)])
def test_each_check_refuses_its_defect(bench: Bench, name: str, table: str, statement: str) -> None:
    before = bench.outcome("marts", SPECS[name])
    assert before.success, before
    bench.assert_refuses(SPECS[name], table, statement)


def test_every_check_has_a_defect() -> None:
    assert {name for name, _, _ in DEFECTS} == set(SPECS)


def test_a_closed_period_without_its_retention_is_refused(bench: Bench) -> None:
    (spec,) = [spec for spec in marts_registers.checks() if spec.check_name == "rpt_retention_lists_all_that_is_held"]
    assert bench.run_gate("marts", [spec]).is_open
    with bench.defect("core.int_closed_period", f"insert into {{t}} by name select * from {CLOSED_PERIODS}"):
        outcome = bench.outcome("marts", spec)
    assert not outcome.success and outcome.unexpected_count == 2, outcome

"""Finance's reconciliations on the demonstration company: what is planted is found, nothing else, and each check
refuses its defect.
"""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from expectations.outcomes import describe
from expectations.suites import marts_reconciliations
from expectations.suites.marts_reconciliations import (
    ACCRUAL_TO_GL,
    ACCRUAL_TO_PAYMENT,
    ACCRUALS,
    CREDIT_TO_BILLING,
    GL_MAPPING,
    HRIS_TO_PAYROLL,
    INCENTIVE_COST,
    INSURANCE,
    MEASURED_TO_REPORTED,
    MONITORING_TO_TRANSACTIONS,
)
from tests.integration.bench import Bench

pytestmark = pytest.mark.slow

MARTS = {spec.check_name: spec for spec in marts_reconciliations.checks()}
ONE = "rowid = (select min(rowid) from {t} where "
# (table, columns of both sides)
RECONCILIATIONS = (
    (ACCRUAL_TO_GL, "accrual_amount", "gl_amount"),
    (ACCRUAL_TO_PAYMENT, "accrued_amount", "paid_amount"),
    (CREDIT_TO_BILLING, "owed_amount", "billed_amount"),
)
# its left side is people, not a total
# what a reconciliation can say while both its sources are there
EVERY_STATUS = {
    "matched",
    "timing",
    "amount_differs",
    "missing_left",
    "missing_right",
    "duplicate",
    "wrong_period",
    "wrong_currency",
}
ALL = (*RECONCILIATIONS, (HRIS_TO_PAYROLL, "hris_amount", "payroll_amount"))
# (table, the share on its left)
COMPARISONS = ((MONITORING_TO_TRANSACTIONS, "monitor_share"), (MEASURED_TO_REPORTED, "measured_share"))
PLANTED = {f"{table.partition('.')[2]}_needs_nobody" for table, *_ in (*ALL, *COMPARISONS, (INSURANCE,))}

# check (without its table), table the defect is made in, statement
DEFECTS = [
    ("key_is_unique", ACCRUALS, "insert into {t} select * from {t} limit 1"),
    ("accrual_kind_is_known", ACCRUALS, f"update {{t}} set accrual_kind = 'guess' where {ONE} true)"),
    ("a_quarter_that_is_over_owes_what_was_calculated", ACCRUALS, f"update {{t}} set accrual_amount = accrual_amount + 0.01 where {ONE} accrual_kind = 'recognition' and earned_quarter = '2025-Q1')"),
    ("a_quarter_that_is_over_owes_what_was_calculated", ACCRUALS, f"update {{t}} set accrual_amount = accrual_amount + 0.01 where {ONE} accrual_kind = 'release')"),
    ("a_quarter_that_is_over_owes_what_was_calculated", ACCRUALS, "delete from {t} where earned_quarter = '2025-Q1' and cost_centre_code = 'CC-1110'"),
    *[
        defect
        for table, left, right in ALL
        for defect in (
            ("key_is_unique", table, "insert into {t} select * from {t} limit 1"),
            ("status_is_known", table, f"update {{t}} set status = 'fine' where {ONE} true)"),
            ("status_is_given", table, f"update {{t}} set status = null where {ONE} true)"),
            ("explanation_is_given", table, f"update {{t}} set explanation = null where {ONE} true)"),
            ("status_is_honest", table, f"update {{t}} set difference_amount = difference_amount + 0.01 where {ONE} difference_amount is not null)"),
            ("status_is_honest", table, f"update {{t}} set status = 'matched' where {ONE} difference_amount <> 0)"),
            ("status_is_honest", table, f"update {{t}} set status = 'missing_left' where {ONE} {left} <> 0)"),
            ("status_is_honest", table, f"update {{t}} set status = 'missing_right' where {ONE} {right} <> 0)"),
            ("status_is_honest", table, f"update {{t}} set status = 'source_absent' where {ONE} difference_amount = 0)"),
            ("status_is_honest", table, f"update {{t}} set explanation = ' ' where {ONE} true)"),
            ("status_is_honest", table, f"update {{t}} set age_days = -1 where {ONE} true)"),
            ("needs_nobody", table, f"update {{t}} set status = 'amount_differs' where {ONE} status = 'matched')"),
        )
    ],
    *[
        defect
        for table, left, right in RECONCILIATIONS
        for defect in (
            ("ties_to_both_sides", table, f"delete from {{t}} where {ONE} {left} <> 0 and {right} <> 0)"),
            ("ties_to_both_sides", table, f"update {{t}} set {left} = {left} - 0.01 where {ONE} true)"),
            ("ties_to_both_sides", table, f"update {{t}} set {right} = {right} - 0.01 where {ONE} true)"),
        )
    ],
    *[
        defect
        for table, left in COMPARISONS
        for defect in (
            ("key_is_unique", table, "insert into {t} select * from {t} limit 1"),
            ("status_is_known", table, f"update {{t}} set status = 'fine' where {ONE} true)"),
            ("status_is_given", table, f"update {{t}} set status = null where {ONE} true)"),
            ("explanation_is_given", table, f"update {{t}} set explanation = null where {ONE} true)"),
            ("status_is_honest", table, f"update {{t}} set {left} = {left} - 0.9 where {ONE} status = 'matched')"),
            ("status_is_honest", table, f"update {{t}} set status = 'amount_differs' where {ONE} status = 'matched')"),
            ("status_is_honest", table, f"update {{t}} set status = 'matched', difference_share = null, {left} = null where {ONE} true)"),
            ("needs_nobody", table, f"update {{t}} set status = 'missing_left' where {ONE} status = 'matched')"),
        )
    ],
    ("key_is_unique", INSURANCE, "insert into {t} select * from {t} limit 1"),
    ("condition_status_is_known", INSURANCE, f"update {{t}} set condition_status = 'fine' where {ONE} true)"),
    ("verdict_follows_from_the_figure", INSURANCE, f"update {{t}} set condition_status = 'kept' where {ONE} condition_status = 'broken')"),
    ("verdict_follows_from_the_figure", INSURANCE, f"update {{t}} set condition_status = 'broken' where {ONE} condition_status = 'kept')"),
    ("verdict_follows_from_the_figure", INSURANCE, f"update {{t}} set condition_status = 'kept' where {ONE} condition_status = 'not_measured')"),
    ("verdict_follows_from_the_figure", INSURANCE, f"update {{t}} set condition_status = 'not_measured' where {ONE} condition_status = 'kept')"),
    ("judges_every_condition", INSURANCE, f"delete from {{t}} where {ONE} true)"),
    ("needs_nobody", INSURANCE, f"update {{t}} set condition_status = 'broken' where {ONE} condition_status = 'kept')"),
    ("holds_every_transaction", MONITORING_TO_TRANSACTIONS, f"delete from {{t}} where {ONE} true)"),
    ("holds_every_transaction", MONITORING_TO_TRANSACTIONS, f"update {{t}} set all_down_seconds = all_down_seconds + 1 where {ONE} true)"),
    ("holds_every_answer", MEASURED_TO_REPORTED, f"delete from {{t}} where {ONE} answer_count > 0)"),
    *[
        ("lets_no_line_through_unmapped", GL_MAPPING, f"update {{t}} set is_mapped = {verdict} where {ONE} true)")
        for verdict in ("false", "null")
    ],
    ("judges_every_line_as_it_is_paid", GL_MAPPING, f"delete from {{t}} where {ONE} true)"),
    ("judges_every_line_as_it_is_paid", GL_MAPPING, f"update {{t}} set payout_line_id = 'other' where {ONE} true)"),
    ("judges_every_line_as_it_is_paid", GL_MAPPING, f"update {{t}} set payout_amount = payout_amount + 0.01 where {ONE} true)"),
    ("judges_every_line_as_it_is_paid", GL_MAPPING, f"update {{t}} set cost_centre_code = 'CC-0' where {ONE} true)"),
    ("judges_every_line_as_it_is_paid", GL_MAPPING, f"update {{t}} set currency_code = 'GBP' where {ONE} true)"),
    *[
        ("verdict_follows_from_its_parts", GL_MAPPING, f"update {{t}} set {part} where {ONE} true)")
        for part in ("is_cost_centre_known = false", "is_account_known = false", "is_currency_known = false", "account_code = null", "refusal_reasons = 'late'", "is_mapped = false")
    ],
    ("key_is_unique", INCENTIVE_COST, "insert into {t} select * from {t} limit 1"),
    ("parts_sum_to_the_payouts", INCENTIVE_COST, f"update {{t}} set cost_amount = cost_amount + 0.01 where {ONE} true)"),
    ("parts_sum_to_the_payouts", INCENTIVE_COST, "delete from {t} where team_code = 'sre' and earned_quarter = '2025-Q1'"),
    ("parts_are_within_a_cent_of_their_share", INCENTIVE_COST, f"update {{t}} set cost_amount = cost_amount + 5 where {ONE} allocation_basis = 'tickets_resolved')"),
    ("parts_are_within_a_cent_of_their_share", INCENTIVE_COST, f"update {{t}} set ticket_count = ticket_count + 9 where {ONE} allocation_basis = 'tickets_resolved')"),
    ("holds_every_register_line", HRIS_TO_PAYROLL, f"delete from {{t}} where {ONE} payroll_amount <> 0)"),
    ("holds_every_register_line", HRIS_TO_PAYROLL, f"update {{t}} set payroll_amount = payroll_amount + 0.01 where {ONE} payroll_line_count > 0)"),
    ("holds_every_register_line", HRIS_TO_PAYROLL, f"update {{t}} set payroll_line_count = 2 where {ONE} payroll_line_count = 1)"),
    ("holds_every_month_employed", HRIS_TO_PAYROLL, f"delete from {{t}} where {ONE} attribute_code = 'base_pay')"),
    ("holds_every_month_employed", HRIS_TO_PAYROLL, f"update {{t}} set has_hris = false where {ONE} attribute_code = 'base_pay')"),
]  # fmt: skip
# Checks that stand on one table and refuse a defect of another: (check, table, statement).
DEFECTS_ELSEWHERE = [
    ("fct_accrual_every_plan_has_one_policy", "reference.accrual_policy", "delete from {t} where plan_code = 'operations_quarterly' and effective_to is not null"),
    ("fct_accrual_every_plan_has_one_policy", "reference.accrual_policy", "update {t} set effective_to = null"),
]  # fmt: skip


def name_of(short: str, table: str) -> str:
    return f"{table.partition('.')[2]}_{short}"


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        yield connection


def planted(demo_warehouse: Any, kind: str) -> list[dict[str, str]]:
    """The rows that planted facts say a reconciliation must show."""
    return [row for fact in demo_warehouse.company.planted for row in fact.detail.get(kind, [])]


def assert_each_status_stands_three_times(warehouse: Any, table: str, statuses: set[str]) -> None:
    """What one finding proves by chance, three in different places prove; the statuses are all the table has."""
    counts = dict(warehouse.execute(f"select status, count(*) from {table} group by all").fetchall())
    assert counts.keys() == statuses and min(counts.values()) >= 3, counts


def test_the_demonstration_company_passes_but_for_what_is_planted(bench: Bench) -> None:
    result = bench.run_gate("marts", MARTS.values())
    assert result.is_open and not result.skipped, [describe(o) for o in result.outcomes]
    assert {o.check_name for o in result.warnings} == PLANTED, [describe(o) for o in result.warnings]


CASES = [
    *((name_of(short, table), table, statement) for short, table, statement in DEFECTS),
    *DEFECTS_ELSEWHERE,
]


@pytest.mark.parametrize(("name", "table", "statement"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_each_check_refuses_its_defect(bench: Bench, name: str, table: str, statement: str) -> None:
    bench.assert_refuses(MARTS[name], table, statement, is_planted=name in PLANTED)


def test_every_check_has_a_defect() -> None:
    assert {name for name, *_ in CASES} == set(MARTS)


# --- accruals ---


@pytest.mark.requirement("LTI-4.6")
def test_planted_accruals_are_found_to_the_cent_and_none_is_invented(demo_warehouse: Any, warehouse: Any) -> None:
    columns = (
        "accrual_month",
        "earned_quarter",
        "cost_centre_code",
        "currency_code",
        "status",
        "accrual_amount",
        "gl_amount",
        "difference_amount",
    )
    expected = Counter(
        tuple(row[name] for name in columns) for row in planted(demo_warehouse, "expected_accrual_to_gl")
    )
    found = Counter(
        warehouse.execute(
            "select accrual_month, coalesce(earned_quarter, ''), cost_centre_code, currency_code, status, "
            "accrual_amount::varchar, gl_amount::varchar, difference_amount::varchar "
            "from finance.rec_accrual_to_gl where status not in ('matched', 'timing')"
        ).fetchall()
    )
    assert found == expected
    assert_each_status_stands_three_times(warehouse, ACCRUAL_TO_GL, EVERY_STATUS)
    (matched,) = warehouse.execute("select count(*) from finance.rec_accrual_to_gl where status = 'matched'").fetchone()
    assert matched >= 150


@pytest.mark.requirement("LTI-4.6")
def test_the_schedule_is_the_one_worked_out_from_the_people(demo_warehouse: Any, warehouse: Any) -> None:
    """Every movement a second time, from the company's own people and payouts, day by day."""
    from ingestion.demo.accruals import accrual_schedule
    from ingestion.demo.pay_desk import calculate_payouts

    company = demo_warehouse.company
    expected = {
        (
            item.earned_quarter,
            item.cost_centre_code,
            item.currency_code,
            item.accrual_month,
            item.accrual_kind,
        ): item.amount
        for item in accrual_schedule(company, calculate_payouts(company))
    }
    found = {
        tuple(row[:5]): row[5]
        for row in warehouse.execute(
            "select earned_quarter, cost_centre_code, currency_code, accrual_month, accrual_kind, accrual_amount "
            "from finance.fct_accrual"
        ).fetchall()
    }
    assert found == expected and len(found) > 200


@pytest.mark.requirement("OPS-7.3")
def test_what_was_accrued_and_not_paid_is_found_and_nothing_is_invented(demo_warehouse: Any, warehouse: Any) -> None:
    rows = planted(demo_warehouse, "expected_accrual_to_payment")
    expected = {
        (row["earned_quarter"], row["cost_centre_code"], row["currency_code"]): (
            row["status"],
            Decimal(row["calculated_amount"]),
            Decimal(row["booked_amount"]),
        )
        for row in rows
    }
    assert len(expected) == len(rows)
    found = {
        tuple(row[:3]): tuple(row[3:])
        for row in warehouse.execute(
            "select earned_quarter, cost_centre_code, currency_code, status, accrued_amount, paid_amount "
            "from finance.rec_accrual_to_payment where status not in ('matched', 'timing')"
        ).fetchall()
    }
    assert found == expected
    assert_each_status_stands_three_times(warehouse, ACCRUAL_TO_PAYMENT, EVERY_STATUS)
    assert warehouse.execute(
        "select distinct earned_quarter from finance.rec_accrual_to_payment where status = 'timing' order by 1"
    ).fetchall() == [("2025-Q4",), ("2026-Q1",)]


# --- service credits ---


@pytest.mark.requirement("SVC-8.2")
def test_planted_credits_are_found_to_the_cent_and_none_is_invented(demo_warehouse: Any, warehouse: Any) -> None:
    from ingestion.demo.back_office import CREDIT_COLUMNS, NEVER_CREDITED

    columns = ", ".join(f"{name}::varchar" for name in CREDIT_COLUMNS)
    found = warehouse.execute(
        f"select {columns} from finance.rec_credit_to_billing "
        "where status not in ('matched', 'timing', 'source_absent') and contract_code <> ?",
        [NEVER_CREDITED],
    ).fetchall()
    expected = {
        tuple(row[name] for name in CREDIT_COLUMNS) for row in planted(demo_warehouse, "expected_credit_to_billing")
    }
    assert set(found) == expected and len(found) == len(expected)
    assert_each_status_stands_three_times(warehouse, CREDIT_TO_BILLING, {*EVERY_STATUS, "source_absent"})
    # what its tickets owe, due and billed for, all of it and nothing else
    never = warehouse.execute(
        "select period_start_on, owed_amount from finance.rec_credit_to_billing "
        "where contract_code = ? and status = 'missing_right' order by 1",
        [NEVER_CREDITED],
    ).fetchall()
    owed = warehouse.execute(
        "select period_start_on, credit_amount from slt.fct_service_credit where supplier_contract_code = ? "
        "and credit_status = 'ok' and credit_amount > 0 and period_start_on between date '2025-04-01' and "
        "date '2025-11-30' order by 1",
        [NEVER_CREDITED],
    ).fetchall()
    assert never == owed
    settled = dict(
        warehouse.execute(
            "select status, count(*) from finance.rec_credit_to_billing where direction = 'owed_to_us' group by all"
        ).fetchall()
    )
    assert settled["matched"] >= 7 and settled["timing"] == 3


# --- people ---


@pytest.mark.requirement("LTI-7.4")
def test_only_the_planted_people_differ_between_hris_and_payroll(demo_warehouse: Any, warehouse: Any) -> None:
    """Of the faults of payroll, those the HRIS can tell: who, in which currency, and base pay of every kind."""
    columns = ("attribute_code", "employee_number", "period_code", "currency_code", "status", "payroll_amount")
    expected = [tuple(row[column] for column in columns) for row in planted(demo_warehouse, "expected_hris_to_payroll")]
    found = warehouse.execute(
        f"select {', '.join(columns[:-1])}, payroll_amount::varchar from finance.rec_hris_to_payroll "
        "where status not in ('matched', 'timing')"
    ).fetchall()
    assert sorted(found) == sorted(expected)
    # a month or quarter of pay is not held against another one: there is no wrong period
    assert_each_status_stands_three_times(warehouse, HRIS_TO_PAYROLL, EVERY_STATUS - {"wrong_period"})
    judged, matched = warehouse.execute(
        "select count(difference_amount), count(*) from finance.rec_hris_to_payroll "
        "where attribute_code = 'base_pay' and status = 'matched'"
    ).fetchone()
    assert matched > 1000 and judged > matched * 0.95


# --- what users lived with ---


@pytest.mark.requirement("SLT-3.4")
def test_monitoring_is_held_against_transactions_second_by_second(demo_warehouse: Any, warehouse: Any) -> None:
    """Worked out a second time in Python, bucket by bucket, from the samples and the monitors' own intervals."""
    down: dict[str, dict[str, list[tuple[Any, Any]]]] = {}
    for service, monitor, from_at, to_at in warehouse.execute(
        "select service_code, monitor_id, from_at, to_at from core.int_monitor_interval where monitor_state = 'down'"
    ).fetchall():
        down.setdefault(service, {}).setdefault(monitor, []).append((from_at, to_at))
    expected: dict[tuple[str, Any], list[int]] = {}
    for monitor_id, service, bucket_at, up_seconds, down_seconds in warehouse.execute(
        "select monitor_id, service_code, bucket_at, up_seconds, down_seconds from core.int_monitor_bucket "
        "where sample_kind in ('log_scraped', 'real_user') and up_seconds + down_seconds > 0"
    ).fetchall():
        end_at = bucket_at + timedelta(seconds=300)
        seen = max(
            (
                sum(
                    int((min(to_at, end_at) - max(from_at, bucket_at)).total_seconds())
                    for from_at, to_at in intervals
                    if from_at < end_at and to_at > bucket_at
                )
                for intervals in down.get(service, {}).values()
            ),
            default=0,
        )
        seen = min(seen, up_seconds + down_seconds)
        sums = expected.setdefault((monitor_id, bucket_at.date()), [0, 0])
        sums[0] += max(0, down_seconds - seen)
        sums[1] += max(0, seen - down_seconds)
    found = {
        (monitor_id, day_on): [missed, unconfirmed]
        for monitor_id, day_on, missed, unconfirmed in warehouse.execute(
            "select transaction_monitor_id, day_on, missed_down_seconds, unconfirmed_down_seconds "
            "from finance.rec_monitoring_to_transactions where compared_seconds = transaction_seconds"
        ).fetchall()
    }
    assert len(found) > 80 and found == {key: expected[key] for key in found}
    statuses = dict(
        warehouse.execute("select status, count(*) from finance.rec_monitoring_to_transactions group by all").fetchall()
    )
    assert statuses["matched"] > 60 and statuses["amount_differs"] > 5
    untold = warehouse.execute(
        "select transaction_monitor_id, day_on::varchar, status from finance.rec_monitoring_to_transactions "
        "where status not in ('matched', 'amount_differs')"
    ).fetchall()
    columns = ("transaction_monitor_id", "day_on", "status")
    assert sorted(untold) == sorted(
        tuple(row[name] for name in columns) for row in planted(demo_warehouse, "expected_monitoring_to_transactions")
    )
    assert len(untold) == 3


@pytest.mark.requirement("SVC-5.5")
def test_what_customers_say_is_held_against_the_tickets_they_speak_of(warehouse: Any) -> None:
    """Each answer a second time in Python: the ticket's verdict and the customer's, by service and quarter."""
    breached: dict[str, bool] = {}
    for ticket_key, status in warehouse.execute(
        "select ticket_key, slt_status from slt.fct_ticket_slt where phase = 'resolution' "
        "and slt_status in ('met', 'within_tolerance', 'breached')"
    ).fetchall():
        breached[ticket_key] = breached.get(ticket_key, False) or status == "breached"
    expected: dict[tuple[str | None, str], Counter[str]] = {}
    for ticket_key, service, answered_at, score in warehouse.execute(
        "select answer.ticket_key, coalesce(answer.named_service_code, ticket.service_code), answer.answered_at, "
        "answer.score_value from core.int_survey_answer as answer left join core.int_ticket as ticket using (ticket_key) "
        "where answer.observation_status = 'observed'"
    ).fetchall():
        quarter = f"{answered_at.year}-Q{(answered_at.month + 2) // 3}"
        counts = expected.setdefault((service, quarter), Counter())
        is_satisfied = score >= 4
        counts["answer_count"] += 1
        counts["satisfied_count"] += is_satisfied
        if ticket_key in breached:
            counts["compared_count"] += 1
            counts["met_and_unsatisfied_count"] += not breached[ticket_key] and not is_satisfied
            counts["missed_and_satisfied_count"] += breached[ticket_key] and is_satisfied
    names = (
        "answer_count",
        "satisfied_count",
        "compared_count",
        "met_and_unsatisfied_count",
        "missed_and_satisfied_count",
    )
    found = {
        (row[0], row[1]): row[2:]
        for row in warehouse.execute(
            f"select service_code, quarter_code, {', '.join(names)} from finance.rec_measured_to_reported "
            "where answer_count > 0"
        ).fetchall()
    }
    assert found == {key: tuple(counts[name] for name in names) for key, counts in expected.items()}
    assert len(found) > 20

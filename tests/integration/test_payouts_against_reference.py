"""Payouts of the warehouse against the company's own calculation, to the cent.

The demonstration company is built by the whole job (extract over HTTP, staging, marts) and calculated a
second time in plain Python that shares no code with the SQL. Every line of every person and quarter must be
equal, its evidence must lead back to batches that were landed, and payroll and ledger must reconcile as the
books say.

Read-only on `demo_warehouse` of tests/conftest.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from ingestion.demo.model import Company
from ingestion.demo.pay_desk import (
    ReconciliationRow,
    calculate_payouts,
    expected_reconciliation,
    run_pay_desk,
)
from ingestion.demo.reference_pay import PayoutLine
from tests.conftest import DemoWarehouse
from tests.oracle import PAYOUT_COLUMNS

pytestmark = pytest.mark.slow

LINE_KEY = ("employee_number", "earned_quarter", "currency_code", "segment_start_on", "component_code")
LINE_VALUES = ("plan_code", *PAYOUT_COLUMNS)


@pytest.fixture(scope="module")
def company(demo_warehouse: DemoWarehouse) -> Company:
    return demo_warehouse.company


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: DemoWarehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def reference_lines(company: Company) -> list[PayoutLine]:
    return calculate_payouts(company)


def rows_by_key(
    warehouse: duckdb.DuckDBPyConnection, relation: str, key: Sequence[str], values: Sequence[str]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Rows of a relation as {key: values}; fails when the key is not unique."""
    rows = warehouse.execute(f"select {', '.join((*key, *values))} from {relation}").fetchall()
    found = {row[: len(key)]: row[len(key) :] for row in rows}
    assert len(found) == len(rows), f"{relation} holds two rows of one {key}"
    return found


def differing(expected: dict[Any, Any], found: dict[Any, Any]) -> list[tuple[Any, Any, Any]]:
    """(key, expected, found) of what is not equal, missing sides as None."""
    return [
        (key, expected.get(key), found.get(key))
        for key in sorted(expected.keys() | found.keys())
        if expected.get(key) != found.get(key)
    ]


@pytest.mark.requirement("OPS-7.2")
@pytest.mark.requirement("DESK-2.1")
def test_every_payout_line_equals_the_reference_to_the_cent(
    warehouse: duckdb.DuckDBPyConnection, reference_lines: list[PayoutLine]
) -> None:
    # Decimal and Fraction of one value are equal, so shares and values compare exactly.
    expected = {
        tuple(getattr(line, name) for name in LINE_KEY): tuple(getattr(line, name) for name in LINE_VALUES)
        for line in reference_lines
    }
    found = rows_by_key(warehouse, "incentives.fct_incentive_payout", LINE_KEY, LINE_VALUES)
    differences = differing(expected, found)
    assert not differences, f"{len(differences)} lines differ, first: {differences[:3]}"
    assert len({line.employee_number for line in reference_lines}) > 50
    assert len({line.earned_quarter for line in reference_lines}) == 6
    assert sum(line.payout_amount for line in reference_lines) > 0


def test_segments_of_movers_and_leavers_were_really_compared(reference_lines: list[PayoutLine]) -> None:
    """Equality proves little when nobody moved: the company must hold split and cut quarters."""
    segments: dict[tuple[str, str], set[Any]] = {}
    for line in reference_lines:
        segments.setdefault((line.employee_number, line.earned_quarter), set()).add(line.segment_start_on)
    assert any(len(starts) > 1 for starts in segments.values())
    assert any(
        line.segment_end_on < line.period_end_on and line.segment_days < line.quarter_days for line in reference_lines
    )


def test_person_totals_are_whole_cents_of_the_exact_sum(
    warehouse: duckdb.DuckDBPyConnection, reference_lines: list[PayoutLine]
) -> None:
    expected: dict[tuple[str, str, str], Decimal] = {}
    for line in reference_lines:
        key = (line.employee_number, line.earned_quarter, line.currency_code)
        expected[key] = expected.get(key, Decimal(0)) + line.payout_amount
    found = {
        tuple(row[:3]): row[3]
        for row in warehouse.execute(
            """
            select employee_number, earned_quarter, currency_code, sum(payout_amount)
            from incentives.fct_incentive_payout
            group by employee_number, earned_quarter, currency_code
            """
        ).fetchall()
    }
    assert not differing(expected, found)


@pytest.mark.requirement("OPS-7.5")
@pytest.mark.requirement("LTI-7.5")
def test_every_paid_line_leads_to_landed_batches(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Each line has as many pieces of evidence as its result counted, each from a batch that exists."""
    untraced = warehouse.execute(
        """
        with trace as (
            select
                payout_line_id,
                count(distinct coalesce(monitor_id, evidence_key))
                    filter (where evidence_type = 'ticket' or evidence_weight > 0) as evidence_count,
                count(*) filter (where batch.batch_id is null) as unknown_batch_count
            from incentives.fct_payout_trace
            left join landing.extract_batch as batch using (batch_id)
            group by payout_line_id
        )
        select line.payout_line_id, line.component_code, result.sample_count, trace.*
        from incentives.fct_incentive_payout as line
        inner join metrics.fct_metric_result as result using (metric_result_key)
        left join trace on line.payout_line_id = trace.payout_line_id
        where
            line.payout_amount <> 0
            and (
                trace.evidence_count is distinct from result.sample_count
                or trace.unknown_batch_count <> 0
            )
        """
    ).fetchall()
    assert not untraced, f"{len(untraced)} lines, first: {untraced[:3]}"
    traced = warehouse.execute("select count(*) from incentives.fct_payout_trace").fetchone()
    assert traced is not None and traced[0] > 0


@pytest.mark.requirement("LTI-7.4")
@pytest.mark.parametrize(
    ("mart", "party", "right_amount", "side"),
    [
        ("finance.rec_payout_to_payroll", "employee_number", "payroll_amount", "payout_to_payroll"),
        ("finance.rec_payout_to_gl", "cost_centre_code", "gl_amount", "payout_to_gl"),
    ],
)
def test_reconciliation_equals_the_books(
    warehouse: duckdb.DuckDBPyConnection,
    company: Company,
    mart: str,
    party: str,
    right_amount: str,
    side: str,
) -> None:
    rows: list[ReconciliationRow] = getattr(expected_reconciliation(company, run_pay_desk(company)), side)
    expected = {
        (row.earned_quarter, row.party, row.currency_code): (
            row.status,
            row.calculated_amount,
            row.booked_amount,
            row.difference_amount,
        )
        for row in rows
    }
    found = rows_by_key(
        warehouse,
        mart,
        ("earned_quarter", party, "currency_code"),
        ("status", "payout_amount", right_amount, "difference_amount"),
    )
    differences = differing(expected, found)
    assert not differences, f"{len(differences)} rows differ, first: {differences[:3]}"
    counts = Counter(status for status, *_ in found.values())
    assert counts.keys() == {
        "matched",
        "timing",
        "amount_differs",
        "missing_left",
        "missing_right",
        "duplicate",
        "wrong_period",
        "wrong_currency",
    }
    assert min(counts.values()) >= 3, counts


def test_team_payouts_hide_groups_below_five(
    warehouse: duckdb.DuckDBPyConnection, reference_lines: list[PayoutLine]
) -> None:
    people: dict[tuple[str, str, str], set[str]] = {}
    amounts: dict[tuple[str, str, str], Decimal] = {}
    for line in reference_lines:
        key = (line.team_code, line.earned_quarter, line.currency_code)
        people.setdefault(key, set()).add(line.employee_number)
        amounts[key] = amounts.get(key, Decimal(0)) + line.payout_amount
    expected = {
        key: (False, len(members), amounts[key]) if len(members) >= 5 else (True, None, None)
        for key, members in people.items()
    }
    found = rows_by_key(
        warehouse,
        "incentives.mart_team_payout",
        ("team_code", "earned_quarter", "currency_code"),
        ("is_suppressed", "participant_count", "payout_amount"),
    )
    assert not differing(expected, found)

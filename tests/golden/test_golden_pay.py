"""The hand-worked money cases against the reference calculation."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from ingestion.demo.pay_desk import centre_totals
from ingestion.demo.reference_pay import (
    ReferenceResult,
    calculate_reference,
    draw_balances,
    largest_remainder,
    load_plans,
    payout_share,
    stepped_amount,
)
from tests.golden import pay_cases
from tests.golden.golden_company import golden_company


@pytest.fixture(scope="module")
def reference() -> ReferenceResult:
    return calculate_reference(golden_company())


@pytest.mark.parametrize(("exact", "amounts", "working"), pay_cases.LARGEST_REMAINDER_CASES)
def test_largest_remainder(exact: tuple[str, ...], amounts: tuple[str, ...], working: str) -> None:
    assert [str(amount) for amount in largest_remainder([Fraction(text) for text in exact])] == list(amounts), working


def test_stepped_tiers_depend_on_the_processing_grain() -> None:
    tiers = [(Fraction(lower), Fraction(rate)) for lower, rate in pay_cases.STEPPED_TIERS]
    one_by_one = [stepped_amount(Fraction(amount), tiers) for amount in pay_cases.STEPPED_AMOUNTS]
    assert one_by_one == list(pay_cases.STEPPED_ONE_BY_ONE)
    assert sum(one_by_one) == 164

    already, paid = Fraction(0), Fraction(0)
    for amount in pay_cases.STEPPED_AMOUNTS:
        paid += stepped_amount(Fraction(amount), tiers, already)
        already += amount
    assert paid == pay_cases.STEPPED_RUNNING_TOTAL


def test_draw_balances() -> None:
    earnings = [Fraction(amount) for amount in pay_cases.DRAW_EARNINGS]
    assert draw_balances(earnings, Fraction(pay_cases.DRAW_MINIMUM)) == list(pay_cases.DRAW_BALANCES)


@pytest.mark.parametrize(("component", "method", "value", "share", "working"), pay_cases.BAND_CASES)
def test_achievement_bands(component: str, method: str, value: str | None, share: str, working: str) -> None:
    (plan,) = (plan for plan in load_plans() if plan.plan_code == "operations_quarterly")
    (found,) = [item for item in plan.components[2] if item.component_code == component]
    assert found.band_method == method
    metric_value = None if value is None else Fraction(value)
    assert payout_share(found.bands, method, metric_value) == Fraction(share), working


@pytest.mark.parametrize(
    ("metric", "team", "numerator", "denominator", "value", "samples", "working"), pay_cases.METRIC_CASES
)
def test_metric_of_the_quarter(
    metric: str,
    team: str,
    numerator: int,
    denominator: int,
    value: str,
    samples: int,
    working: str,
    reference: ReferenceResult,
) -> None:
    (result,) = [
        item
        for item in reference.metrics
        if (item.metric_code, item.entity_code, item.period_grain, item.period_start_on.isoformat())
        == (metric, team, "quarter", "2025-04-01")
    ]
    assert (result.numerator, result.denominator) == (numerator, denominator), working
    assert result.metric_value == Fraction(value)
    assert (result.sample_count, result.result_status) == (samples, "ok")


@pytest.mark.parametrize("case", pay_cases.PAY_CASES, ids=lambda case: case.employee_number)
def test_person_is_paid_to_the_cent(case: pay_cases.PayCase, reference: ReferenceResult) -> None:
    lines = [
        item
        for item in reference.payouts
        if item.employee_number == case.employee_number and item.earned_quarter == pay_cases.GOLDEN_QUARTER
    ]
    found = [
        (
            item.segment_start_on.isoformat(),
            item.segment_end_on.isoformat(),
            item.segment_days,
            item.component_code,
            item.payout_share,
            str(item.payout_amount),
        )
        for item in lines
    ]
    assert found == [(*line[:4], Fraction(line[4]), line[5]) for line in case.lines], case.working
    assert sum(item.payout_amount for item in lines) == Decimal(case.total_amount)
    assert {item.quarter_days for item in lines} == {91}
    assert {item.payment_period for item in lines} == {"2025-07"}


def test_nobody_else_is_paid(reference: ReferenceResult) -> None:
    people = {item.employee_number for item in reference.payouts if item.earned_quarter == pay_cases.GOLDEN_QUARTER}
    assert people == {case.employee_number for case in pay_cases.PAY_CASES}


@pytest.mark.parametrize(("cost_centre", "currency", "amount"), pay_cases.COST_CENTRE_CASES)
def test_cost_centre_of_the_quarter(cost_centre: str, currency: str, amount: str, reference: ReferenceResult) -> None:
    totals = centre_totals(reference.payouts)
    assert totals[pay_cases.GOLDEN_QUARTER, cost_centre, currency] == Decimal(amount)

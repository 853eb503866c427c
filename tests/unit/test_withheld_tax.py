"""The demonstration payroll's own calculation of tax: worked by hand, on both sides of a bracket and a new year."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ingestion.demo import withheld_tax
from ingestion.demo.pay_desk import PayDesk, PayrollLine, calculate_payouts, last_day, run_pay_desk
from ingestion.demo.withheld_tax import FIRST_ITEMISED, withheld_amounts
from tests.golden.golden_company import golden_company


@pytest.fixture(scope="module")
def payout() -> Any:
    """A payout line of the golden company, its figures to be replaced."""
    return calculate_payouts(golden_company())[0]


def base(month: str, amount: str, currency_code: str) -> PayrollLine:
    pay = Decimal(amount)
    return PayrollLine("", month, "e1", "BASE", pay, currency_code, last_day(month), "C", "", (("C", pay),))


def tax(payout: Any, country_code: str, currency_code: str, amount: str, register: list[PayrollLine]) -> Decimal:
    line = replace(
        payout,
        employee_number="e1",
        earned_quarter="2025-Q1",
        payment_period="2025-04",
        country_code=country_code,
        currency_code=currency_code,
        payout_amount=Decimal(amount),
    )
    return withheld_amounts([line], register, date(2025, 6, 1))["e1", "2025-Q1", currency_code]


def test_american_shares_are_flat_each_rounded_by_itself(payout: Any) -> None:
    """1,000.10: 220.02 federal, 62.01 social security, 14.50 medicare, 117.01 New York."""
    assert tax(payout, "US", "USD", "1000.10", [base("2025-04", "5000.00", "USD")]) == Decimal("413.54")


def test_an_irish_payment_that_crosses_a_bracket_is_taxed_on_both_sides_of_it(payout: Any) -> None:
    """43,500.00 paid since January and 1,000.00 more: PAYE 20% of 500.00 and 40% of 500.00, 300.00; USC 3%, 30.00;
    PRSI 4.1%, 41.00.
    """
    register = [base(f"2025-{month:02d}", "10875.00", "EUR") for month in range(1, 5)]
    assert tax(payout, "IE", "EUR", "1000.00", register) == Decimal("371.00")


def test_an_indian_payment_stands_on_the_year_as_april_makes_it_look(payout: Any) -> None:
    """100,000.00 a month, 1,200,000.00 a year, March's not: 10.4% of 60,000.00 is 6,240."""
    register = [base("2025-03", "900000.00", "INR"), base("2025-04", "100000.00", "INR")]
    assert tax(payout, "IN", "INR", "60000.00", register) == Decimal("6240.00")


def test_an_indian_payment_is_rounded_to_the_rupee(payout: Any) -> None:
    """10.4% of 10,004.00 is 1,040.416."""
    assert tax(payout, "IN", "INR", "10004.00", [base("2025-04", "100000.00", "INR")]) == Decimal("1040.00")


def test_nothing_is_itemised_before_payroll_began_to(payout: Any) -> None:
    line = replace(payout, payment_period="2025-03")
    assert withheld_amounts([line], [], date(2025, 6, 1)) == {}


def test_what_is_withheld_is_paid_to_the_tax_office(monkeypatch: pytest.MonkeyPatch) -> None:
    """A month's bank voucher pays people what is left, and the tax office the rest."""
    monkeypatch.setattr(withheld_tax, "ITEMISED_COST_CENTRES", ("CC-1110", "CC-1210"))
    desk: PayDesk = run_pay_desk(golden_company())
    for voucher in {line.voucher_number for line in desk.journal if line.voucher_number.startswith("BNK-")}:
        _, year, month, currency_code = voucher.split("-")
        period = f"{year}-{month}"
        withheld = -sum(
            line.amount
            for line in desk.payroll
            if (line.earning_code, line.pay_period, line.currency_code) == ("TAX-INC", period, currency_code)
        )
        booked = sum(
            line.credit_amount
            for line in desk.journal
            if line.voucher_number == voucher and line.description.startswith("Tax on incentive pay")
        )
        assert booked == withheld
    assert {line.pay_period >= FIRST_ITEMISED for line in desk.payroll if line.earning_code == "TAX-INC"} == {True}

"""The demonstration company's accruals: they balance, end at nothing, and go wrong where it is said."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion.demo.accruals import LIABILITY_ACCOUNT, Accrual, accrual_lines, accrual_schedule
from ingestion.demo.company import build_company, company_as_of
from ingestion.demo.model import Company
from ingestion.demo.pay_desk import PayDesk, run_pay_desk, write_drops
from tests.golden.golden_company import golden_company


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=1_500)


@pytest.fixture(scope="module")
def desk(company: Company) -> PayDesk:
    return run_pay_desk(company)


@pytest.fixture(scope="module")
def schedule(company: Company, desk: PayDesk) -> list[Accrual]:
    return accrual_schedule(company, desk.payouts)


def test_a_paid_quarter_ends_at_nothing_and_an_unpaid_one_at_what_is_owed(
    desk: PayDesk, schedule: list[Accrual]
) -> None:
    balance: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for item in schedule:
        if item.accrual_month < "2026-01":
            balance[item.earned_quarter, item.cost_centre_code, item.currency_code] += item.amount
    owed: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for line in desk.payouts:
        owed[line.earned_quarter, line.cost_centre_code, line.currency_code] += line.payout_amount
    assert {key: amount for key, amount in balance.items() if amount} == {
        key: amount for key, amount in owed.items() if key[0] == "2025-Q4" and amount
    }


def test_recognition_follows_the_days_of_the_month(schedule: list[Accrual]) -> None:
    """In a cost centre where nothing changed, a month of 31 days recognises 31/30 of one of 30."""
    amounts = {
        (item.cost_centre_code, item.accrual_month): item.amount
        for item in schedule
        if item.accrual_kind == "recognition" and item.earned_quarter == "2025-Q4"
    }
    even = [
        centre
        for centre, month in amounts
        if month == "2025-11" and amounts[centre, "2025-10"] == amounts[centre, "2025-12"]
    ]
    assert even
    for centre in even:
        assert abs(amounts[centre, "2025-10"] * 30 - amounts[centre, "2025-11"] * 31) <= Decimal("0.50")


def test_vouchers_balance_within_their_currency(desk: PayDesk) -> None:
    balances: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    numbers: dict[str, list[int]] = defaultdict(list)
    for line in desk.accruals:
        assert (line.debit_amount == 0) != (line.credit_amount == 0) and min(line.debit_amount, line.credit_amount) == 0
        balances[line.voucher_number, line.currency_code, line.cost_centre_code] += (
            line.debit_amount - line.credit_amount
        )
        numbers[line.voucher_number].append(line.line_number)
    assert set(balances.values()) == {Decimal(0)} and len(numbers) > 50
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert not {line.voucher_number for line in desk.journal} & set(numbers)


def test_the_liability_differs_from_the_schedule_by_what_is_planted(
    company: Company, desk: PayDesk, schedule: list[Accrual]
) -> None:
    booked: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    for line in desk.accruals:
        if line.account_code == LIABILITY_ACCOUNT:
            quarter = line.reference.removeprefix("ACC-") if line.reference.startswith("ACC-") else ""
            key = line.fiscal_period, quarter, line.cost_centre_code, line.currency_code
            booked[key] += line.credit_amount - line.debit_amount
    for item in schedule:
        if item.accrual_month < "2026-01":
            key = item.accrual_month, item.earned_quarter, item.cost_centre_code, item.currency_code
            booked[key] -= item.amount
    facts = [fact for fact in company.planted if fact.code.startswith("accrual_")]
    assert len(facts) == len({fact.code for fact in facts}) == 18
    expected = {
        (row["accrual_month"], row["earned_quarter"], row["cost_centre_code"], row["currency_code"]): Decimal(
            row["difference_amount"]
        )
        for fact in facts
        for row in fact.detail["expected_accrual_to_gl"]
    }
    assert {key: amount for key, amount in booked.items() if amount} == expected


def test_a_second_run_plants_the_same_and_an_earlier_one_as_far_as_it_goes(company: Company, desk: PayDesk) -> None:
    before = list(company.planted)
    assert accrual_lines(company, desk.payouts) == desk.accruals
    assert sorted(company.planted, key=repr) == sorted(before, key=repr)
    earlier = company_as_of(company, datetime(2025, 6, 1, tzinfo=UTC))
    known = run_pay_desk(earlier).accruals
    assert known == [line for line in desk.accruals if line.fiscal_period < "2025-06"]

    def faults(of: Company) -> dict[str, str]:
        return {fact.code: fact.detail["settled_at"] for fact in of.planted if fact.code.startswith("accrual_")}

    assert faults(earlier) == {
        code: settled_at for code, settled_at in faults(company).items() if settled_at <= "2025-06-01 00:00:00"
    }
    assert len(faults(earlier)) == 10


def test_accruals_come_after_the_lines_that_stood_in_the_journal_before(
    company: Company, desk: PayDesk, tmp_path: Path
) -> None:
    write_drops(company, tmp_path / "payroll", tmp_path / "with", desk)
    plain = PayDesk(desk.payouts, desk.payroll, desk.journal)
    write_drops(company, tmp_path / "payroll", tmp_path / "without", plain)
    for path in (tmp_path / "without").iterdir():
        text = (tmp_path / "with" / path.name).read_text()
        assert text.startswith(path.read_text()) and len(text) > len(path.read_text())


def test_the_golden_company_accrues_by_the_day() -> None:
    """Its second quarter has 91 days; what April recognises is at most its 30 of them at the expected share."""
    golden = golden_company()
    payouts = run_pay_desk(golden).payouts
    found = accrual_schedule(golden, payouts)
    assert {item.accrual_kind for item in found} >= {"recognition", "true_up"}
    targets = sum((target.quarterly_amount for target in golden.incentive_targets), Decimal(0))
    april = sum((item.amount for item in found if item.accrual_month == "2025-04" and item.amount > 0), Decimal(0))
    assert Decimal(0) < april <= targets * 30 / 91

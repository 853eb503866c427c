"""The pay desk of the demonstration company: what it paid, how it booked it, and where it went wrong.

What belongs here: payroll register lines and ledger vouchers of every month that has ended, the faults
planted among them, the files they are dropped as, and what a reconciliation must say about them. What does
not: the rules of payouts (``reference_pay``) and anything that reads the warehouse.

The incentive a person is paid is calculated with the reference calculation, which shares no code with the
warehouse; every difference the warehouse finds between payout, payroll and ledger is therefore either one
of the planted facts or a defect.

Register: one BASE line per person and month employed; one INC line per person, quarter and currency in the
payment month, against the cost centre the person was last in. Ledger: per month and currency one voucher
that books the month's cost by cost centre and one that pays it out. An INC line of a person who changed
teams is costed to each cost centre as earned.
"""

from __future__ import annotations

import csv
import random
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.demo.accruals import accrual_lines
from ingestion.demo.model import PlantedFact
from ingestion.demo.reference_clock import next_month
from ingestion.demo.reference_pay import (
    PayoutLine,
    calculate_reference,
    cents_to_amount,
    half_up_cents,
    has_ended,
    month_name,
)

if TYPE_CHECKING:
    from ingestion.demo.model import Company, Employee, Team

ZERO = Decimal("0.00")
CENT = Decimal("0.01")

SALARY_ACCOUNT = "6100"
INCENTIVE_ACCOUNT = "6210"
PAYABLE_ACCOUNT = "2300"
BANK_ACCOUNT = "1000"

# Monthly base salary of a tier 1 member in whole units of the country's currency.
COUNTRY_BASE = {"IE": ("EUR", 3600), "US": ("USD", 5200), "IN": ("INR", 90000)}
TIER_PERCENT = {1: 100, 2: 130, 3: 160}
OTHER_CURRENCY = {"EUR": "USD", "USD": "EUR", "INR": "USD"}

REGISTER_COLUMNS = (
    "payroll_line_id",
    "pay_period",
    "employee_number",
    "earning_code",
    "amount",
    "currency",
    "paid_on",
    "cost_centre",
    "earned_quarter",
)
JOURNAL_COLUMNS = (
    "voucher_number",
    "line_number",
    "posted_on",
    "fiscal_period",
    "account",
    "cost_centre",
    "debit_amount",
    "credit_amount",
    "currency",
    "description",
    "reference",
)


@dataclass(frozen=True)
class PayrollLine:
    """One line of the payroll register. ``earned_quarter`` is '' except on INC lines.

    ``costing`` says how the ledger spreads the amount over cost centres; it sums to ``amount`` and is not
    part of the register.
    """

    payroll_line_id: str
    pay_period: str
    employee_number: str
    earning_code: str
    amount: Decimal
    currency_code: str
    paid_on: date
    cost_centre_code: str
    earned_quarter: str
    costing: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class JournalLine:
    """One line of a ledger voucher; exactly one of debit and credit is not zero."""

    voucher_number: str
    line_number: int
    posted_on: date
    fiscal_period: str
    account_code: str
    cost_centre_code: str
    debit_amount: Decimal
    credit_amount: Decimal
    currency_code: str
    description: str
    reference: str


@dataclass(frozen=True)
class ReconciliationRow:
    """One expected row of a reconciliation; ``party`` is the employee number or the cost centre.

    ``difference_amount`` = booked (right) less calculated (left): what was paid too much.
    """

    earned_quarter: str
    party: str
    currency_code: str
    status: str
    calculated_amount: Decimal
    booked_amount: Decimal

    @property
    def difference_amount(self) -> Decimal:
        """Booked less calculated."""
        return self.booked_amount - self.calculated_amount


@dataclass(frozen=True)
class Reconciliation:
    """What the warehouse must find between payouts, payroll and ledger."""

    payout_to_payroll: list[ReconciliationRow]
    payout_to_gl: list[ReconciliationRow]


@dataclass(frozen=True)
class PayDesk:
    """Everything the pay desk did for a company."""

    payouts: list[PayoutLine]
    payroll: list[PayrollLine]
    journal: list[JournalLine]
    accruals: list[JournalLine] = field(default_factory=list)


# ------------------------------------------------------------------------------------------ calendar


def last_day(pay_period: str) -> date:
    """Last day of 'YYYY-MM', on which the month is paid, booked and dropped."""
    year, month = (int(part) for part in pay_period.split("-"))
    return date(year, month, monthrange(year, month)[1])


def ended_pay_periods(company: Company) -> list[str]:
    """Months from the company's first to the last that has ended by as_of, as 'YYYY-MM'."""
    found = []
    month = company.start_on.replace(day=1)
    while has_ended(next_month(month), company.as_of_at):
        found.append(month_name(month))
        month = next_month(month)
    return found


def following_period(pay_period: str) -> str:
    """'2025-05' of '2025-04'."""
    return month_name(last_day(pay_period) + timedelta(days=1))


# ------------------------------------------------------------------------------------------- payroll


def calculate_payouts(company: Company) -> list[PayoutLine]:
    """Payout lines of every quarter that has ended by the company's as_of."""
    return calculate_reference(company).payouts


def team_on(company: Company, employee: Employee, day: date) -> Team | None:
    """The team of a person on a day, or None before the first job row."""
    rows = [row for row in company.job_infos if row.employee_id == employee.id and row.effective_on <= day]
    if not rows:
        return None
    code = max(rows, key=lambda row: (row.effective_on, len(row.id), row.id)).team_code
    return next(team for team in company.teams if team.team_code == code)


def monthly_base(employee: Employee, team: Team) -> Fraction:
    """Base salary of a whole month."""
    _, base = COUNTRY_BASE[employee.country_code]
    seniority_percent = int("".join(filter(str.isdigit, employee.employee_number)) or 0) % 9
    return Fraction(base * (TIER_PERCENT.get(team.tier, 100) + seniority_percent), 100)


def base_lines(company: Company, pay_period: str) -> list[PayrollLine]:
    """BASE lines of everybody employed in a month, by days employed, numbered later."""
    to_on = last_day(pay_period)
    from_on = to_on.replace(day=1)
    lines = []
    for employee in sorted(company.employees, key=lambda item: item.employee_number):
        first = max(from_on, employee.hired_on)
        last = to_on
        if employee.terminated_on is not None:
            last = min(last, employee.terminated_on - timedelta(days=1))
        team = team_on(company, employee, last)
        if first > last or team is None:
            continue
        if employee.country_code not in COUNTRY_BASE:
            raise ValueError(f"no base salary for country {employee.country_code!r}: add it to COUNTRY_BASE")
        currency_code, _ = COUNTRY_BASE[employee.country_code]
        days = (last - first).days + 1
        amount = cents_to_amount(half_up_cents(monthly_base(employee, team) * Fraction(days, to_on.day)))
        lines.append(
            PayrollLine(
                payroll_line_id="",
                pay_period=pay_period,
                employee_number=employee.employee_number,
                earning_code="BASE",
                amount=amount,
                currency_code=currency_code,
                paid_on=to_on,
                cost_centre_code=team.cost_centre_code,
                earned_quarter="",
                costing=((team.cost_centre_code, amount),),
            )
        )
    return lines


def incentive_lines(company: Company, payouts: Sequence[PayoutLine]) -> list[PayrollLine]:
    """Correct INC lines of every payment month that has ended; nobody is paid a zero."""
    ended = set(ended_pay_periods(company))
    grouped: dict[tuple[str, str, str], list[PayoutLine]] = defaultdict(list)
    for line in payouts:
        if line.payment_period in ended:
            grouped[line.earned_quarter, line.employee_number, line.currency_code].append(line)
    lines = []
    for (quarter, employee_number, currency_code), items in sorted(grouped.items()):
        amount = sum((item.payout_amount for item in items), ZERO)
        if amount == 0:
            continue
        by_centre: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for item in items:
            by_centre[item.cost_centre_code] += item.payout_amount
        last = max(items, key=lambda item: item.segment_start_on)
        lines.append(
            PayrollLine(
                payroll_line_id="",
                pay_period=last.payment_period,
                employee_number=employee_number,
                earning_code="INC",
                amount=amount,
                currency_code=currency_code,
                paid_on=last_day(last.payment_period),
                cost_centre_code=last.cost_centre_code,
                earned_quarter=quarter,
                costing=tuple(sorted(item for item in by_centre.items() if item[1] != 0)),
            )
        )
    return lines


def payroll_lines(company: Company, payouts: Sequence[PayoutLine]) -> list[PayrollLine]:
    """The register of every month that has ended, with the planted faults.

    The faults are written to ``company.planted`` (once: a second call replaces them).
    """
    from ingestion.demo.pay_faults import plant_base_faults
    from ingestion.demo.withheld_tax import tax_lines

    lines = [line for period in ended_pay_periods(company) for line in base_lines(company, period)]
    lines = plant_base_faults(company, lines)
    lines += _plant_payroll_faults(company, payouts, incentive_lines(company, payouts))
    lines += tax_lines(company, payouts, lines)
    lines.sort(key=lambda line: (line.pay_period, line.earning_code, line.employee_number))
    numbers: Counter[str] = Counter()
    for place, line in enumerate(lines):
        numbers[line.pay_period] += 1
        line_id = f"PL-{line.pay_period}-{numbers[line.pay_period]:04d}"
        lines[place] = replace(line, payroll_line_id=line_id)
    return lines


# -------------------------------------------------------------------------------------------- ledger


def journal_lines(company: Company, payroll: Sequence[PayrollLine]) -> list[JournalLine]:
    """Balanced vouchers per month and currency, with the planted faults.

    Voucher PAY-*: debit salaries per cost centre, debit incentive pay per cost centre and earned quarter
    (reference INC-<quarter>), credit payroll payable. Voucher BNK-*: the payable paid from the bank, what was withheld
    to the tax office.
    """
    from ingestion.demo.pay_faults import plant_ledger_faults

    costs: dict[tuple[str, str], dict[tuple[str, str, str], Decimal]] = defaultdict(dict)
    withheld: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for line in payroll:
        if not line.costing:
            withheld[line.pay_period, line.currency_code] -= line.amount
        voucher = costs[line.pay_period, line.currency_code]
        for cost_centre_code, amount in line.costing:
            if line.earning_code == "INC":
                key = INCENTIVE_ACCOUNT, f"INC-{line.earned_quarter}", cost_centre_code
            else:
                key = SALARY_ACCOUNT, "", cost_centre_code
            voucher[key] = voucher.get(key, ZERO) + amount

    journal: list[JournalLine] = []
    for (pay_period, currency_code), voucher in sorted(costs.items()):
        total = sum(voucher.values(), ZERO)
        entries = [
            (account, cost_centre_code, amount, ZERO, _expense_text(reference), reference)
            for (account, reference, cost_centre_code), amount in sorted(voucher.items())
        ]
        entries.append((PAYABLE_ACCOUNT, "", ZERO, total, f"Payroll payable, {pay_period}", ""))
        journal += _voucher(f"PAY-{pay_period}-{currency_code}", pay_period, currency_code, entries)
        tax = withheld[pay_period, currency_code]
        payment = [
            entry
            for amount, text in ((total - tax, "Net pay"), (tax, "Tax on incentive pay"))
            if amount
            for entry in (
                (PAYABLE_ACCOUNT, "", amount, ZERO, f"{text}, {pay_period}", ""),
                (BANK_ACCOUNT, "", ZERO, amount, f"{text}, {pay_period}", ""),
            )
        ]
        journal += _voucher(f"BNK-{pay_period}-{currency_code}", pay_period, currency_code, payment)
    journal = _plant_ledger_fault(company, journal)
    return plant_ledger_faults(company, journal, _touched(company))


def _expense_text(reference: str) -> str:
    return f"Incentive pay, {reference.removeprefix('INC-')}" if reference else "Salaries and wages"


def _voucher(
    voucher_number: str,
    pay_period: str,
    currency_code: str,
    entries: Iterable[tuple[str, str, Decimal, Decimal, str, str]],
) -> list[JournalLine]:
    return [
        JournalLine(
            voucher_number=voucher_number,
            line_number=line_number,
            posted_on=last_day(pay_period),
            fiscal_period=pay_period,
            account_code=account,
            cost_centre_code=cost_centre_code,
            debit_amount=debit,
            credit_amount=credit,
            currency_code=currency_code,
            description=description,
            reference=reference,
        )
        for line_number, (account, cost_centre_code, debit, credit, description, reference) in enumerate(
            entries, start=1
        )
    ]


# -------------------------------------------------------------------------------------------- faults

Slot = tuple[str, str]  # earned_quarter, cost_centre_code


def plant_fault(
    company: Company,
    code: str,
    description: str,
    settled_in: str,
    detail: dict[str, Any],
    people: Iterable[ReconciliationRow],
    centres: Iterable[ReconciliationRow],
    payment_status: str | None = None,
    hris: Iterable[ReconciliationRow] = (),
) -> None:
    """Record a fault with the rows every reconciliation of pay must show for it.

    ``settled_in`` is the month whose drops show the fault; it can be found once that month has ended.
    ``payment_status`` is what the cost centres' rows are when the accrual is held against payments, None where they
    agree; ``hris`` are the people whose rows differ from the HRIS as well.
    """
    centres = list(centres)
    fact = PlantedFact(
        code=code,
        description=description,
        detail={
            "settled_at": f"{following_period(settled_in)}-01 00:00:00",
            **detail,
            "expected_payout_to_payroll": [_row_detail(row, "employee_number") for row in people],
            "expected_payout_to_gl": [_row_detail(row, "cost_centre_code") for row in centres],
            "expected_accrual_to_payment": [
                {**_row_detail(row, "cost_centre_code"), "status": payment_status} for row in centres if payment_status
            ],
            "expected_hris_to_payroll": [
                {
                    "attribute_code": "incentive_target",
                    "employee_number": row.party,
                    "period_code": row.earned_quarter,
                    "currency_code": row.currency_code,
                    "status": row.status,
                    "payroll_amount": str(row.booked_amount),
                }
                for row in hris
            ],
        },
    )
    company.planted.append(fact)


def _row_detail(row: ReconciliationRow, party_name: str) -> dict[str, str]:
    return {
        "earned_quarter": row.earned_quarter,
        party_name: row.party,
        "currency_code": row.currency_code,
        "status": row.status,
        "calculated_amount": str(row.calculated_amount),
        "booked_amount": str(row.booked_amount),
        "difference_amount": str(row.difference_amount),
    }


def centre_totals(payouts: Iterable[PayoutLine]) -> dict[tuple[str, str, str], Decimal]:
    """Payouts by (earned_quarter, cost centre, currency)."""
    totals: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for line in payouts:
        totals[line.earned_quarter, line.cost_centre_code, line.currency_code] += line.payout_amount
    return totals


def person_finding(line: PayrollLine, status: str, calculated: Decimal, booked: Decimal) -> ReconciliationRow:
    """The row of the line's person when payroll has ``booked`` of what was calculated."""
    return ReconciliationRow(line.earned_quarter, line.employee_number, line.currency_code, status, calculated, booked)


def centre_finding(
    totals: dict[tuple[str, str, str], Decimal], line: PayrollLine, status: str, excess: Decimal
) -> ReconciliationRow:
    """The row of the line's cost centre when the ledger holds ``excess`` more than the totals calculated."""
    key = line.earned_quarter, line.cost_centre_code, line.currency_code
    calculated = totals.get(key, ZERO)
    return ReconciliationRow(*key, status, calculated, calculated + excess)


def _plant_payroll_faults(
    company: Company, payouts: Sequence[PayoutLine], lines: list[PayrollLine]
) -> list[PayrollLine]:
    """Put one fault of each kind, and then more, into correct INC lines, each in a (quarter, cost centre) of its own.

    A fault for which the company is too small (no free quarter and cost centre with three people paid) is
    left out, and not recorded.
    """
    from ingestion.demo.pay_faults import plant_payroll_faults

    company.planted[:] = [fact for fact in company.planted if not fact.code.startswith("payroll_line_")]
    ended = ended_pay_periods(company)
    quarters = sorted({line.earned_quarter for line in lines})
    totals = centre_totals(payouts)
    touched: set[Slot] = set()
    used: set[str] = set()
    crowd = Counter((line.earned_quarter, line.cost_centre_code) for line in lines)
    lines = list(lines)

    def pick(quarter: int, is_fit: Callable[[PayrollLine], bool] = lambda _: True) -> PayrollLine | None:
        """A line of one cost centre in an untouched slot, of a person with no other fault; None if none.

        ``quarter`` counts the paid quarters from the first, so that a later as_of does not move the faults
        of earlier months.
        """
        fit = [
            line
            for line in lines
            if line.earned_quarter in quarters[quarter : quarter + 1]
            and len(line.costing) == 1
            and (line.earned_quarter, line.cost_centre_code) not in touched
            and crowd[line.earned_quarter, line.cost_centre_code] >= 3
            and line.employee_number not in used
            and line.amount >= 1
            and is_fit(line)
        ]
        # Spread over the cost centres while there are any left without a fault.
        centres = {cost_centre_code for _, cost_centre_code in touched}
        fit = [line for line in fit if line.cost_centre_code not in centres] or fit
        if not fit:
            return None
        line = random.Random(f"{company.seed}:pay desk:{len(touched)}").choice(fit)
        touched.add((line.earned_quarter, line.cost_centre_code))
        used.add(line.employee_number)
        return line

    centre_row = partial(centre_finding, totals)

    def line_detail(line: PayrollLine) -> dict[str, str]:
        return {
            "employee_number": line.employee_number,
            "earned_quarter": line.earned_quarter,
            "pay_period": line.pay_period,
            "cost_centre_code": line.cost_centre_code,
            "currency_code": line.currency_code,
            "amount": str(line.amount),
        }

    line = pick(0)
    if line is not None:
        amount = line.amount + CENT
        lines[lines.index(line)] = with_amount(line, amount)
        plant_fault(
            company,
            "payroll_line_off_by_one_cent",
            "Payroll pays one person's incentive 0.01 more than was calculated.",
            line.pay_period,
            {**line_detail(line), "amount": str(amount), "calculated_amount": str(line.amount)},
            [person_finding(line, "amount_differs", line.amount, amount)],
            [centre_row(line, "amount_differs", CENT)],
            "amount_differs",
        )

    line = pick(1)
    if line is not None:
        lines.remove(line)
        plant_fault(
            company,
            "payroll_line_missing",
            "One person's incentive was calculated and never paid.",
            line.pay_period,
            line_detail(line),
            [person_finding(line, "missing_right", line.amount, ZERO)],
            [centre_row(line, "amount_differs", -line.amount)],
            "amount_differs",
        )

    line = pick(2)
    if line is not None:
        lines.append(line)
        plant_fault(
            company,
            "payroll_line_duplicated",
            "One person's incentive stands twice in the register, under two line ids.",
            line.pay_period,
            line_detail(line),
            [person_finding(line, "duplicate", line.amount, 2 * line.amount)],
            [centre_row(line, "amount_differs", line.amount)],
            "duplicate",
        )

    line = pick(3)
    if line is not None:
        paid = replace(line, currency_code=OTHER_CURRENCY.get(line.currency_code, "EUR"))
        lines[lines.index(line)] = paid
        rows = [
            person_finding(line, "wrong_currency", line.amount, ZERO),
            person_finding(paid, "wrong_currency", ZERO, paid.amount),
        ]
        plant_fault(
            company,
            "payroll_line_in_wrong_currency",
            "One person's incentive was paid, and booked, as the same number in another currency.",
            line.pay_period,
            {**line_detail(line), "paid_currency_code": paid.currency_code},
            rows,
            [
                centre_row(line, "amount_differs", -line.amount),
                centre_row(paid, "missing_left", paid.amount),
            ],
            "wrong_currency",
            rows,
        )

    line = _unentitled_line(company, payouts, lines, touched, quarters[3:4])
    if line is not None:
        touched.add((line.earned_quarter, line.cost_centre_code))
        lines.append(line)
        row = centre_row(line, "amount_differs", line.amount)
        rows = [person_finding(line, "missing_left", ZERO, line.amount)]
        plant_fault(
            company,
            "payroll_line_not_entitled",
            "Payroll pays an incentive to a person without an incentive target.",
            line.pay_period,
            line_detail(line),
            rows,
            [row if row.calculated_amount else replace(row, status="missing_left")],
            "amount_differs" if row.calculated_amount else "missing_left",
            rows,
        )

    line = pick(4, lambda item: following_period(item.pay_period) in ended)
    if line is not None:
        pay_period = following_period(line.pay_period)
        lines[lines.index(line)] = replace(line, pay_period=pay_period, paid_on=last_day(pay_period))
        plant_fault(
            company,
            "payroll_line_in_wrong_period",
            "One person's incentive was paid, and booked, a month after its payment period.",
            pay_period,
            {**line_detail(line), "pay_period": pay_period, "payment_period": line.pay_period},
            [person_finding(line, "wrong_period", line.amount, line.amount)],
            [centre_row(line, "wrong_period", ZERO)],
            "wrong_period",
        )
    return plant_payroll_faults(company, payouts, lines, touched)


def with_amount(line: PayrollLine, amount: Decimal) -> PayrollLine:
    """The line with another amount, all of it borne by its cost centre."""
    return replace(line, amount=amount, costing=((line.cost_centre_code, amount),))


def _unentitled_line(
    company: Company,
    payouts: Sequence[PayoutLine],
    lines: Sequence[PayrollLine],
    touched: set[Slot],
    quarters: Sequence[str],
) -> PayrollLine | None:
    """An INC line for somebody with no payout in a quarter, employed when it is paid; None if nobody."""
    calculated = {(line.earned_quarter, line.employee_number) for line in payouts}
    periods = {line.earned_quarter: (line.pay_period, line.paid_on) for line in lines}
    for quarter in quarters:
        pay_period, paid_on = periods[quarter]
        for employee in sorted(company.employees, key=lambda item: item.employee_number):
            is_employed = employee.hired_on <= paid_on.replace(day=1) and (
                employee.terminated_on is None or employee.terminated_on > paid_on
            )
            team = team_on(company, employee, paid_on)
            if (
                team is None
                or not is_employed
                or (quarter, employee.employee_number) in calculated
                or (quarter, team.cost_centre_code) in touched
            ):
                continue
            amount = Decimal("250.00")
            return PayrollLine(
                payroll_line_id="",
                pay_period=pay_period,
                employee_number=employee.employee_number,
                earning_code="INC",
                amount=amount,
                currency_code=team.currency_code,
                paid_on=paid_on,
                cost_centre_code=team.cost_centre_code,
                earned_quarter=quarter,
                costing=((team.cost_centre_code, amount),),
            )
    return None


def _touched(company: Company) -> set[Slot]:
    """Every quarter and cost centre a fault stands in."""
    return {
        (row["earned_quarter"], row["cost_centre_code"])
        for fact in company.planted
        for row in fact.detail.get("expected_payout_to_gl", [])
    }


def _plant_ledger_fault(company: Company, journal: list[JournalLine]) -> list[JournalLine]:
    """Post one cost centre's incentive line of the third paid quarter, untouched by any other fault, to the
    next fiscal period.
    """
    company.planted[:] = [fact for fact in company.planted if not fact.code.startswith("ledger_line_")]
    touched = _touched(company)
    incentives = [line for line in journal if line.account_code == INCENTIVE_ACCOUNT]
    references = sorted({line.reference for line in incentives})[2:3]
    fit = [
        line
        for line in incentives
        if line.reference in references and (line.reference.removeprefix("INC-"), line.cost_centre_code) not in touched
    ]
    if not fit:
        return journal
    line = random.Random(f"{company.seed}:ledger desk").choice(fit)
    fiscal_period = following_period(line.fiscal_period)
    row = ReconciliationRow(
        line.reference.removeprefix("INC-"),
        line.cost_centre_code,
        line.currency_code,
        "wrong_period",
        line.debit_amount,
        line.debit_amount,
    )
    plant_fault(
        company,
        "ledger_line_in_wrong_fiscal_period",
        "One cost centre's incentive was posted to the following fiscal period; its voucher balances.",
        month_name(line.posted_on),
        {
            "voucher_number": line.voucher_number,
            "line_number": line.line_number,
            "cost_centre_code": line.cost_centre_code,
            "earned_quarter": row.earned_quarter,
            "currency_code": line.currency_code,
            "amount": str(line.debit_amount),
            "payment_period": line.fiscal_period,
            "fiscal_period": fiscal_period,
        },
        [],
        [row],
    )
    return [replace(item, fiscal_period=fiscal_period) if item is line else item for item in journal]


# ------------------------------------------------------------------------------------ reconciliation


def expected_reconciliation(company: Company, desk: PayDesk) -> Reconciliation:
    """The rows and statuses both reconciliations must have, worked out line by line.

    Keys: person (or cost centre) x earned quarter x currency; payouts that sum to 0.00 have no row unless
    something was booked. A side absent in this currency while the other one is absent in another currency is
    wrong_currency; a ledger line in a currency nobody in the cost centre earned in, beside one in theirs, is
    missing_left. Several lines are a duplicate for a person, for a cost centre where each is the whole amount.
    Of several statuses the first holds: missing/wrong_currency/timing, duplicate, wrong_period, amount_differs,
    matched.
    """
    ended = set(ended_pay_periods(company))
    payment_periods = {line.earned_quarter: line.payment_period for line in desk.payouts}

    calculated_people: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for line in desk.payouts:
        calculated_people[line.earned_quarter, line.employee_number, line.currency_code] += line.payout_amount
    paid: dict[tuple[str, str, str], list[tuple[Decimal, str]]] = defaultdict(list)
    for item in desk.payroll:
        if item.earning_code == "INC":
            key = item.earned_quarter, item.employee_number, item.currency_code
            paid[key].append((item.amount, item.pay_period))
    booked: dict[tuple[str, str, str], list[tuple[Decimal, str]]] = defaultdict(list)
    for entry in desk.journal:
        if entry.account_code == INCENTIVE_ACCOUNT:
            key = entry.reference.removeprefix("INC-"), entry.cost_centre_code, entry.currency_code
            booked[key].append((entry.debit_amount - entry.credit_amount, entry.fiscal_period))
    return Reconciliation(
        payout_to_payroll=_match(calculated_people, paid, payment_periods, ended, is_per_person=True),
        payout_to_gl=_match(centre_totals(desk.payouts), booked, payment_periods, ended, is_per_person=False),
    )


def _match(
    left: Mapping[tuple[str, str, str], Decimal],
    right: Mapping[tuple[str, str, str], Sequence[tuple[Decimal, str]]],
    payment_periods: Mapping[str, str],
    ended: set[str],
    is_per_person: bool,
) -> list[ReconciliationRow]:
    rows = []
    calculated_keys = {key for key, amount in left.items() if amount != 0}
    for key in sorted(calculated_keys | set(right)):
        quarter, party, currency_code = key
        calculated = left.get(key, ZERO) if key in calculated_keys else ZERO
        lines = right.get(key, ())
        amount = sum((item[0] for item in lines), ZERO)
        due_in = payment_periods.get(quarter)
        if key not in calculated_keys or not lines:
            # alone as well, on the other side
            opposite = right.keys() - calculated_keys if key in calculated_keys else calculated_keys - right.keys()
            if any(other[:2] == (quarter, party) for other in opposite):
                status = "wrong_currency"
            elif key not in calculated_keys:
                status = "missing_left"
            else:
                status = "missing_right" if due_in in ended else "timing"
        elif len(lines) > 1 and (is_per_person or [item[0] for item in lines].count(calculated) > 1):
            status = "duplicate"
        elif any(period != due_in for _, period in lines):
            status = "wrong_period"
        else:
            status = "matched" if amount == calculated else "amount_differs"
        rows.append(ReconciliationRow(quarter, party, currency_code, status, calculated, amount))
    return rows


# --------------------------------------------------------------------------------------------- drops


def run_pay_desk(company: Company) -> PayDesk:
    """Calculate, pay and book everything due by the company's as_of; plants the faults."""
    payouts = calculate_payouts(company)
    accruals = accrual_lines(company, payouts)
    payroll = payroll_lines(company, payouts)
    return PayDesk(payouts, payroll, journal_lines(company, payroll), accruals)


def write_drops(company: Company, payroll_dir: Path, ledger_dir: Path, desk: PayDesk | None = None) -> PayDesk:
    """Write payroll_register_YYYY-MM.csv and journal_YYYY-MM.csv for every month that has ended.

    UTF-8, comma, header, a field quoted where it needs to be. A line stands in the file of the month it
    was paid or posted in. ``desk`` spares calculating again what ``run_pay_desk`` gave.
    """
    desk = desk or run_pay_desk(company)
    register: dict[str, list[Sequence[object]]] = defaultdict(list)
    for line in desk.payroll:
        register[line.pay_period].append(
            (
                line.payroll_line_id,
                line.pay_period,
                line.employee_number,
                line.earning_code,
                line.amount,
                line.currency_code,
                line.paid_on.isoformat(),
                line.cost_centre_code,
                line.earned_quarter,
            )
        )
    journal: dict[str, list[Sequence[object]]] = defaultdict(list)
    for entry in (*desk.journal, *desk.accruals):
        journal[month_name(entry.posted_on)].append(
            (
                entry.voucher_number,
                entry.line_number,
                entry.posted_on.isoformat(),
                entry.fiscal_period,
                entry.account_code,
                entry.cost_centre_code,
                entry.debit_amount,
                entry.credit_amount,
                entry.currency_code,
                entry.description,
                entry.reference,
            )
        )
    for pay_period in ended_pay_periods(company):
        write_csv(payroll_dir / f"payroll_register_{pay_period}.csv", REGISTER_COLUMNS, register[pay_period])
        write_csv(ledger_dir / f"journal_{pay_period}.csv", JOURNAL_COLUMNS, journal[pay_period])
    return desk


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A file of these rows below their header, its folder made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)

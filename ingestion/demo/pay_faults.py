"""More of what goes wrong at the pay desk: every finding of a reconciliation of pay, three times at least.

What belongs here: the faults planted besides the first one of each kind (`pay_desk`), quarter after quarter, the
faults of base pay and of vouchers, and the rows each reconciliation must show for them. What does not: withheld tax
(`withheld_tax`) and accruals (`accruals`).

A draw is seeded by its fault and quarter and takes from its own quarter alone, so that a later as_of does not move
the faults of earlier months. A fault for which the company is too small is left out, and not recorded.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from ingestion.demo.model import PlantedFact
from ingestion.demo.pay_desk import (
    CENT,
    INCENTIVE_ACCOUNT,
    OTHER_CURRENCY,
    PAYABLE_ACCOUNT,
    ZERO,
    JournalLine,
    PayrollLine,
    ReconciliationRow,
    centre_finding,
    centre_totals,
    ended_pay_periods,
    following_period,
    last_day,
    monthly_base,
    person_finding,
    plant_fault,
    team_on,
    with_amount,
)
from ingestion.demo.reference_pay import PayoutLine, cents_to_amount, half_up_cents, month_name

if TYPE_CHECKING:
    from ingestion.demo.model import Company, Employee

# Quarters paid, counted from the first -> what goes wrong in it, the neediest first.
PAYROLL_FAULTS: dict[int, tuple[str, ...]] = {
    0: ("wrong_period", "duplicated", "not_entitled"),
    1: ("centre_missing", "in_wrong_currency", "off_by_one_cent"),
    2: ("wrong_period", "not_entitled"),
    3: ("centre_missing", "duplicated"),
    4: ("centre_missing", "in_wrong_currency", "off_by_one_cent", "not_entitled"),
}
LEDGER_FAULTS: dict[int, tuple[str, ...]] = {
    0: ("posted_twice",),
    1: ("in_wrong_currency",),
    2: ("posted_twice",),
    3: ("in_wrong_currency",),
    4: ("posted_twice",),
}
BONUS = Decimal("250.00")
SMALLEST_CENTRE, LARGEST_CENTRE = 3, 7

# Months whose base line of somebody outside the plan is missing, or stands there twice.
BASE_MISSING_IN = ("2024-09", "2025-02", "2025-08")
BASE_TWICE_IN = ("2024-11", "2025-05", "2025-09")
# Base pay of later months bears the limits on variable pay: nothing is planted in it.
BASE_FAULTS_BEFORE = "2025-10"


class _Picker:
    """Draws correct lines of a quarter, each in a (quarter, cost centre) of its own."""

    def __init__(self, company: Company, lines: Sequence[PayrollLine], touched: set[tuple[str, str]]) -> None:
        self._seed, self.touched = company.seed, touched
        self._crowd = Counter((line.earned_quarter, centre) for line in lines for centre, _ in line.costing)

    def line(self, code: str, quarter: str, lines: Sequence[PayrollLine]) -> PayrollLine | None:
        """One person's line; None if there is none left."""
        fit = [
            line
            for line in lines
            if line.earned_quarter == quarter
            and len(line.costing) == 1
            and (quarter, line.cost_centre_code) not in self.touched
            and self._crowd[quarter, line.cost_centre_code] >= SMALLEST_CENTRE
            and line.amount >= 1
        ]
        if not fit:
            return None
        line = random.Random(f"{self._seed}:pay faults:{code}:{quarter}").choice(fit)
        self.touched.add((quarter, line.cost_centre_code))
        return line

    def centre(self, quarter: str, lines: Sequence[PayrollLine]) -> list[PayrollLine]:
        """All lines of a small cost centre in which nobody was paid for another one as well; [] if there is none."""
        by_centre: dict[str, list[PayrollLine]] = defaultdict(list)
        for line in lines:
            if line.earned_quarter == quarter:
                for centre, _ in line.costing:
                    by_centre[centre].append(line)
        fit = [
            centre
            for centre, members in sorted(by_centre.items())
            if (quarter, centre) not in self.touched
            and SMALLEST_CENTRE <= len(members) <= LARGEST_CENTRE
            and all(len(line.costing) == 1 for line in members)
        ]
        if not fit:
            return []
        chosen = random.Random(f"{self._seed}:pay faults:centre_missing:{quarter}").choice(fit)
        self.touched.add((quarter, chosen))
        return by_centre[chosen]


def plant_payroll_faults(
    company: Company, payouts: Sequence[PayoutLine], lines: list[PayrollLine], touched: set[tuple[str, str]]
) -> list[PayrollLine]:
    """Incentive lines with the faults of `PAYROLL_FAULTS`, none where `touched` says there is one already."""
    quarters = sorted({line.earned_quarter for line in lines})
    ended, totals = ended_pay_periods(company), centre_totals(payouts)
    picker = _Picker(company, lines, touched)

    centre = partial(centre_finding, totals)

    def plant(
        code: str,
        text: str,
        line: PayrollLine,
        people: Sequence[ReconciliationRow],
        centres: Sequence[ReconciliationRow],
        payment: str,
        settled_in: str = "",
        hris: Sequence[ReconciliationRow] = (),
    ) -> None:
        detail = {"employee_number": line.employee_number, "earned_quarter": line.earned_quarter}
        name = f"payroll_line_{code}_{line.earned_quarter}"
        plant_fault(company, name, text, settled_in or line.pay_period, detail, people, centres, payment, hris)

    for place, codes in PAYROLL_FAULTS.items():
        for quarter in quarters[place : place + 1]:
            for code in codes:
                if code == "centre_missing":
                    members = picker.centre(quarter, lines)
                    if members:
                        lines = [line for line in lines if line not in members]
                        total = sum((line.amount for line in members), ZERO)
                        plant(
                            code,
                            "The pay run left a whole cost centre out: nobody in it was paid, nothing was booked.",
                            members[0],
                            [person_finding(line, "missing_right", line.amount, ZERO) for line in members],
                            [centre(members[0], "missing_right", -total)],
                            "missing_right",
                        )
                    continue
                if code == "not_entitled":
                    bonus = _bonus(company, payouts, lines, quarter, touched)
                    if bonus is not None:
                        lines = [*lines, bonus]
                        touched.add((quarter, bonus.cost_centre_code))
                        rows = [person_finding(bonus, "missing_left", ZERO, bonus.amount)]
                        plant(
                            code,
                            "Payroll pays an incentive, in another country's currency, to somebody without a target.",
                            bonus,
                            rows,
                            [centre(bonus, "missing_left", bonus.amount)],
                            "missing_left",
                            hris=rows,
                        )
                    continue
                line = picker.line(code, quarter, lines)
                if line is None:
                    continue
                at = lines.index(line)
                if code == "off_by_one_cent":
                    lines[at] = with_amount(line, line.amount - CENT)
                    plant(
                        code,
                        "Payroll pays one person's incentive 0.01 less than was calculated.",
                        line,
                        [person_finding(line, "amount_differs", line.amount, line.amount - CENT)],
                        [centre(line, "amount_differs", -CENT)],
                        "amount_differs",
                    )
                elif code == "duplicated":
                    lines = [*lines, line]
                    plant(
                        code,
                        "One person's incentive stands twice in the register, under two line ids.",
                        line,
                        [person_finding(line, "duplicate", line.amount, 2 * line.amount)],
                        [centre(line, "amount_differs", line.amount)],
                        "duplicate",
                    )
                elif code == "in_wrong_currency":
                    paid = replace(line, currency_code=OTHER_CURRENCY.get(line.currency_code, "EUR"))
                    lines[at] = paid
                    rows = [
                        person_finding(line, "wrong_currency", line.amount, ZERO),
                        person_finding(paid, "wrong_currency", ZERO, paid.amount),
                    ]
                    plant(
                        code,
                        "One person's incentive was paid, and booked, as the same number in another currency.",
                        line,
                        rows,
                        [
                            centre(line, "amount_differs", -line.amount),
                            centre(paid, "missing_left", paid.amount),
                        ],
                        "wrong_currency",
                        hris=rows,
                    )
                elif following_period(line.pay_period) in ended:
                    later = following_period(line.pay_period)
                    lines[at] = replace(line, pay_period=later, paid_on=last_day(later))
                    plant(
                        "in_" + code,
                        "One person's incentive was paid, and booked, a month after its payment period.",
                        line,
                        [person_finding(line, "wrong_period", line.amount, line.amount)],
                        [centre(line, "wrong_period", ZERO)],
                        "wrong_period",
                        later,
                    )
    return lines


def _bonus(
    company: Company,
    payouts: Sequence[PayoutLine],
    lines: Sequence[PayrollLine],
    quarter: str,
    touched: set[tuple[str, str]],
) -> PayrollLine | None:
    """An incentive line in a foreign currency for a lead employed when it is paid; None if there is none."""
    paid_in, paid_on = next((line.pay_period, line.paid_on) for line in lines if line.earned_quarter == quarter)
    calculated = {line.employee_number for line in payouts if line.earned_quarter == quarter}
    calculated |= {line.employee_number for line in lines if line.earned_quarter == quarter}
    fit = []
    for employee in _outside_the_plan(company):
        team = team_on(company, employee, paid_on)
        if (
            team is not None
            and employee.hired_on <= paid_on.replace(day=1)
            and employee.employee_number not in calculated
            and (quarter, team.cost_centre_code) not in touched
        ):
            fit.append((employee, team))
    if not fit:
        return None
    employee, team = random.Random(f"{company.seed}:pay faults:not_entitled:{quarter}").choice(fit)
    return PayrollLine(
        payroll_line_id="",
        pay_period=paid_in,
        employee_number=employee.employee_number,
        earning_code="INC",
        amount=BONUS,
        currency_code=OTHER_CURRENCY[team.currency_code],
        paid_on=paid_on,
        cost_centre_code=team.cost_centre_code,
        earned_quarter=quarter,
        costing=((team.cost_centre_code, BONUS),),
    )


def _outside_the_plan(company: Company) -> list[Employee]:
    """People who are no agents and stay: the leads, by number."""
    return sorted(
        (person for person in company.employees if not person.is_agent and person.terminated_on is None),
        key=lambda person: person.employee_number,
    )


# ------------------------------------------------------------------------------------------ base pay


def plant_base_faults(company: Company, lines: list[PayrollLine]) -> list[PayrollLine]:
    """BASE lines with what goes wrong in them: missing, twice, and a whole month for somebody who came during it."""
    company.planted[:] = [fact for fact in company.planted if not fact.code.startswith("base_line_")]
    leads = [person.employee_number for person in _outside_the_plan(company) if person.hired_on < company.start_on]
    if len(leads) < len(BASE_MISSING_IN) + len(BASE_TWICE_IN):
        return lines
    random.Random(f"{company.seed}:pay faults:base pay").shuffle(leads)
    by_key = {(line.employee_number, line.pay_period): line for line in lines}
    lines = list(lines)

    def plant(code: str, text: str, line: PayrollLine, status: str, paid: Decimal) -> None:
        row = {
            "attribute_code": "base_pay",
            "employee_number": line.employee_number,
            "period_code": line.pay_period,
            "currency_code": line.currency_code,
            "status": status,
            "payroll_amount": str(paid),
        }
        detail = {
            "settled_at": f"{following_period(line.pay_period)}-01 00:00:00",
            "expected_hris_to_payroll": [row],
        }
        company.planted.append(PlantedFact(f"base_line_{code}_{line.pay_period}", text, detail))

    for number, pay_period in zip(leads, (*BASE_MISSING_IN, *BASE_TWICE_IN), strict=False):
        line = by_key.get((number, pay_period))
        if line is None:
            continue
        if pay_period in BASE_MISSING_IN:
            lines.remove(line)
            plant("missing", "A lead was left out of the pay run of a month.", line, "missing_right", ZERO)
        else:
            lines.append(line)
            text = "A lead's base pay of a month stands twice in the register, under two line ids."
            plant("duplicated", text, line, "duplicate", 2 * line.amount)

    months: Counter[str] = Counter()
    for employee in sorted(company.employees, key=lambda item: (item.hired_on, item.employee_number)):
        pay_period = month_name(employee.hired_on)
        line = by_key.get((employee.employee_number, pay_period))
        team = team_on(company, employee, last_day(pay_period))
        is_settled = employee.terminated_on is None or employee.terminated_on > last_day(following_period(pay_period))
        if (
            line is None
            or team is None
            or not is_settled
            or employee.hired_on.day == 1
            or pay_period >= BASE_FAULTS_BEFORE
            or months[pay_period]
            or sum(months.values()) == len(BASE_MISSING_IN)
        ):
            continue
        months[pay_period] += 1
        whole = with_amount(line, cents_to_amount(half_up_cents(monthly_base(employee, team))))
        lines[lines.index(line)] = whole
        text = "Somebody who came during a month was paid all of it."
        plant("of_a_whole_month", text, line, "amount_differs", whole.amount)
    return lines


# ------------------------------------------------------------------------------------------ vouchers


def plant_ledger_faults(
    company: Company, journal: list[JournalLine], touched: set[tuple[str, str]]
) -> list[JournalLine]:
    """Vouchers with the faults of `LEDGER_FAULTS`; every voucher balances."""
    incentives = [line for line in journal if line.account_code == INCENTIVE_ACCOUNT]
    references = sorted({line.reference for line in incentives})

    def pick(code: str, reference: str) -> JournalLine | None:
        quarter = reference.removeprefix("INC-")
        fit = [
            line
            for line in incentives
            if line.reference == reference and (quarter, line.cost_centre_code) not in touched
        ]
        if not fit:
            return None
        line = random.Random(f"{company.seed}:ledger faults:{code}:{quarter}").choice(fit)
        touched.add((quarter, line.cost_centre_code))
        return line

    def plant(code: str, text: str, line: JournalLine, rows: Iterable[tuple[str, str, Decimal, Decimal]]) -> None:
        quarter = line.reference.removeprefix("INC-")
        detail = {"voucher_number": line.voucher_number, "earned_quarter": quarter}
        plant_fault(
            company,
            f"ledger_line_{code}_{quarter}",
            text,
            month_name(line.posted_on),
            detail,
            [],
            [
                ReconciliationRow(quarter, line.cost_centre_code, currency_code, status, calculated, booked)
                for currency_code, status, calculated, booked in rows
            ],
        )

    for place, codes in LEDGER_FAULTS.items():
        for reference in references[place : place + 1]:
            for code in codes:
                line = pick(code, reference)
                if line is None:
                    continue
                amount = line.debit_amount
                if code == "posted_twice":
                    journal = [*journal, *_again(line, "-2", line.currency_code)]
                    text = "One cost centre's incentive was posted a second time, in a voucher of its own."
                    plant(code, text, line, [(line.currency_code, "duplicate", amount, 2 * amount)])
                    continue
                other = OTHER_CURRENCY[line.currency_code]
                journal = [*_without(journal, line), *_again(line, f"-IN-{other}", other)]
                plant(
                    code,
                    "One cost centre's incentive was posted as the same number in another currency.",
                    line,
                    [(line.currency_code, "wrong_currency", amount, ZERO), (other, "wrong_currency", ZERO, amount)],
                )
    return journal


def _again(line: JournalLine, suffix: str, currency_code: str) -> list[JournalLine]:
    """An expense line against the payable in a voucher of its own."""
    number = f"{line.voucher_number}{suffix}"
    expense = replace(line, voucher_number=number, line_number=1, currency_code=currency_code)
    payable = replace(
        expense,
        line_number=2,
        account_code=PAYABLE_ACCOUNT,
        cost_centre_code="",
        debit_amount=ZERO,
        credit_amount=line.debit_amount,
        reference="",
    )
    return [expense, payable]


def _without(journal: Sequence[JournalLine], gone: JournalLine) -> list[JournalLine]:
    """The journal without an expense line, its voucher's payable less by it and its lines counted anew."""
    found: list[JournalLine] = []
    for line in journal:
        if line.voucher_number == gone.voucher_number:
            if line is gone:
                continue
            if line.account_code == PAYABLE_ACCOUNT:
                line = replace(line, credit_amount=line.credit_amount - gone.debit_amount)
            if line.line_number > gone.line_number:
                line = replace(line, line_number=line.line_number - 1)
        found.append(line)
    return found

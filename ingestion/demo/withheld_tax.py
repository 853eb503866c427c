"""The tax payroll withheld from incentive pay: a second calculation of seeds/pay, and where payroll went wrong.

What belongs here: the withholding rules worked out from the reference payouts and the register's base lines, the tax
lines of the register and the rows a reconciliation must show for those that are wrong. What does not: who is paid what
(`pay_desk`).

Payroll itemises the tax of two service desks from `FIRST_ITEMISED` on, a line a person, quarter and currency, with a
minus: whoever works there has no other variable pay than a plan's, so that the payouts are all there is to tax. Who is
not paid is not taxed; who is paid in another currency is taxed in it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ingestion.demo.model import PlantedFact
from ingestion.demo.pay_desk import CENT, ZERO, PayrollLine, ended_pay_periods, following_period, last_day
from ingestion.demo.reference_clock import is_in_force, parse_date, read_seed
from ingestion.demo.reference_pay import PayoutLine, cents_to_amount, month_name

if TYPE_CHECKING:
    from ingestion.demo.model import Company

TAX_CODE = "TAX-INC"
FACT_PREFIX = "tax_line_"
# The tax year of every country has only months in it that the register tells.
FIRST_ITEMISED = "2025-04"
ITEMISED_COST_CENTRES = ("CC-1120", "CC-1130")
JURISDICTIONS = {"IE": "IE", "US": "US-NY", "IN": "IN-KA"}
# What payroll takes of a payment it has no calculation for.
EMERGENCY_SHARE = Decimal("0.20")
MISTYPED_BY = Decimal("10.00")

Key = tuple[str, str, str]  # employee number, earned quarter, currency


def withheld_amounts(
    payouts: Sequence[PayoutLine], register: Sequence[PayrollLine], as_of_on: date
) -> dict[Key, Decimal]:
    """Tax of every payment paid in `FIRST_ITEMISED` or later, by the rules in force on the day it was paid.

    A bracket tax is the difference of two points of the tax year's scale, with the payment and without it; an
    aggregate one stands on the year's pay as this month makes it look. One payment a person and day.
    """
    rules = read_seed("pay/withholding_rule.csv")
    scales: dict[str, list[tuple[Fraction, Fraction]]] = defaultdict(list)
    for row in read_seed("pay/withholding_bracket.csv"):
        scales[row["rule_code"]].append((Fraction(row["lower_bound_amount"]), Fraction(row["rate_share"])))
    classes = {
        row["country_code"]: row["payment_class"]
        for row in read_seed("pay/payment_class.csv")
        if row["earning_kind"] == "incentive"
    }
    base: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    paid_on: dict[Key, date] = {}
    for line in register:
        if line.earning_code == "BASE":
            base[line.employee_number, line.currency_code, line.pay_period] += line.amount
        elif line.earning_code == "INC":
            key = line.employee_number, line.earned_quarter, line.currency_code
            paid_on[key] = min(line.paid_on, paid_on.get(key, line.paid_on))
    gross: dict[Key, Decimal] = defaultdict(lambda: ZERO)
    countries: dict[Key, str] = {}
    for item in payouts:
        key = item.employee_number, item.earned_quarter, item.currency_code
        gross[key] += item.payout_amount
        countries[key] = item.country_code
        paid_on.setdefault(key, last_day(item.payment_period))

    found: dict[Key, Decimal] = {}
    for key, amount in gross.items():
        employee_number, _, currency_code = key
        on = paid_on[key]
        if month_name(on) < FIRST_ITEMISED or on >= as_of_on:
            continue
        total = ZERO
        for rule in rules:
            if (
                rule["country_code"] != countries[key]
                or rule["method"] == "none"
                or rule["payment_class"] not in ("", classes[countries[key]])
                or rule["jurisdiction_code"] not in ("", JURISDICTIONS[countries[key]])
                or not is_in_force(on, date.fromisoformat(rule["effective_from"]), parse_date(rule["effective_to"]))
            ):
                continue
            months_in = (on.month - int(rule["tax_year_first_month"])) % 12
            first_of_year = date(on.year - (on.month - 1 < months_in), (on.month - 1 - months_in) % 12 + 1, 1)
            before = sum(
                (
                    other_amount
                    for other, other_amount in gross.items()
                    if other[0] == employee_number
                    and other[2] == currency_code
                    and countries[other] == countries[key]
                    and first_of_year <= paid_on[other] < on
                ),
                ZERO,
            )
            regular = ZERO
            if rule["method"] in ("bracket", "aggregate"):
                told = {
                    period: base[employee_number, currency_code, period]
                    for period in _months(first_of_year, on)
                    if (employee_number, currency_code, period) in base
                }
                regular = sum(told.values(), ZERO)
                if rule["method"] == "aggregate":
                    regular += told.get(month_name(on), ZERO) * (11 - months_in)
            scale = sorted(scales[rule["rule_code"]])
            point = Fraction(regular + before)
            tax = _on_scale(scale, point + Fraction(amount)) - _on_scale(scale, point)
            unit = Fraction(rule["rounding_unit_amount"])
            total += cents_to_amount(int(((tax / unit + Fraction(1, 2)).__floor__() * unit) * 100))
        found[key] = total
    return found


def _months(first: date, last: date) -> list[str]:
    months, on = [], first
    while on <= last:
        months.append(month_name(on))
        on = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return months


def _on_scale(scale: Sequence[tuple[Fraction, Fraction]], point: Fraction) -> Fraction:
    """Tax of an amount on a scale of (lower bound, rate), each rate on its own step."""
    bounds = [lower for lower, _ in scale[1:]] + [max(point, scale[-1][0])]
    steps = zip(scale, bounds, strict=True)
    return sum(
        (max(min(point, upper) - lower, Fraction(0)) * rate for (lower, rate), upper in steps),
        Fraction(0),
    )


def tax_lines(company: Company, payouts: Sequence[PayoutLine], register: Sequence[PayrollLine]) -> list[PayrollLine]:
    """The tax lines of every month that has ended, with the planted faults (written to ``company.planted``, once)."""
    company.planted[:] = [fact for fact in company.planted if not fact.code.startswith(FACT_PREFIX)]
    due = withheld_amounts(payouts, register, company.as_of_at.date())
    payment_periods = {item.earned_quarter: item.payment_period for item in payouts}
    centres: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item in payouts:
        centres[item.payment_period, item.employee_number].add(item.cost_centre_code)
    desk_lines = [
        line
        for line in register
        if line.pay_period >= FIRST_ITEMISED and line.cost_centre_code in ITEMISED_COST_CENTRES
    ]
    # who came from another team may bring other pay: that month of the desk is left to the year's end
    mixed = {
        (period, line.cost_centre_code)
        for line in desk_lines
        if line.earning_code == "INC" and (period := payment_periods.get(line.earned_quarter))
        if centres[period, line.employee_number] - set(ITEMISED_COST_CENTRES)
    }
    paid: dict[tuple[str, str], PayrollLine] = {}
    for line in desk_lines:
        if (
            line.earning_code == "INC"
            and (payment_periods.get(line.earned_quarter), line.cost_centre_code) not in mixed
        ):
            paid.setdefault((line.earned_quarter, line.employee_number), line)
    # a desk of which nobody is paid in a month is silent of everybody
    told = {(line.pay_period, line.cost_centre_code) for line in paid.values()}
    itemised = {
        (line.pay_period, line.employee_number)
        for line in desk_lines
        if (line.pay_period, line.cost_centre_code) in told
    }
    ended = set(ended_pay_periods(company))
    found = []
    for quarter in sorted({item for item, period in payment_periods.items() if period in ended}):
        if payment_periods[quarter] >= FIRST_ITEMISED:
            of_quarter = {number: line for (item, number), line in paid.items() if item == quarter}
            calculated = {
                key[0]: (key[2], tax)
                for key, tax in due.items()
                if key[1] == quarter and (payment_periods[quarter], key[0]) in itemised
            }
            found += _of_quarter(company, quarter, payment_periods[quarter], of_quarter, calculated)
    return found


def _of_quarter(
    company: Company,
    quarter: str,
    payment_period: str,
    paid: dict[str, PayrollLine],
    calculated: dict[str, tuple[str, Decimal]],
) -> list[PayrollLine]:
    withheld: dict[str, Decimal] = {
        number: calculated[number][1] if number in calculated else (line.amount * EMERGENCY_SHARE).quantize(CENT)
        for number, line in paid.items()
    }
    currencies = {number: line.currency_code for number, line in paid.items()}
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def expect(code: str, number: str, currency_code: str, status: str, due: Decimal, taken: Decimal) -> None:
        rows[code].append(
            {
                "employee_number": number,
                "earned_quarter": quarter,
                "currency_code": currency_code,
                "status": status,
                "withheld_amount": str(due),
                "payroll_amount": str(taken),
                "difference_amount": str(taken - due),
            }
        )

    # in the month's own run and in the right currency, so that nothing else is wrong with the person
    fit = [
        number
        for number, line in sorted(paid.items())
        if number in calculated
        and calculated[number][0] == line.currency_code
        and calculated[number][1] > MISTYPED_BY
        and line.pay_period == payment_period
    ]
    if len(fit) >= 3:
        number, other = random.Random(f"{company.seed}:withheld tax:{quarter}").sample(fit, 2)
        currency_code, due = calculated[number]
        withheld[number] = due + MISTYPED_BY
        expect("mistyped", number, currency_code, "amount_differs", due, withheld[number])
        currencies[other] = "EUR"
    for number, (currency_code, due) in sorted(calculated.items()):
        if due and (number not in paid or currencies[number] != currency_code):
            expect("missing", number, currency_code, "missing_right", due, ZERO)
    for number in sorted(paid):
        if withheld[number] and (number not in calculated or calculated[number][0] != currencies[number]):
            expect("without_a_calculation", number, currencies[number], "missing_left", ZERO, withheld[number])
    texts = {
        "mistyped": "Payroll withheld 10.00 too much from one person.",
        "missing": "Who was not paid, or in another currency, has no tax line where tax was calculated.",
        "without_a_calculation": "Payroll taxed what nobody calculated: a bonus, or a tax line in another currency.",
    }
    for code, expected in rows.items():
        detail = {
            "settled_at": f"{following_period(payment_period)}-01 00:00:00",
            "expected_withholding_to_payroll": expected,
        }
        company.planted.append(PlantedFact(f"{FACT_PREFIX}{code}_{quarter}", texts[code], detail))
    return [
        PayrollLine(
            payroll_line_id="",
            pay_period=line.pay_period,
            employee_number=number,
            earning_code=TAX_CODE,
            amount=-withheld[number],
            currency_code=currencies[number],
            paid_on=line.paid_on,
            cost_centre_code=line.cost_centre_code,
            earned_quarter=quarter,
            costing=(),
        )
        for number, line in sorted(paid.items())
        if withheld[number]
    ]

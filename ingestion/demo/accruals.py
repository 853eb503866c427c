"""How the demonstration company's accounting accrued incentive pay before it was paid, and where it went wrong.

What belongs here: the accrual policy of seeds/finance worked out a second time from the people and the reference
payouts, the vouchers that book it, the faults planted among them and the rows a reconciliation must show for those.
What does not: what was paid and how its expense was booked (`pay_desk`).

Vouchers per month and currency: ACC-* what the month's days recognise, TRU-* the true-up of a quarter that ended with
the month, REL-* the release of what is paid in the month. Each debits the accrued expense and credits the accrued
liability by cost centre (the other way round where negative), with the reference ACC-<quarter>.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ingestion.demo.model import PlantedFact
from ingestion.demo.reference_clock import is_in_force, parse_date, read_seed
from ingestion.demo.reference_pay import (
    add_months,
    cents_to_amount,
    half_up_cents,
    load_plans,
    month_name,
    pay_segments,
    periods,
    quarter_name,
)

if TYPE_CHECKING:
    from ingestion.demo.model import Company
    from ingestion.demo.pay_desk import JournalLine
    from ingestion.demo.reference_pay import PayoutLine

ZERO = Decimal("0.00")
EXPENSE_ACCOUNT = "6220"
LIABILITY_ACCOUNT = "2350"
OTHER_CURRENCY = {"EUR": "USD", "USD": "EUR", "INR": "USD"}
KINDS = {"recognition": ("ACC", "Accrued"), "true_up": ("TRU", "True-up of accrued"), "release": ("REL", "Release of")}
MANUAL_AMOUNT = Decimal("5000.00")
MISTYPED_BY = Decimal("100.00")

TEXTS = {
    "true_up_mistyped": "One cost centre's true-up was booked 100.00 too high.",
    "booked_twice": "One cost centre's accrual of a month was booked a second time, in a voucher of its own.",
    "not_released": "One cost centre's accrual was not released when it was paid: cost stands in the books twice.",
    "in_wrong_period": "One cost centre's accrual of a month was booked in the following one.",
    "in_wrong_currency": "One cost centre's accrual of a month was booked as the same number in another currency.",
    "without_a_schedule": "A manual provision names no quarter: nobody can say what it is for.",
}
# What goes wrong in a movement other than the recognition of a month.
MOVEMENTS = {"true_up_mistyped": "true_up", "not_released": "release"}
# One a quarter, from the first on.
FIRST_FAULTS = tuple(TEXTS)
# Quarter, counted from the first -> what goes wrong in it besides.
MORE_FAULTS: dict[int, tuple[str, ...]] = {
    0: ("not_released",),
    1: ("in_wrong_period", "in_wrong_currency", "true_up_mistyped"),
    3: ("booked_twice", "without_a_schedule", "true_up_mistyped"),
    4: ("in_wrong_currency", "without_a_schedule", "not_released"),
    5: ("booked_twice", "in_wrong_period"),
}


@dataclass(frozen=True)
class Accrual:
    """One movement of the schedule: what a month adds to the liability of a quarter and cost centre."""

    earned_quarter: str
    cost_centre_code: str
    currency_code: str
    accrual_month: str
    accrual_kind: str
    amount: Decimal


@dataclass(frozen=True)
class Posting:
    """One movement as it was booked; suffix sets a voucher of its own apart."""

    accrual: Accrual
    suffix: str = ""
    reference: str = ""


def accrual_schedule(company: Company, payouts: Sequence[PayoutLine]) -> list[Accrual]:
    """Every movement of months that have begun by as_of, in order; ValueError for a method there is no rule for."""
    policies = read_seed("finance/accrual_policy.csv")
    teams = {team.team_code: team for team in company.teams}
    jobs, targets = defaultdict(list), defaultdict(list)
    for job in company.job_infos:
        jobs[job.employee_id].append(job)
    for target in company.incentive_targets:
        targets[target.employee_id].append(target)
    months = periods("month", company.start_on, company.as_of_at)

    exact: dict[tuple[str, str, str, str], Fraction] = defaultdict(Fraction)
    for start, end in periods("quarter", company.start_on, company.as_of_at):
        for plan in load_plans():
            if not is_in_force(start, plan.effective_from, plan.effective_to):
                continue
            held = [
                row
                for row in policies
                if row["plan_code"] == plan.plan_code
                and is_in_force(start, date.fromisoformat(row["effective_from"]), parse_date(row["effective_to"]))
            ]
            if len(held) != 1:
                raise ValueError(
                    f"accrual_policy.csv: {len(held)} rows hold for plan {plan.plan_code} on {start}: enter one"
                )
            policy = held[0]
            if policy["recognition_method"] == "quarter_end":
                continue
            if policy["recognition_method"] != "straight_line":
                raise ValueError(f"accrual_policy.csv: no rule for recognition_method {policy['recognition_method']!r}")
            for employee in company.employees:
                for from_on, to_on in months:
                    if not start <= from_on < end:
                        continue
                    for part in pay_segments(employee, jobs[employee.id], targets[employee.id], from_on, to_on):
                        team = teams[part.team_code]
                        if not plan.components.get(team.tier):
                            continue
                        key = quarter_name(start), team.cost_centre_code, part.currency_code, month_name(from_on)
                        exact[key] += (
                            Fraction(part.target_amount)
                            * Fraction(part.segment_days, (end - start).days)
                            * Fraction(policy["expected_payout_share"])
                        )
    found = [Accrual(*key, "recognition", cents_to_amount(half_up_cents(amount))) for key, amount in exact.items()]

    recognised: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for item in found:
        recognised[item.earned_quarter, item.cost_centre_code, item.currency_code] += item.amount
    earned: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    paid_in: dict[str, str] = {}
    for line in payouts:
        earned[line.earned_quarter, line.cost_centre_code, line.currency_code] += line.payout_amount
        paid_in[line.earned_quarter] = line.payment_period
    begun = {month_name(from_on) for from_on, _ in months}
    for start, _ in periods("quarter", company.start_on, company.as_of_at):
        quarter = quarter_name(start)
        if quarter not in paid_in:
            continue
        for key in sorted({*earned, *recognised}):
            if key[0] != quarter:
                continue
            last_month = month_name(add_months(start, 2))
            found.append(Accrual(*key, last_month, "true_up", earned[key] - recognised[key]))
            if paid_in[quarter] in begun:
                found.append(Accrual(*key, paid_in[quarter], "release", -earned[key]))
    return sorted(
        (item for item in found if item.amount),
        key=lambda item: (
            item.accrual_month,
            list(KINDS).index(item.accrual_kind),
            item.earned_quarter,
            item.cost_centre_code,
        ),
    )


def accrual_lines(company: Company, payouts: Sequence[PayoutLine]) -> list[JournalLine]:
    """Vouchers of every month that has ended, with the planted faults (written to ``company.planted``, once)."""
    from ingestion.demo.pay_desk import ended_pay_periods

    schedule = [item for item in accrual_schedule(company, payouts) if item.accrual_month in ended_pay_periods(company)]
    postings = _plant_faults(company, schedule)
    vouchers: dict[str, list[Posting]] = defaultdict(list)
    for posting in postings:
        prefix, _ = KINDS[posting.accrual.accrual_kind]
        number = f"{prefix}-{posting.accrual.accrual_month}-{posting.accrual.currency_code}{posting.suffix}"
        vouchers[number].append(posting)
    return [line for number in sorted(vouchers) for line in _voucher(number, vouchers[number])]


def _voucher(number: str, postings: Sequence[Posting]) -> list[JournalLine]:
    from ingestion.demo.pay_desk import JournalLine, last_day

    lines: list[JournalLine] = []
    for posting in postings:
        item = posting.accrual
        text = f"{KINDS[item.accrual_kind][1]} incentive pay, {item.earned_quarter}"
        for account, amount in ((EXPENSE_ACCOUNT, item.amount), (LIABILITY_ACCOUNT, -item.amount)):
            lines.append(
                JournalLine(
                    voucher_number=number,
                    line_number=len(lines) + 1,
                    posted_on=last_day(item.accrual_month),
                    fiscal_period=item.accrual_month,
                    account_code=account,
                    cost_centre_code=item.cost_centre_code,
                    debit_amount=max(amount, ZERO),
                    credit_amount=max(-amount, ZERO),
                    currency_code=item.currency_code,
                    description=text,
                    reference=posting.reference or f"ACC-{item.earned_quarter}",
                )
            )
    return lines


def _plant_faults(company: Company, schedule: Sequence[Accrual]) -> list[Posting]:
    """The schedule as it was booked: the faults of each kind, each in a quarter and cost centre of its own.

    The quarters count from the first, and in each what happens first is drawn first, so that a later as_of does not
    move the faults of earlier months; a fault of a month that has not ended is left out.
    """
    from ingestion.demo.pay_desk import following_period

    company.planted[:] = [fact for fact in company.planted if not fact.code.startswith("accrual_")]
    postings = [Posting(item) for item in schedule]
    quarters = sorted({item.earned_quarter for item in schedule})
    touched: set[tuple[str, str]] = set()
    due: Mapping[tuple[str, str, str, str], Decimal] = _by_month(schedule)
    ended = {item.accrual_month for item in schedule}

    def pick(quarter: int, kind: str, is_fit: Callable[[Accrual], bool], name: str = "") -> Accrual | None:
        fit = [
            item
            for item in schedule
            if item.accrual_kind == kind
            and item.earned_quarter in quarters[quarter : quarter + 1]
            and (item.earned_quarter, item.cost_centre_code) not in touched
            and is_fit(item)
        ]
        if not fit:
            return None
        # of the month that comes first, which later drops do not change
        first = min(item.accrual_month for item in fit)
        chosen = random.Random(f"{company.seed}:accruals:{name or len(touched)}").choice(
            [item for item in fit if item.accrual_month == first]
        )
        touched.add((chosen.earned_quarter, chosen.cost_centre_code))
        return chosen

    def plant(code: str, text: str, settled_in: str, rows: Sequence[tuple[Accrual, str, Decimal]]) -> None:
        """rows: (movement whose month, quarter, cost centre and currency name the row, status, booked amount)."""
        expected = []
        for item, status, booked in rows:
            key = item.accrual_month, item.earned_quarter, item.cost_centre_code, item.currency_code
            scheduled = due.get(key, ZERO)
            expected.append(
                {
                    "accrual_month": item.accrual_month,
                    "earned_quarter": item.earned_quarter,
                    "cost_centre_code": item.cost_centre_code,
                    "currency_code": item.currency_code,
                    "status": status,
                    "accrual_amount": str(scheduled),
                    "gl_amount": str(booked),
                    "difference_amount": str(booked - scheduled),
                }
            )
        detail = {"settled_at": f"{following_period(settled_in)}-01 00:00:00", "expected_accrual_to_gl": expected}
        company.planted.append(PlantedFact(code, text, detail))

    def is_early(item: Accrual) -> bool:
        """Not the quarter's last month, in which the true-up is booked as well; the next one has ended too."""
        return int(item.accrual_month[-2:]) % 3 != 0 and following_period(item.accrual_month) in ended

    def plant_one(code: str, item: Accrual, suffix: str = "") -> None:
        """The fault of this kind in a movement."""
        text = TEXTS[code]
        if code == "true_up_mistyped":
            wrong = replace(item, amount=item.amount + MISTYPED_BY)
            postings[postings.index(Posting(item))] = Posting(wrong)
            settled_in, rows = item.accrual_month, [(item, "amount_differs", due[_key(item)] + MISTYPED_BY)]
        elif code == "booked_twice":
            postings.append(Posting(item, "-2"))
            settled_in, rows = item.accrual_month, [(item, "duplicate", 2 * item.amount)]
        elif code == "not_released":
            postings.remove(Posting(item))
            settled_in, rows = item.accrual_month, [(item, "missing_right", ZERO)]
        elif code == "in_wrong_period":
            later = replace(item, accrual_month=following_period(item.accrual_month))
            postings.remove(Posting(item))
            postings.append(Posting(later, "-LATE"))
            settled_in = later.accrual_month
            rows = [(item, "wrong_period", ZERO), (later, "wrong_period", due[_key(later)] + item.amount)]
        elif code == "in_wrong_currency":
            other = replace(item, currency_code=OTHER_CURRENCY[item.currency_code])
            postings[postings.index(Posting(item))] = Posting(other)
            settled_in = item.accrual_month
            rows = [(item, "wrong_currency", ZERO), (other, "wrong_currency", item.amount)]
        else:
            postings.append(Posting(replace(item, amount=MANUAL_AMOUNT), "-M", "MANUAL"))
            settled_in = item.accrual_month
            rows = [(replace(item, earned_quarter=""), "missing_left", MANUAL_AMOUNT)]
        plant(f"accrual_{code}{suffix}", text, settled_in, rows)

    for place, code in enumerate(FIRST_FAULTS):
        kind = MOVEMENTS.get(code, "recognition")
        item = pick(place, kind, is_early if kind == "recognition" else lambda _: True)
        if item is not None:
            plant_one(code, item)
    for place, codes in MORE_FAULTS.items():
        for quarter in quarters[place : place + 1]:
            for code in codes:
                kind = MOVEMENTS.get(code, "recognition")
                name = f"{code}:{quarter}"
                item = pick(place, kind, is_early if kind == "recognition" else lambda _: True, name)
                if item is not None:
                    plant_one(code, item, f"_{quarter}")
    return postings


def _key(item: Accrual) -> tuple[str, str, str, str]:
    return item.accrual_month, item.earned_quarter, item.cost_centre_code, item.currency_code


def _by_month(schedule: Sequence[Accrual]) -> dict[tuple[str, str, str, str], Decimal]:
    """Scheduled amounts by (month, earned quarter, cost centre, currency)."""
    found: dict[tuple[str, str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for item in schedule:
        found[_key(item)] += item.amount
    return dict(found)

"""Drawn payments through the real withholding models against a loop over each person's year, in exact fractions.

The loop adds a payment to what the year has so far and asks a scale for both sums, as payroll would on paper; the SQL
takes running totals by windows and rounds whole numbers. They share no code.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql
from tests.property.tables import fill_shuffled

SEED = 20251121
EXAMPLES = 12
PERSON_COUNT = 8
QUARTERS = [(f"{year}-Q{quarter}", year, quarter) for year in (2024, 2025) for quarter in (1, 2, 3, 4)]
KINDS = ("incentive", "pool")
MONTHS = [date(year, month, 1) for year in (2023, 2024, 2025, 2026) for month in range(1, 13)]

TABLES = """
    create table fct_payment_line (
        employee_number varchar, earned_quarter varchar, payment_period varchar, country_code varchar,
        currency_code varchar, earning_kind varchar, line_state varchar, amount decimal(18, 2)
    );
    create table payment_class (
        country_code varchar, earning_kind varchar, payment_class varchar, effective_from date, effective_to date
    );
    create table withholding_rule (
        rule_code varchar, country_code varchar, jurisdiction_code varchar, payment_class varchar, tax_code varchar,
        method varchar, currency_code varchar, tax_year_first_month integer, rounding_policy varchar,
        rounding_unit_amount decimal(18, 2), figure_status varchar, effective_from date, effective_to date
    );
    create table withholding_bracket (
        rule_code varchar, lower_bound_amount decimal(18, 2), rate_share decimal(9, 6)
    );
    create table int_employment_term (
        employee_number varchar, valid_from_on date, valid_to_on date, jurisdiction_code varchar
    );
    create table int_regular_pay (
        employee_number varchar, currency_code varchar, month_start_on date, regular_pay_amount decimal(18, 2),
        is_projected boolean
    );
    create table int_payroll_line (
        employee_number varchar, earned_quarter varchar, currency_code varchar, pay_period varchar, paid_on date,
        amount decimal(18, 2), earning_role varchar
    );
"""


@dataclass(frozen=True)
class Tax:
    """One tax of the country: its scales in time as (first day, [(lower bound in cents, rate in 10^-6)])."""

    method: str
    first_month: int
    policy: str
    unit: int
    scales: tuple[tuple[date, tuple[tuple[int, int], ...]], ...]


@dataclass(frozen=True)
class Person:
    """Cents by (index of QUARTERS, kind) (lines of one payment), the day paid where the register tells, cents a month.

    waiting: cents below zero that are no payment yet, by the same.
    """

    lines: dict[tuple[int, str], list[int]]
    waiting: dict[tuple[int, str], int]
    days: dict[int, date]
    monthly: int


@st.composite
def scales(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    bounds = [0, *sorted(draw(st.sets(st.integers(1, 2_000_000), max_size=4)))]
    return tuple((bound, draw(st.integers(0, 700_000))) for bound in bounds)


@st.composite
def taxes(draw: st.DrawFn) -> Tax:
    starts = [date(2020, 1, 1)]
    if draw(st.booleans()):
        starts.append(draw(st.dates(date(2024, 4, 1), date(2026, 1, 31))))
    return Tax(
        draw(st.sampled_from(["flat", "bracket", "aggregate", "none"])),
        draw(st.integers(1, 12)),
        draw(st.sampled_from(["half_up", "down"])),
        draw(st.sampled_from([1, 5, 100, 1000])),
        tuple((start, draw(scales())) for start in starts),
    )


@st.composite
def persons(draw: st.DrawFn) -> Person:
    payments = st.tuples(st.integers(0, len(QUARTERS) - 1), st.sampled_from(KINDS))
    amounts = st.one_of(st.integers(-100_000, 600_000), st.integers(-10, 10))
    lines = draw(st.dictionaries(payments, st.lists(amounts, min_size=1, max_size=3), max_size=10))
    waiting = draw(st.dictionaries(payments, st.integers(-100_000, -1), max_size=2))
    days = {}
    for index in sorted({index for index, _ in lines}):
        if draw(st.booleans()):
            # quarters paid late fall on one day
            days[index] = max(month_end(payment_month(index)), draw(st.sampled_from([date(2024, 4, 30), late()])))
    return Person(lines, waiting, days, draw(st.integers(0, 300_000)))


def late() -> date:
    return date(2025, 10, 31)


def payment_month(index: int) -> date:
    _, year, quarter = QUARTERS[index]
    return date(year + (quarter == 4), quarter * 3 % 12 + 1, 1)


def month_end(first: date) -> date:
    following = date(first.year + (first.month == 12), first.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def scale_value(scale: tuple[tuple[int, int], ...], cents: int) -> Fraction:
    """Tax on an amount, cent by cent of each bracket it reaches into, in cents."""
    total = Fraction(0)
    for number, (lower, rate) in enumerate(scale):
        upper = scale[number + 1][0] if number + 1 < len(scale) else None
        top = cents if upper is None else min(cents, upper)
        if top > lower:
            total += Fraction((top - lower) * rate, 1_000_000)
    return total


def rounded(cents: Fraction, tax: Tax) -> int:
    units = Decimal(cents.numerator) / Decimal(cents.denominator * tax.unit)
    return int(units.quantize(Decimal(1), ROUND_DOWN if tax.policy == "down" else ROUND_HALF_UP)) * tax.unit


def year_start(day: date, first_month: int) -> date:
    return date(day.year - (day.month < first_month), first_month, 1)


def place(person: Person, payment: tuple[int, str]) -> tuple[bool, bool, int]:
    """Where a payment stands in its day: what is taken back last, plan pay after the rest, then by quarter."""
    return sum(person.lines[payment]) < 0, payment[1] == "incentive", payment[0]


def expected(person: Person, tax: Tax) -> dict[tuple[str, str], int]:
    """Cents withheld of each quarter's payment of a kind."""
    if tax.method == "none":
        return {(QUARTERS[index][0], kind): 0 for index, kind in person.lines}
    found = {}
    paid_in_year: dict[date, int] = {}
    by_day: dict[date, list[tuple[int, str]]] = {}
    for payment in sorted(person.lines, key=lambda payment: place(person, payment)):
        day = person.days.get(payment[0], month_end(payment_month(payment[0])))
        by_day.setdefault(day, []).append(payment)
    for day in sorted(by_day):
        start = year_start(day, tax.first_month)
        scale = [scale for first, scale in tax.scales if first <= day][-1]
        to_date = [month for month in MONTHS if start <= month <= day]
        base = {"flat": 0, "bracket": len(to_date) * person.monthly, "aggregate": 12 * person.monthly}[tax.method]
        morning = base + paid_in_year.get(start, 0)
        point, withheld = morning, 0
        for payment in by_day[day]:
            point += sum(person.lines[payment])
            of_day = rounded(scale_value(scale, point) - scale_value(scale, morning), tax)
            found[QUARTERS[payment[0]][0], payment[1]] = of_day - withheld
            withheld = of_day
        paid_in_year[start] = point - base
    return found


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        for kind in KINDS:
            connection.execute("insert into payment_class values ('XX', ?, 'bonus', '2020-01-01', null)", [kind])
        connection.execute(f"create view fct_withholding_tax as {model_sql('fct_withholding_tax')}")
        connection.execute(f"create view fct_withholding as {model_sql('fct_withholding')}")
        yield connection


def fill(
    engine: duckdb.DuckDBPyConnection, people: dict[str, Person], levied: dict[str, Tax], shuffled: random.Random
) -> None:
    """The tables, each in an order of its own."""
    payouts: list[tuple[Any, ...]] = []
    register: list[tuple[Any, ...]] = []
    regular: list[tuple[Any, ...]] = []
    for name, person in people.items():
        for (index, kind), amounts in person.lines.items():
            line = (name, QUARTERS[index][0], payment_month(index).strftime("%Y-%m"), "XX", "EUR", kind)
            payouts += [(*line, "due", Decimal(cents).scaleb(-2)) for cents in amounts]
        for (index, kind), cents in person.waiting.items():
            line = (name, QUARTERS[index][0], payment_month(index).strftime("%Y-%m"), "XX", "EUR", kind)
            payouts.append((*line, "waiting", Decimal(cents).scaleb(-2)))
        for index, day in person.days.items():
            register.append((name, QUARTERS[index][0], "EUR", day.strftime("%Y-%m"), day, Decimal(1), "incentive"))
        regular += [(name, "EUR", month, Decimal(person.monthly).scaleb(-2), False) for month in MONTHS]
    rules: list[tuple[Any, ...]] = []
    brackets: list[tuple[Any, ...]] = []
    for code, tax in levied.items():
        for number, (first, scale) in enumerate(tax.scales):
            rule = f"{code}-{number}"
            last = tax.scales[number + 1][0] if number + 1 < len(tax.scales) else None
            until = date.fromordinal(last.toordinal() - 1) if last else None
            unit = Decimal(tax.unit).scaleb(-2)
            terms = [rule, "XX", None, None, code, tax.method, "EUR", tax.first_month, tax.policy, unit]
            rules.append((*terms, "confirmed", first, until))
            brackets += [(rule, Decimal(lower).scaleb(-2), Decimal(rate).scaleb(-6)) for lower, rate in scale]
    for table, rows in (
        ("fct_payment_line", payouts),
        ("int_payroll_line", register),
        ("int_regular_pay", regular),
        ("withholding_rule", rules),
        ("withholding_bracket", brackets),
    ):
        fill_shuffled(engine, table, rows, shuffled)


def withheld_cents(engine: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str, str], int]:
    rows = engine.execute(
        "select employee_number, earned_quarter, earning_kind, tax_code, cast(withheld_amount * 100 as bigint) "
        "from fct_withholding_tax where gap_reason is null"
    ).fetchall()
    assert len(rows) == len({row[:4] for row in rows})
    return {row[:4]: row[4] for row in rows}


@pytest.mark.requirement("OPS-7.4")
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(
    drawn=st.lists(persons(), min_size=PERSON_COUNT, max_size=PERSON_COUNT),
    levied=st.lists(taxes(), min_size=1, max_size=3),
    order=st.integers(0, 10**6),
)
def test_withholding_is_that_of_a_loop_over_the_year(
    engine: duckdb.DuckDBPyConnection, drawn: list[Person], levied: list[Tax], order: int
) -> None:
    people = {f"p{number}": person for number, person in enumerate(drawn)}
    by_code = {f"t{number}": tax for number, tax in enumerate(levied)}
    shuffled = random.Random(order)
    fill(engine, people, by_code, shuffled)
    found = withheld_cents(engine)
    assert found == {
        (name, quarter, kind, code): cents
        for name, person in people.items()
        for code, tax in by_code.items()
        for (quarter, kind), cents in expected(person, tax).items()
    }

    # the same rows in another order are the same taxes
    fill(engine, people, by_code, shuffled)
    assert withheld_cents(engine) == found

    # net and withheld are gross, and gross is what is paid
    for name, quarter, kind, gross, withheld, net in engine.execute(
        "select employee_number, earned_quarter, earning_kind, gross_amount, withheld_amount, net_amount "
        "from fct_withholding"
    ).fetchall():
        index = next(number for number, (code, *_) in enumerate(QUARTERS) if code == quarter)
        assert gross * 100 == sum(people[name].lines[index, kind])
        assert withheld * 100 == sum(found[name, quarter, kind, code] for code in by_code)
        assert withheld + net == gross

"""Drawn supplier contracts through the real model against a loop over their periods, in whole cents.

The loop keeps a running balance of the contract year, as a controller would on paper; the SQL takes the difference of
two capped running totals. They share no code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql

SEED = 20251106
EXAMPLES = 12
CONTRACT_COUNT = 15
MONTH_COUNT = 18
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

TABLES = """
    create table int_reporting_period (
        period_grain varchar, period_start_on date, period_days integer, is_complete boolean
    );
    create table supplier_contract (
        supplier_contract_code varchar, vendor_code varchar, service_code varchar, component_code varchar,
        measure varchar, promised_share decimal(9, 6), sla_period varchar, monthly_fee_amount decimal(18, 2),
        period_credit_cap_share decimal(9, 4), yearly_credit_cap_amount decimal(18, 2), currency_code varchar,
        effective_from date, effective_to date
    );
    create table service_credit_rule (
        supplier_contract_code varchar, below_share decimal(9, 6), credit_share decimal(9, 4), effective_from date,
        effective_to date
    );
    create table int_vendor_family (vendor_code varchar, primary_vendor_code varchar);
    create table fct_component_performance (
        component_code varchar, measure varchar, period_month date, performance_source varchar, raw_good_count bigint,
        raw_total_count bigint, adjusted_good_count bigint, adjusted_total_count bigint,
        adjusted_share decimal(18, 9), performance_status varchar
    );
"""


@dataclass
class Contract:
    """One contract: shares in 10^-6 (bands) and 10^-4 (credits, cap), money in cents, months of (good, total)."""

    is_quarterly: bool
    promised: int
    bands: list[tuple[int, int]]
    fee: int
    period_cap: int
    year_cap: int
    months: list[tuple[int, int] | None]


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    promised = draw(st.integers(950_000, 999_999))
    drawn = draw(st.sets(st.integers(900_000, promised), min_size=1, max_size=4))
    # a band that begins at the promise is tried on months that keep it exactly
    below = sorted(drawn | {promised} if draw(st.booleans()) else drawn, reverse=True)
    credits = sorted(draw(st.lists(st.integers(1, 10_000), min_size=len(below), max_size=len(below))))
    month = st.one_of(
        st.tuples(st.integers(880_000, 1_000_000), st.just(1_000_000)),
        st.tuples(st.integers(0, 999), st.integers(1_000, 1_030)),
        st.tuples(st.just(promised), st.just(1_000_000)),
        st.none(),
    )
    return Contract(
        draw(st.booleans()),
        promised,
        list(zip(below, credits, strict=True)),
        draw(st.integers(0, 2_000_000)),
        draw(st.integers(0, 10_000)),
        draw(st.integers(0, 3_000_000)),
        draw(st.lists(month, min_size=MONTH_COUNT, max_size=MONTH_COUNT)),
    )


def half_up(value: Fraction) -> int:
    return int((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(1), ROUND_HALF_UP))


def expected_periods(contract: Contract, finished: int) -> list[tuple[str, int, str]]:
    """(status, cents owed, which cap took something off) of each SLA period, one after the other."""
    length = 3 if contract.is_quarterly else 1
    found = []
    left = contract.year_cap
    for first in range(0, MONTH_COUNT, length):
        if first % 12 == 0:
            left = contract.year_cap
        months = contract.months[first : first + length]
        known = [month for month in months if month is not None]
        if finished < first + length:
            found.append(("provisional", 0, "none"))
            continue
        if len(known) < len(months):
            found.append(("insufficient_data", 0, "none"))
            continue
        share = half_up(Fraction(sum(good for good, _ in known) * 10**9, sum(total for _, total in known)))
        due = [credit for below, credit in contract.bands if share < below * 1_000]
        fee = contract.fee * length
        uncapped = half_up(Fraction(fee * (max(due) if due else 0), 10_000))
        of_period = min(uncapped, half_up(Fraction(fee * contract.period_cap, 10_000)))
        owed = min(of_period, left)
        left -= owed
        caps = [name for name, bites in (("period", of_period < uncapped), ("year", owed < of_period)) if bites]
        found.append(("ok", owed, "_and_".join(caps) or "none"))
    return found


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.execute("insert into int_vendor_family values ('v', 'v')")
        connection.execute(f"create view fct_service_credit as {model_sql('fct_service_credit')}")
        yield connection


def month_on(number: int) -> str:
    return f"{2025 + number // 12}-{number % 12 + 1:02d}-01"


def fill(engine: duckdb.DuckDBPyConnection, drawn: dict[str, Contract], finished: int) -> None:
    for table in ("int_reporting_period", "supplier_contract", "service_credit_rule", "fct_component_performance"):
        engine.execute(f"delete from {table}")
    engine.executemany(
        "insert into int_reporting_period values ('month', ?, ?, ?)",
        [(month_on(n), DAYS[n % 12], n < finished) for n in range(MONTH_COUNT)],
    )
    for code, contract in drawn.items():
        add(engine, code, contract)


def add(engine: duckdb.DuckDBPyConnection, code: str, contract: Contract) -> None:
    """A contract on a service of its own."""
    terms: list[Any] = [code, "v", code, None, "availability_raw", Decimal(contract.promised).scaleb(-6)]
    terms += ["quarter" if contract.is_quarterly else "month", Decimal(contract.fee).scaleb(-2)]
    terms += [Decimal(contract.period_cap).scaleb(-4), Decimal(contract.year_cap).scaleb(-2), "EUR"]
    engine.execute(
        "insert into supplier_contract values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '2025-01-01', '2026-06-30')", terms
    )
    engine.executemany(
        "insert into service_credit_rule values (?, ?, ?, '2025-01-01', null)",
        [(code, Decimal(below).scaleb(-6), Decimal(credit).scaleb(-4)) for below, credit in contract.bands],
    )
    performance = [
        (code, month_on(n), month[0], month[1], 0, 1) for n, month in enumerate(contract.months) if month is not None
    ]
    if performance:
        engine.executemany(
            "insert into fct_component_performance values (?, 'availability', ?, 'monitors', ?, ?, ?, ?, 0, 'ok')",
            performance,
        )


@pytest.mark.requirement("SVC-2.5")
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(
    drawn=st.lists(contracts(), min_size=CONTRACT_COUNT, max_size=CONTRACT_COUNT), finished=st.integers(9, MONTH_COUNT)
)
def test_credits_are_those_of_a_loop_over_the_periods(
    engine: duckdb.DuckDBPyConnection, drawn: list[Contract], finished: int
) -> None:
    by_code = {f"c{number}": contract for number, contract in enumerate(drawn)}
    fill(engine, by_code, finished)
    rows = engine.execute(
        "select supplier_contract_code, credit_status, credit_amount, cap_applied, year_to_date_amount, "
        "yearly_cap_amount, contract_year_number from fct_service_credit order by period_start_on"
    ).fetchall()
    for code, contract in by_code.items():
        of_contract = [row for row in rows if row[0] == code]
        found = [(status, int(owed * 100), cap) for _, status, owed, cap, *_ in of_contract]
        assert found == expected_periods(contract, finished)
        for year in (1, 2):
            of_year = [row for row in of_contract if row[6] == year]
            assert sum(row[2] for row in of_year) == of_year[-1][4] <= of_year[-1][5]

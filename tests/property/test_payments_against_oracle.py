"""Drawn ledgers through the real models of payments against a loop over each person's months.

The loop first puts each line with the open pay it corrects: of its earning, and what is set off with the last advance
before it. Then it keeps a purse: what cannot be paid yet lies in it until a month makes up for it; then it sets aside
the kinds that do not meet their demands. The SQL joins and takes running sums by windows. They share no code.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql
from tests.property.tables import fill_shuffled

SEED = 20260105
EXAMPLES = 20
PERSON_COUNT = 12
MONTHS = ("2025-01", "2025-02", "2025-04", "2025-07")
KINDS = ("incentive", "draw", "pool", "award")
COUNTRIES = ("IE", "US")
FIRST_MONTH = "2025-02"
EARNINGS = ("a", "b", "c", "d")
# earnings a and b of a person's draws are of one plan, the others of a plan each
PLANS = {"a": "p", "b": "p", "c": "q", "d": "r"}

TABLES = """
    create table int_payroll_go_live (first_payment_period varchar, is_standing boolean, earning_kind varchar);
    insert into int_payroll_go_live values ('2025-02', true, null), ('2025-07', false, null);
    create table fct_draw (earning_line_id varchar, plan_code varchar);
    create table fct_payout_ledger (
        ledger_line_id varchar, item_kind varchar, earning_kind varchar, earning_line_id varchar,
        employee_number varchar, country_code varchar, cost_centre_code varchar, currency_code varchar,
        earned_quarter varchar, amount decimal(18, 2), payment_period varchar
    );
    create table int_payroll_export_ledger_line (
        ledger_line_id varchar, payment_period varchar, country_code varchar, export_number integer,
        employee_number varchar, currency_code varchar, earning_kind varchar, pay_code varchar, account_code varchar,
        amount decimal(18, 2)
    );
    create table rpt_payment_readiness (
        employee_number varchar, country_code varchar, currency_code varchar, payment_period varchar,
        earning_kind varchar, demand_code varchar, is_met boolean, is_payment_ready boolean
    );
    create table payout_account as select unnest(['incentive', 'draw', 'pool', 'award']) as earning_kind,
        '6210' as account_code, date '2024-01-01' as effective_from, cast(null as date) as effective_to;
    create table payout_pay_code as select earning_kind, 'INC' as earning_code, effective_from, effective_to
        from payout_account;
    create table gl_account as select unnest(['6210', '2300', '2350', '6220']) as account_code, unnest(
        ['incentive_expense', 'payroll_payable', 'incentive_accrual', 'incentive_accrual_expense']) as account_role;
    create table cost_centre as select 'C1' as cost_centre_code, 'EUR' as currency_code;
"""

# (month, kind, country, cents, whether it was exported, earning of the person and kind)
Line = tuple[str, str, str, int, bool, str]


@st.composite
def people(draw: st.DrawFn) -> tuple[list[Line], frozenset[tuple[str, str, str]]]:
    """A person's lines, and the (month, kind, country) that are not ready."""
    lines = draw(
        st.lists(
            st.tuples(
                st.sampled_from(MONTHS),
                st.sampled_from(KINDS),
                st.sampled_from(COUNTRIES if draw(st.booleans()) else COUNTRIES[:1]),
                st.integers(-400, 900),
                st.sampled_from([False, False, False, True]),
                st.sampled_from(EARNINGS),
            ),
            max_size=9,
        )
    )
    unready = draw(
        st.frozensets(
            st.tuples(st.sampled_from(MONTHS), st.sampled_from(KINDS), st.sampled_from(COUNTRIES)), max_size=12
        )
    )
    return lines, unready


def placed(lines: list[Line]) -> dict[int, str]:
    """The month each open line belongs to, before anything is carried."""
    found: dict[int, str] = {}
    opened: dict[tuple[str, str], str] = {}
    totals: dict[tuple[str, str], int] = {}
    for place in sorted(range(len(lines)), key=lambda place: lines[place][0]):
        month, kind, _, cents, is_exported, earning = lines[place]
        if is_exported:
            continue
        found[place] = month
        if month >= FIRST_MONTH:
            found[place] = opened.setdefault((kind, earning), month)
            totals[kind, earning] = totals.get((kind, earning), 0) + cents
    for place, month in list(found.items()):
        key = lines[place][1], lines[place][5]
        if lines[place][0] < FIRST_MONTH or key[0] != "draw" or totals[key] >= 0:
            continue
        for other, total in totals.items():
            is_advance = other[0] == "draw" and PLANS[other[1]] == PLANS[key[1]] and total > 0
            if is_advance and opened[other] < opened[key]:
                found[place] = opened[other] if found[place] == month else max(found[place], opened[other])
    return found


def expected(lines: list[Line], unready: frozenset[tuple[str, str, str]]) -> dict[int, tuple[str, str]]:
    """Month of payment and status of each line by its place."""
    found = {place: (line[0], "exported") for place, line in enumerate(lines) if line[4]}
    months = placed(lines)
    purse: list[int] = []
    payments: list[tuple[str, list[int]]] = []
    month = ""
    for month in sorted(set(months.values())):
        purse += [place for place in months if months[place] == month]
        if sum(lines[place][3] for place in purse) >= 0:
            payments.append((month, purse))
            purse = []
    for place in purse:
        found[place] = (month, "blocked")
    for month, places in payments:
        held_kinds = {lines[place][1] for place in places if (month, lines[place][1], lines[place][2]) in unready}
        countries = {lines[place][2] for place in places}

        def total(country: str, places: list[int] = places, kinds: set[str] | None = None, of: bool = True) -> int:
            return sum(
                lines[place][3]
                for place in places
                if lines[place][2] == country and (kinds is None or (lines[place][1] in kinds) == of)
            )

        owes = len(countries) > 1 and any(total(country) < 0 for country in countries)
        debt = bool(held_kinds) and any(
            total(country, kinds=held_kinds, of=side) < 0 for country in countries for side in (True, False)
        )
        for place in places:
            waits = owes or debt or lines[place][1] in held_kinds
            status = "blocked" if waits else "payable"
            found[place] = (month, "paid_outside" if month < FIRST_MONTH else status)
    return found


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.execute(f"create view fct_payment_line as {model_sql('fct_payment_line')}")
        connection.execute(f"create view fct_payroll_export_item as {model_sql('fct_payroll_export_item')}")
        yield connection


@pytest.mark.requirement("OPS-7.2")
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(drawn=st.lists(people(), min_size=PERSON_COUNT, max_size=PERSON_COUNT), order=st.integers(0, 10**6))
def test_payments_are_those_of_a_loop_over_the_months(
    engine: duckdb.DuckDBPyConnection,
    drawn: list[tuple[list[Line], frozenset[tuple[str, str, str]]]],
    order: int,
) -> None:
    shuffled = random.Random(order)
    ledger: list[tuple[Any, ...]] = []
    exported: list[tuple[Any, ...]] = []
    readiness: list[tuple[Any, ...]] = []
    draws: set[tuple[Any, ...]] = set()
    for number, (lines, unready) in enumerate(drawn):
        person = f"p{number}"
        for place, (month, kind, country, cents, is_exported, name) in enumerate(lines):
            line, amount = f"{person}-{place}", Decimal(cents).scaleb(-2)
            earning = f"{person}-{kind}-{name}"
            if kind == "draw":
                draws.add((earning, PLANS[name]))
            ledger.append((line, "earning", kind, earning, person, country, "C1", "EUR", "2025-Q1", amount, month))
            if is_exported:
                exported.append((line, month, country, 1, person, "EUR", kind, "INC", "6210", amount))
        readiness += [
            (person, country, "EUR", month, kind, "acknowledged", is_ready, is_ready)
            for month in MONTHS
            for kind in KINDS
            for country in COUNTRIES
            for is_ready in [(month, kind, country) not in unready]
        ]
    fill_shuffled(engine, "fct_draw", sorted(draws), shuffled)
    fill_shuffled(engine, "fct_payout_ledger", ledger, shuffled)
    fill_shuffled(engine, "int_payroll_export_ledger_line", exported, shuffled)
    fill_shuffled(engine, "rpt_payment_readiness", readiness, shuffled)

    found = engine.execute("select ledger_line_id, payment_period, item_status from fct_payroll_export_item").fetchall()
    assert len(found) == len(ledger)
    assert {line: (month, status) for line, month, status in found} == {
        f"p{number}-{place}": verdict
        for number, (lines, unready) in enumerate(drawn)
        for place, verdict in expected(lines, unready).items()
    }

    # nobody is paid around a debt: neither what goes nor what stays beside it takes money in any country
    assert not engine.execute(
        """
        select employee_number from (
            select *, bool_or(item_status = 'payable') over (partition by employee_number, payment_period) as is_paid
            from fct_payroll_export_item where item_status <> 'exported'
        ) where is_paid group by employee_number, payment_period, country_code, item_status having sum(amount) < 0
        """
    ).fetchall()

    # and nothing is taken of what was due in an earlier month and not handed over
    assert not engine.execute(
        f"""
        select taken.ledger_line_id from fct_payment_line as taken inner join fct_payment_line as unpaid
            using (employee_number, earning_line_id)
        where taken.amount < 0 and unpaid.amount > 0 and unpaid.payment_period < taken.payment_period
            and taken.line_state <> 'exported' and unpaid.line_state <> 'exported'
            and least(taken.ledger_payment_period, unpaid.ledger_payment_period) >= '{FIRST_MONTH}'
        """
    ).fetchall()

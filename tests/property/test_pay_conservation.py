"""Ten thousand drawn plans with their people and results in one set of tables: what any pay must keep holds in all.

The real models run over all companies at once. What they say is compared, line by line, with whole-number arithmetic in
Python, and what must hold whatever the amounts are is asked of the tables. PAY_COMPANIES draws another number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from benchmarks.model_sql import model_sql
from tests.pay_crowd import FACTS, INPUTS, KINDS, calculate, exact_caps, exact_lines, open_crowd

SEED = 20260107
COMPANIES = int(os.environ.get("PAY_COMPANIES", "10000"))
LEDGER = "fct_payout_ledger"
LINE_KEY = "employee_number, earned_quarter, segment_start_on, component_code"

Owed = tuple[dict[tuple[Any, ...], Any], dict[tuple[Any, ...], Any]]

pytestmark = [pytest.mark.requirement("OPS-7.2"), pytest.mark.requirement("OPS-5.5")]


@pytest.fixture(scope="module")
def crowd() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_crowd(COMPANIES, SEED) as connection:
        raise_results(connection)
        yield connection


@pytest.fixture(scope="module")
def owed(crowd: duckdb.DuckDBPyConnection) -> Owed:
    """Lines and totals of persons in exact arithmetic."""
    return exact_lines(crowd)


def raise_results(connection: duckdb.DuckDBPyConnection) -> None:
    """The facts once more, under the suffix _raised, with every value and every adjusted value higher by a step."""
    for table, column in (("fct_metric_result", "metric_value"), ("fct_score_adjustment_effect", "adjusted_value")):
        step = "(1 + draw('raised', metric_result_key, 300000))::decimal(18, 6) * 0.000001"
        connection.execute(
            f"create table {table}_raised as select * replace (({column} + {step})::decimal(18, 6) as {column}) "
            f"from {table}"
        )
    calculate(connection, "_raised", ("fct_metric_result", "fct_score_adjustment_effect"))


def one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    found = connection.execute(query).fetchone()
    assert found is not None
    return found[0]


def cents(connection: duckdb.DuckDBPyConnection, query: str, keys: int) -> dict[tuple[Any, ...], Any]:
    """Rows by their first columns, which must be a key; the one column after them, or what stands in them."""
    rows = connection.execute(query).fetchall()
    found = {row[:keys]: row[keys] if len(row) == keys + 1 else row[keys:] for row in rows}
    assert len(found) == len(rows)
    return found


def test_the_crowd_holds_every_kind_of_plan_and_result(crowd: duckdb.DuckDBPyConnection) -> None:
    """What the other tests say, they say of something: each rule decides at least one line in a hundred."""
    assert one(crowd, "select count(distinct plan_code) from fct_incentive_payout") > COMPANIES * 0.8
    told = crowd.execute(
        """
        select
            count_if(payout_amount > 0), count_if(band_method = 'flat' and payout_share > 0),
            count_if(band_method = 'interpolated' and payout_share > 0), count_if(running_before_value > 0),
            count_if(gate_share < 1), count_if(eligible_share between 0.0001 and 0.9999), count_if(eligible_share = 0),
            count_if(paid_days_value < segment_days), count_if(adjustment_id is not null),
            count_if(result_status <> 'ok'), count_if(weight_source = 'adjustment'),
            count_if(weight_source = 'lifecycle'), count_if(segment_days < quarter_days)
        from fct_incentive_payout
        """
    ).fetchone()
    lines = one(crowd, "select count(*) from fct_incentive_payout")
    assert told is not None
    assert min(told) > lines / 100
    assert {row[0] for row in crowd.execute("select cap_kind from fct_cap_application").fetchall()} == set(KINDS)


def test_lines_are_exact_and_sum_to_the_rounded_whole_of_each_person(
    crowd: duckdb.DuckDBPyConnection, owed: Owed
) -> None:
    assert paid(crowd) == owed


def paid(connection: duckdb.DuckDBPyConnection) -> Owed:
    """Lines and totals of persons as the models have them."""
    amount = "cast(payout_amount * 100 as bigint)"
    lines = f"select {LINE_KEY}, {amount}, cast(payout_share * 10000 as bigint) from fct_incentive_payout"
    whole = (
        f"select employee_number, earned_quarter, currency_code, sum({amount}) from fct_incentive_payout group by all"
    )
    return cents(connection, lines, 4), cents(connection, whole, 3)


def test_every_line_is_an_earning_once(crowd: duckdb.DuckDBPyConnection) -> None:
    """Earnings are the payout lines and the other kinds, by key and amount: none lost, none twice."""
    given = """
        select payout_line_id, 'incentive', payout_amount from fct_incentive_payout
        union all
        select earning_line_id, earning_kind, earned_amount from other_earning
    """
    found = "select earning_line_id, earning_kind, earned_amount from fct_earning_line"
    assert difference(crowd, given, found) == (0, 0)


@pytest.mark.requirement("LTI-4.4")
@pytest.mark.requirement("DESK-5.3")
def test_limits_take_what_is_over_them_and_never_more_than_was_earned(crowd: duckdb.DuckDBPyConnection) -> None:
    said = (
        "select cap_kind, earning_line_id, cast(-cap_amount * 100 as bigint) from fct_cap_application "
        "where cap_amount <> 0"
    )
    assert cents(crowd, said, 2) == exact_caps(crowd)
    assert overdrawn(crowd) == 0


def overdrawn(connection: duckdb.DuckDBPyConnection) -> int:
    """Earning lines from which all limits together take more than was earned, or to which they give."""
    count: int = one(
        connection,
        """
        select count(*) from (
            select earning_line_id, sum(cap_amount) as taken from fct_cap_application group by 1
        ) join fct_earning_line using (earning_line_id)
        where taken > 0 or taken < -greatest(earned_amount, 0)
        """,
    )
    return count


def test_the_order_of_rows_never_matters(crowd: duckdb.DuckDBPyConnection) -> None:
    for name in INPUTS:
        crowd.execute(f"create or replace table {name}_shuffled as select * from {name} order by hash(rowid, '{name}')")
    calculate(crowd, "_shuffled", INPUTS)
    for name in FACTS:
        assert difference(crowd, f"from {name}", f"from {name}_shuffled") == (0, 0)


def difference(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> tuple[int, int]:
    """How many rows only the one has and only the other, counting repeats."""
    return tuple(  # type: ignore[return-value]
        one(connection, f"select count(*) from ((from ({a})) except all (from ({b})))")
        for a, b in ((left, right), (right, left))
    )


def test_a_higher_result_never_pays_less(crowd: duckdb.DuckDBPyConnection) -> None:
    """Where bands ascend, no counter-metric holds a component in check and no running total ends earlier for it.

    A line's share never falls and so never does the person's amount; of a line's amount one cent may go to another
    line of the person whose remainder became the larger one.
    """
    monotone = """
        select plan_code from company where is_monotone and not is_gated
        except select plan_code from plan_component where processing_grain = 'cumulative'
    """
    both = f"""
        from fct_incentive_payout as low join fct_incentive_payout_raised as high using (payout_line_id)
        where low.plan_code in ({monotone})
    """
    assert one(crowd, f"select count(*) {both} and high.payout_amount > low.payout_amount") > COMPANIES / 2
    fell = "high.payout_share < low.payout_share or high.payout_amount < low.payout_amount - 0.01"
    assert one(crowd, f"select count(*) {both} and ({fell})") == 0
    by_person = "group by low.employee_number, low.earned_quarter, low.currency_code"
    less = "having sum(high.payout_amount) < sum(low.payout_amount)"
    assert one(crowd, f"select count(*) from (select 1 {both} {by_person} {less})") == 0


@pytest.mark.requirement("LTI-5.1")
@pytest.mark.requirement("OPS-7.5")
def test_the_ledger_sums_to_what_was_calculated_last(crowd: duckdb.DuckDBPyConnection) -> None:
    """In May the first quarter is paid and the second is not. In June all results are higher, some lines are gone and
    some are another cost centre's. In August the second quarter is paid too, and what is below zero is carried.
    """
    crowd.execute(
        """
        create or replace table fct_earning_line_next as
        select * replace (if(draw('moved', earning_line_id, 50) = 0, 'CC-new', cost_centre_code) as cost_centre_code)
        from fct_earning_line_raised where draw('gone', earning_line_id, 50) > 0;
        create or replace table fct_cap_application_next as
        select * from fct_cap_application_raised
        where earning_line_id in (select earning_line_id from fct_earning_line_next);
        create or replace table int_closed_quarter (earned_quarter varchar);
        create or replace table fct_clawback (
            clawback_key varchar, reason varchar, earning_line_id varchar, earning_kind varchar,
            employee_number varchar, earned_quarter varchar, team_code varchar, country_code varchar,
            cost_centre_code varchar, currency_code varchar, clawback_amount decimal(18, 2), payment_period varchar
        )
        """
    )
    runs = (("2025-05", "2025-07", ""), ("2025-06", "2025-07", "_next"), ("2025-08", "2025-10", "_next"))
    kept = 0
    for month, following, suffix in runs:
        crowd.execute(
            "create or replace table int_payment_moment as select ? as run_id, ?::timestamp as as_of_at, "
            "? as as_of_month, ? as next_payment_period",
            [month, f"{month}-15", month, following],
        )
        relations = {name: name + suffix for name in ("fct_earning_line", "fct_cap_application")}
        if kept:
            crowd.execute(f"create or replace table before as from {LEDGER}")
            crowd.execute(f"insert into {LEDGER} by name {model_sql(LEDGER, relations, this=LEDGER)}")
            assert difference(crowd, f"from {LEDGER} where entry_number <= {kept}", "from before") == (0, 0)
        else:
            crowd.execute(f"create or replace table {LEDGER} as {model_sql(LEDGER, relations)}")
        count = one(crowd, f"select max(entry_number) from {LEDGER}")
        assert count > kept
        assert unkept(crowd, suffix) == {}
        kept = count
    kinds = {row[0] for row in crowd.execute(f"select line_type from {LEDGER}").fetchall()}
    assert kinds == {"original", "adjustment", "reversal", "cap", "carry_forward"}
    crowd.execute(f"insert into {LEDGER} by name {model_sql(LEDGER, relations, this=LEDGER)}")
    assert one(crowd, f"select max(entry_number) from {LEDGER}") == kept, "a run without changes wrote lines"

    crowd.execute(f"update {LEDGER} set amount = amount + 0.01 where line_type = 'reversal' and line_number = 2")
    assert set(unkept(crowd, "_next")) == {"items", "persons", "reversals"}


def unkept(connection: duckdb.DuckDBPyConnection, suffix: str) -> dict[str, int]:
    """How often each promise of a ledger is broken; those that are kept are not named."""
    calculated = f"""
        select earning_line_id as item_key, employee_number, earned_quarter, currency_code, earned_amount as amount
        from fct_earning_line{suffix}
        union all
        select cap_application_key, employee_number, earned_quarter, currency_code, cap_amount
        from fct_cap_application{suffix}
    """
    booked = f"from {LEDGER} where item_kind <> 'carry_forward'"
    person = "employee_number, earned_quarter, currency_code"
    broken = {
        # the lines of an item sum to what was calculated for it, and to nothing where it no longer is
        "items": f"""
            select count(*) from (select item_key, sum(amount) as amount {booked} group by 1) as booked
            full join ({calculated}) as due using (item_key)
            where coalesce(booked.amount, 0) <> coalesce(due.amount, 0)
        """,
        "persons": f"""
            select count(*) from (select {person}, sum(amount) as amount {booked} group by all) as booked
            full join (select {person}, sum(amount) as amount from ({calculated}) group by all) as due using ({person})
            where coalesce(booked.amount, 0) <> coalesce(due.amount, 0)
        """,
        "reversals": f"""
            select count(*) from {LEDGER} as undone
            left join {LEDGER} as line on undone.original_ledger_line_id = line.ledger_line_id
            where undone.line_type = 'reversal' and (line.amount is null or line.amount + undone.amount <> 0)
        """,
        "undone once": f"""
            select count(*) from (
                select 1 from {LEDGER} where line_type = 'reversal' group by original_ledger_line_id having count(*) > 1
            )
        """,
        "carried": f"""
            select count(*) from (
                select 1 from {LEDGER} where line_type = 'carry_forward' group by item_key having sum(amount) <> 0
            )
        """,
    }
    counts = {name: one(connection, query) for name, query in broken.items()}
    return {name: count for name, count in counts.items() if count}


def test_one_cent_too_much_is_seen(crowd: duckdb.DuckDBPyConnection, owed: Owed) -> None:
    """Neither lines nor totals nor limits hold once a single cent is elsewhere."""
    crowd.execute("begin")
    crowd.execute(
        "update fct_incentive_payout set payout_amount = payout_amount + 0.01 "
        "where payout_line_id = (select max(payout_line_id) from fct_incentive_payout)"
    )
    crowd.execute(
        "update fct_cap_application set cap_amount = -0.01 - (select max(earned_amount) from fct_earning_line) "
        "where cap_application_key = (select max(cap_application_key) from fct_cap_application)"
    )
    lines, totals = paid(crowd)
    assert lines != owed[0]
    assert totals != owed[1]
    assert overdrawn(crowd) == 1
    crowd.execute("rollback")

"""The marts find what the demonstration company planted: to the second, and to the cent.

The list of planted facts is the company's own; the pipeline never sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

pytestmark = pytest.mark.slow

MONEY_KEYS = ("calculated_amount", "booked_amount", "difference_amount")


@pytest.fixture(scope="module")
def warehouse(demo_warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        yield connection


def one(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list) -> dict:
    cursor = connection.execute(sql, parameters)
    rows = cursor.fetchall()
    assert len(rows) == 1, (sql, parameters, rows)
    return dict(zip([column[0] for column in cursor.description], rows[0], strict=True))


@pytest.mark.requirement("LTI-2.5")
def test_planted_tickets_are_found_to_the_second(demo_warehouse, warehouse):
    found = 0
    for fact in demo_warehouse.company.planted:
        for number, expected in fact.detail.get("tickets", {}).items():
            row = one(
                warehouse,
                "select * from slt.fct_ticket_slt where ticket_number = ? and slt_code = ?",
                [number, expected["slt_code"]],
            )
            row = {key: str(row[key]) if key.endswith("_at") and row[key] else row[key] for key in expected}
            assert row == expected, (fact.code, number)
            found += 1
    assert found >= 20


def test_refused_exclusions_moved_nothing_and_say_why(demo_warehouse, warehouse):
    refused = [f for f in demo_warehouse.company.planted if f.code.startswith("refused_exclusion")]
    assert len(refused) == 4
    for fact in refused:
        for exclusion_id in fact.detail["exclusion_ids"]:
            row = one(
                warehouse, "select * from governance.rpt_exclusion_control where exclusion_id = ?", [exclusion_id]
            )
            assert (row["is_effective"], bool(row["reason"])) == (False, True), exclusion_id
            assert warehouse.execute(
                "select count(*) from slt.fct_exclusion_effect where exclusion_id = ?", [exclusion_id]
            ).fetchone() == (0,)


@pytest.mark.parametrize("code", ["leaver_mid_period", "transfer_mid_period", "hire_mid_period", "raise_mid_period"])
def test_people_who_change_in_mid_period_are_paid_by_the_day(demo_warehouse, warehouse, code):
    (fact,) = (f for f in demo_warehouse.company.planted if f.code == code)
    segments = warehouse.execute(
        """
        select distinct segment_start_on::varchar, segment_end_on::varchar, segment_days, team_code
        from incentives.fct_incentive_payout
        where employee_number = ? and earned_quarter = ? and quarter_days = ?
        order by all
        """,
        [fact.detail["employee_number"], fact.detail["earned_quarter"], fact.detail["quarter_days"]],
    ).fetchall()
    assert segments == [tuple(segment) for segment in fact.detail["segments"]]


def test_planted_outages_are_measured_to_the_second(demo_warehouse, warehouse):
    """The force majeure outage leaves the adjusted figure whole, and only that one."""
    (fact,) = (f for f in demo_warehouse.company.planted if f.code == "outage_force_majeure")
    for monitor_id in fact.detail["monitor_ids"]:
        row = one(
            warehouse,
            "select * from slt.fct_availability where monitor_id = ? and period_month = date '2025-03-01'",
            [str(monitor_id)],
        )
        assert row["excluded_seconds"] == fact.detail["excluded_seconds_per_monitor"]
        assert row["down_seconds"] - row["adjusted_down_seconds"] >= fact.detail["down_seconds_per_monitor"]


@pytest.mark.requirement("LTI-7.4")
@pytest.mark.parametrize(
    ("table", "booked", "kind"),
    [
        ("rec_payout_to_payroll", "payroll_amount", "expected_payout_to_payroll"),
        ("rec_payout_to_gl", "gl_amount", "expected_payout_to_gl"),
    ],
)
def test_planted_money_is_found_to_the_cent(demo_warehouse, warehouse, table, booked, kind):
    expected_rows = [row for fact in demo_warehouse.company.planted for row in fact.detail.get(kind, [])]
    assert len(expected_rows) >= 7
    for expected in expected_rows:
        keys = [key for key in expected if key not in (*MONEY_KEYS, "status")]
        row = one(
            warehouse,
            f"select *, {booked} as booked from finance.{table} where " + " and ".join(f"{key} = ?" for key in keys),
            [expected[key] for key in keys],
        )
        assert row["status"] == expected["status"], expected
        assert row["difference_amount"] == Decimal(expected["difference_amount"]), expected
        assert (row["booked"] or Decimal(0)) == Decimal(expected["booked_amount"]), expected
    others = warehouse.execute(
        f"select count(*) from finance.{table} where status not in ('matched', 'timing')"
    ).fetchone()[0]
    assert others == len(expected_rows), "nothing differs but what was planted"

"""The statement of a person: its total is the ledger's, each figure stands in the warehouse, nothing leaks in."""

from __future__ import annotations

import json
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.cli import main
from dagster_project.lib.statement import (
    SOURCES,
    TOLD,
    StatementError,
    as_document,
    as_html,
    cap_sentence,
    read_statement,
)

pytestmark = [pytest.mark.slow, pytest.mark.requirement("OPS-7.5"), pytest.mark.requirement("DESK-5.2")]

AMOUNT = re.compile(r"-?\d+\.\d{2}\b(?!\d|%)")
# One person of each kind: paid in the quarter, capped by each kind of limit, found about with each outcome.
PEOPLE = """
    select employee_number, earned_quarter from (
        select employee_number, earned_quarter, 'paid' as kind from finance.fct_payout_ledger
        union all select employee_number, earned_quarter, earning_kind from finance.fct_earning_line
        union all select employee_number, earned_quarter, cap_kind from finance.fct_cap_application
        union all select employee_number, earned_quarter, clawback_status from finance.fct_clawback
    )
    qualify row_number() over (partition by kind order by employee_number, earned_quarter) = 1
    order by all
"""


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: Any) -> Any:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        yield connection


def people(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    found = connection.execute(PEOPLE).fetchall()
    assert len(found) >= 5
    return found


def test_a_limit_on_base_pay_that_is_not_told_in_full_is_called_provisional() -> None:
    cap = {
        **{"rule_id": "CAP-1", "cap_kind": "person_share", "scope_code": "IE", "currency_code": "EUR"},
        **{"limit_amount": "20.00", "group_amount": "25.00", "cap_amount": "-5.00", "before_amount": "25.00"},
    }
    told = {status: cap_sentence({**cap, "cap_status": status}) for status in ("applied", "base_pay_incomplete")}
    assert told["base_pay_incomplete"] == (
        f"{told['applied']} Payroll has not told all the base pay of the quarter yet: the limit is provisional, and "
        "what it takes too much is paid with the next payment once it has."
    )
    assert "-5.00 EUR of the excess" in told["applied"]
    assert "could not be worked out" in cap_sentence({**cap, "cap_status": "no_base_pay"})


def test_the_total_is_the_ledgers_to_the_cent(warehouse: duckdb.DuckDBPyConnection) -> None:
    for employee, quarter in people(warehouse):
        document = as_document(read_statement(warehouse, employee, quarter))
        told = {row["currency_code"]: Decimal(row["amount"]) for row in document["totals"]["rows"]}
        booked = warehouse.execute(
            "select currency_code, sum(amount) from finance.fct_payout_ledger "
            "where employee_number = ? and earned_quarter = ? group by 1",
            [employee, quarter],
        ).fetchall()
        assert told == dict(booked)
        lines: dict[str, Decimal] = {}
        for row in document["ledger"]["rows"]:
            lines[row["currency_code"]] = lines.get(row["currency_code"], Decimal(0)) + Decimal(row["amount"])
        assert lines == told, "the lines it lists do not come to its total"
        earned = {row["currency_code"]: Decimal(row["earned_amount"]) for row in document["totals"]["rows"]}
        for part in ("lines", "on_call", "pools", "awards", "draws"):
            for row in document[part]["rows"]:
                earned[row["currency_code"]] -= Decimal(
                    row.get("payout_amount" if part == "lines" else "earned_amount")
                )
        assert set(earned.values()) == {Decimal(0)}, (employee, quarter, "what is explained is not what was earned")
        page = as_html(read_statement(warehouse, employee, quarter))
        assert all(f"<strong>{amount} {currency}</strong>" in page for currency, amount in told.items())


def test_each_figure_stands_in_the_warehouse(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Every row of every part is a row of the table it says; totals are sums and are held above."""
    for employee, quarter in people(warehouse):
        document = as_document(read_statement(warehouse, employee, quarter))
        for part in set(TOLD) - {"totals"}:
            for row in document[part]["rows"]:
                figures = {name: value for name, value in row.items() if name != "explanation"}
                equal = " and ".join(
                    f"cast({name} as varchar) is not distinct from cast(? as varchar)" for name in figures
                )
                given = [str(value) if value is not None else None for value in figures.values()]
                query = f"select count(*) from {SOURCES[part]} where {equal} and employee_number = ?"
                assert warehouse.execute(query, [*given, employee]).fetchone() == (1,), (part, figures)


def test_no_sentence_tells_an_amount_that_is_not_of_its_row(warehouse: duckdb.DuckDBPyConnection) -> None:
    seen = 0
    for employee, quarter in people(warehouse):
        document = as_document(read_statement(warehouse, employee, quarter))
        for part in ("lines", "on_call", "pools", "awards", "draws", "caps", "clawbacks", "balances"):
            for row in document[part]["rows"]:
                for amount in AMOUNT.findall(" ".join(row["explanation"])):
                    assert amount in {str(value) for name, value in row.items() if name.endswith("_amount")}, row
                    seen += 1
    assert seen > 50


def test_a_statement_names_nobody_else_and_loads_nothing(warehouse: duckdb.DuckDBPyConnection) -> None:
    numbers = [
        row[0] for row in warehouse.execute("select employee_number from staging.stg_bamboohr__employees").fetchall()
    ]
    for employee, quarter in people(warehouse):
        page = as_html(read_statement(warehouse, employee, quarter))
        assert {number for number in numbers if re.search(rf"\b{number}\b", page)} == {employee}
        assert "http" not in page and "<script" not in page


def test_what_is_written_follows_the_ledger(demo_warehouse: Any, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """A line more in the ledger is in the statement; texts of the data cannot become markup."""
    path = Path(shutil.copy(demo_warehouse.warehouse_path, tmp_path / "warehouse.duckdb"))
    monkeypatch.setenv("WAREHOUSE_PATH", str(path))
    with duckdb.connect(str(path)) as connection:
        employee, quarter, before = connection.execute(
            "select employee_number, earned_quarter, sum(amount) from finance.fct_payout_ledger "
            "where line_type = 'original' group by all order by all limit 1"
        ).fetchone()  # type: ignore[misc]
        connection.execute(
            "insert into finance.fct_payout_ledger select * replace (11.11 as amount, '<b>x</b>' as reason, 'n' as "
            "ledger_line_id) from finance.fct_payout_ledger where employee_number = ? and earned_quarter = ? limit 1",
            [employee, quarter],
        )
    out = tmp_path / "new" / "folder"
    assert main(["statement", "--employee", employee, "--quarter", quarter, "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"statement: {employee} {quarter} comes to ")
    document = json.loads((out / f"statement-{employee}-{quarter}.json").read_text())
    assert Decimal(document["totals"]["rows"][0]["amount"]) == before + Decimal("11.11")
    page = (out / f"statement-{employee}-{quarter}.html").read_text()
    assert "<b>x</b>" not in page and "&lt;b&gt;x&lt;/b&gt;" in page


def test_who_is_not_there_is_named_with_what_to_do(
    warehouse: duckdb.DuckDBPyConnection, demo_warehouse: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    with pytest.raises(StatementError, match=r"e9999 in 2025-Q2; it has none of this person"):
        read_statement(warehouse, "e9999", "2025-Q2")
    employee = people(warehouse)[0][0]
    with pytest.raises(StatementError, match=rf"no line of {employee} in 2019-Q1; it has 20"):
        read_statement(warehouse, employee, "2019-Q1")
    monkeypatch.setenv("WAREHOUSE_PATH", str(demo_warehouse.warehouse_path))
    given = ["statement", "--employee", "e9999", "--quarter", "2025-Q2", "--out", str(tmp_path)]
    assert main(given) == 2 and "e9999" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*given[:4], "second quarter", *given[5:]])
    assert "no quarter" in capsys.readouterr().err

"""What the demonstration's back office writes: it follows from the pay desk and the contracts, and moves neither."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingestion.contracts import SourceError, Window
from ingestion.demo.back_office import RETURNED_IN, bills, book_lines, rates, write_bills, write_charts, write_payments
from ingestion.demo.company import build_company
from ingestion.demo.pay_desk import run_pay_desk
from ingestion.demo.survey_desk import write_responses
from ingestion.demo.vendor_reports import vendor_reports, write_vendor_reports
from ingestion.sources.billing import BILLING
from ingestion.sources.ledger import LEDGER
from ingestion.sources.payroll import PAYROLL


@pytest.fixture(scope="module")
def company() -> Any:
    return build_company(ticket_count=1_500)


@pytest.fixture(scope="module")
def desk(company: Any) -> Any:
    return run_pay_desk(company)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_left_the_bank_is_what_the_register_owes(company: Any, desk: Any, tmp_path: Path) -> None:
    write_payments(company, desk, tmp_path)
    paid: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for path in tmp_path.iterdir():
        for row in read(path):
            if row["payment_status"] == "settled":
                paid[row["pay_period"], row["employee_number"], row["currency"]] += Decimal(row["amount"])
    owed: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for line in desk.payroll:
        owed[line.pay_period, line.employee_number, line.currency_code] += line.amount
    assert paid == {key: amount for key, amount in owed.items() if amount}
    (returned,) = (r for r in read(tmp_path / f"payroll_payment_{RETURNED_IN}.csv") if r["payment_status"] != "settled")
    (again,) = (r for r in read(tmp_path / f"payroll_payment_{RETURNED_IN}.csv") if r["original_payment_id"])
    assert again["original_payment_id"] == returned["payment_id"] and again["amount"] == returned["amount"]


def test_the_same_company_writes_the_same_files(company: Any, desk: Any, tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "two"):
        write_payments(company, desk, folder)
        write_bills(company, folder)
        write_vendor_reports(company, folder)
        write_responses(company, folder)
    ones = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert len(ones) > 20 and ones == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}


def test_accounts_form_a_tree_and_name_every_account_of_the_journal(company: Any, desk: Any, tmp_path: Path) -> None:
    write_charts(company, tmp_path)
    accounts = {row["account"]: row for row in read(tmp_path / "accounts.csv")}
    assert all(row["parent_account"] in ("", *accounts) for row in accounts.values())
    assert {line.account_code for line in desk.journal} <= set(accounts)
    centres = {row["cost_centre"] for row in read(tmp_path / "cost_centres.csv")}
    assert {line.cost_centre_code for line in desk.journal} - {""} <= centres


def test_rates_are_one_a_day_and_pair_on_working_days(company: Any) -> None:
    rows = list(rates(company))
    assert len({row[:3] for row in rows}) == len(rows) and all(row[0].weekday() < 5 for row in rows)
    pairs = {(row[0], row[1], row[2]): Decimal(row[4]) / Decimal(row[3]) for row in rows}
    wrong = [
        day
        for (day, one, other), rate in pairs.items()
        if one == "EUR" and abs(rate * pairs[day, other, one] - 1) > Decimal("0.01")
    ]
    assert wrong == [date(2025, 3, 12)]


def test_an_invoice_is_the_sum_of_its_lines(company: Any, tmp_path: Path) -> None:
    write_bills(company, tmp_path)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for path in tmp_path.glob("invoice_lines_*.csv"):
        for row in read(path):
            assert Decimal(row["net_amount"]) == Decimal(row["quantity"]) * Decimal(row["unit_amount"])
            sums[row["invoice_number"]] += Decimal(row["net_amount"])
    invoices = [row for path in tmp_path.glob("invoices_*.csv") for row in read(path)]
    assert len(invoices) == len(bills(company)) == len(sums) > 20
    assert all(Decimal(row["net_amount"]) == sums[row["invoice_number"]] for row in invoices)
    numbers = {row["invoice_number"] for row in invoices}
    assert {row["invoice_number"] for path in tmp_path.glob("credit_notes_*") for row in read(path)} <= numbers


def test_the_subsidiarys_books_balance(company: Any) -> None:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in book_lines(company):
        sums[line.transaction_id] += line.debit_amount - line.credit_amount
    assert len(sums) > 20 and set(sums.values()) == {Decimal(0)}


def test_vendors_are_silent_before_they_owed_a_report(tmp_path: Path) -> None:
    early = build_company(as_of=build_company(ticket_count=100).as_of_at.replace(year=2025, month=7), ticket_count=100)
    assert vendor_reports(early).claims == {}
    write_vendor_reports(early, tmp_path)
    write_responses(early, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_each_kind_of_case_is_planted_three_times_once_a_service_and_month(company: Any) -> None:
    facts = vendor_reports(company).facts
    places = {(fact.detail["service_code"], fact.detail["measure"], fact.detail["period_month"]) for fact in facts}
    assert len(places) == len(facts)
    counts = Counter(fact.detail["status"] for fact in facts)
    assert counts.keys() == {
        "summary_differs_from_raw",
        "raw_differs_from_measured",
        "missing_raw",
        "missing_summary",
        "missing_report",
        "missing_measured",
    }
    assert min(counts.values()) >= 3


# --- folders of several kinds ---


def test_a_folder_offers_each_kind_its_own_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEDGER_DROP_PATH", str(tmp_path))
    for name in ("journal_2025-11.csv", "accounts.csv", "accounts_2024.csv.gz", "accountsold.csv", "cost_centres.txt"):
        (tmp_path / name).write_bytes(b"")
    offered = {name: LEDGER.partition_keys(entity) for name, entity in LEDGER.entities.items()}
    assert offered == {
        "journal_line": ["2025-11"],
        "account": ["accounts.csv", "accounts_2024.csv.gz"],
        "cost_centre": [],
    }


def test_a_kind_nobody_drops_owes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAYROLL_DROP_PATH", str(tmp_path))
    assert PAYROLL.is_configured() == (True, "PAYROLL_DROP_PATH is set")
    assert PAYROLL.partition_keys(PAYROLL.entities["payment"]) == []


def test_a_named_file_is_read_and_a_missing_one_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entity = BILLING.entities["credit_note"]
    monkeypatch.setenv("BILLING_DROP_PATH", str(tmp_path / "nowhere"))
    with pytest.raises(SourceError, match="the folder is not there"):
        BILLING.partition_keys(entity)
    monkeypatch.setenv("BILLING_DROP_PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"no file credit_notes_x\.csv"):
        list(BILLING.pages(entity, Window("credit_notes_x.csv"), lambda _: None))
    text = f"{','.join(entity.columns)}\n{','.join('a' for _ in entity.columns)}\n,{',' * (len(entity.columns) - 2)}\n"
    (tmp_path / "credit_notes_x.csv").write_text(text)
    (page,) = BILLING.pages(entity, Window("credit_notes_x.csv"), lambda _: None)
    assert [record.reason for record in page.records] == [None, "missing_key: credit_note_number"]
    assert BILLING.content_sha256(entity, Window("credit_notes_x.csv"))
